/** A bar for the score of each label. */

import { NOT_COMMANDS } from "../listener";

interface Row {
  label: string;
  item: HTMLLIElement;
  bar: HTMLElement;
  value: HTMLElement;
  /** For screen readers. */
  note: HTMLElement;
  percent: number;
}

export class ScoreBars {
  private rows: Row[] = [];

  constructor(private readonly list: HTMLElement) {}

  setLabels(labels: readonly string[]): void {
    this.rows = labels.map((label) => {
      const item = document.createElement("li");
      const [bar, name, value, note] = ["bar", "name", "value", "for-screen-readers"].map((kind) => {
        const part = document.createElement("span");
        part.className = kind;
        return part;
      });
      name!.textContent = label;
      value!.setAttribute("aria-hidden", "true");
      item.append(bar!, name!, value!, note!);
      item.classList.toggle("never", NOT_COMMANDS.includes(label));
      return { label, item, bar: bar!, value: value!, note: note!, percent: -1 };
    });
    const widest = Math.max(...labels.map((label) => label.length));
    this.list.style.setProperty("--widest", `${Math.min(22, 0.55 * widest + 4.5)}rem`);
    this.list.replaceChildren(...this.rows.map((row) => row.item));
    this.update(new Float32Array(labels.length));
  }

  update(scores: Float32Array): void {
    this.rows.forEach((row, index) => {
      const percent = Math.round(100 * scores[index]!);
      if (percent === row.percent) return;
      row.percent = percent;
      row.bar.style.transform = `scaleX(${percent / 100})`;
      row.value.textContent = percent > 0 ? `${percent}` : "";
    });
  }

  /** Mark detected words, and no others. */
  mark(labels: readonly string[]): void {
    for (const { label, item, note } of this.rows) {
      const isFound = labels.includes(label);
      item.classList.toggle("found", isFound);
      note.textContent = isFound ? " detected" : "";
    }
  }
}
