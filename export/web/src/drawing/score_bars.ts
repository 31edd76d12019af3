/** A bar for the score of each label. */

import { NOT_COMMANDS } from "../listener";

interface Row {
  item: HTMLLIElement;
  bar: HTMLElement;
  value: HTMLElement;
  percent: number;
}

export class ScoreBars {
  private rows: Row[] = [];

  constructor(private readonly list: HTMLElement) {}

  setLabels(labels: readonly string[]): void {
    this.rows = labels.map((label) => {
      const item = document.createElement("li");
      const [name, value, bar] = ["span", "span", "span"].map((tag) => document.createElement(tag));
      name!.textContent = label;
      value!.className = "value";
      value!.ariaHidden = "true";
      bar!.className = "bar";
      item.append(bar!, name!, value!);
      item.classList.toggle("never", NOT_COMMANDS.includes(label));
      return { item, bar: bar!, value: value!, percent: -1 };
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
    for (const { item } of this.rows) {
      item.classList.toggle("found", labels.includes(item.children[1]!.textContent!));
    }
  }
}
