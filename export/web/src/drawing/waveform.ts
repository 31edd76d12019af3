/** The wave of the sound, with the detected words at their times. */

import { type Detection, type RecordingResult } from "../listener";
import { clearedSurface, colour } from "./canvas";

/** Seconds of live sound that the pictures show. */
export const LIVE_SECONDS = 6;
const WORDS_HEIGHT = 40; // pixels above the wave, for two rows of words
const FONT = "system-ui, sans-serif";

export class Waveform {
  private peaks: Float32Array = new Float32Array(0); // least and greatest samples, in turns
  private peaksPerSecond = 1;
  private words: Detection[] = [];
  private end = 0; // seconds; of the peaks
  private seconds = LIVE_SECONDS; // shown

  constructor(private readonly canvas: HTMLCanvasElement) {}

  clear(): void {
    this.peaks = new Float32Array(0);
    this.words = [];
    this.end = 0;
    this.seconds = LIVE_SECONDS;
  }

  /** Add a hop of live audio that ends at a time in seconds. */
  push(peaks: Float32Array, end: number, hopSeconds: number): void {
    this.peaksPerSecond = peaks.length / 2 / hopSeconds;
    const most = 2 * Math.ceil((LIVE_SECONDS + 1) * this.peaksPerSecond);
    const all = new Float32Array(Math.min(most, this.peaks.length + peaks.length));
    const old = all.length - peaks.length;
    all.set(this.peaks.subarray(this.peaks.length - old));
    all.set(peaks, old);
    this.peaks = all;
    this.end = end;
    this.words = this.words.filter((word) => word.time > end - LIVE_SECONDS - 1);
  }

  addWord(word: Detection): void {
    this.words.push(word);
  }

  /** Show a whole recording. */
  show({ peaks, detections, seconds }: RecordingResult, hopSeconds: number): void {
    this.peaks = peaks;
    this.words = [...detections];
    this.peaksPerSecond = peaks.length / 2 / (Math.ceil(seconds / hopSeconds) * hopSeconds);
    this.end = peaks.length / 2 / this.peaksPerSecond;
    this.seconds = seconds;
  }

  /** @param right the time at the right edge in seconds. Default: the end of the sound. */
  draw(right = this.seconds === LIVE_SECONDS ? this.end : this.seconds): void {
    const { context, width, height } = clearedSurface(this.canvas);
    const scale = width / this.seconds;
    const middle = (height + WORDS_HEIGHT) / 2;
    context.fillStyle = colour("--wave");
    this.drawWave(context, width, middle, (height - WORDS_HEIGHT) / 2, right);
    let rows: [number, number] = [-Infinity, -Infinity]; // where the last word of each row ends
    for (const word of this.words) {
      const x = width - (right - word.time) * scale;
      if (x < 0) continue;
      rows = drawWord(context, word, x, width, height, rows);
    }
  }

  private drawWave(
    context: CanvasRenderingContext2D,
    width: number,
    middle: number,
    half: number,
    right: number,
  ): void {
    const count = this.peaks.length / 2;
    const perPixel = (this.seconds / width) * this.peaksPerSecond;
    const first = count - (this.end - right + this.seconds) * this.peaksPerSecond; // at x = 0
    for (let x = 0; x < width; x++) {
      const from = Math.floor(first + x * perPixel);
      const to = Math.max(from + 1, Math.floor(first + (x + 1) * perPixel));
      let [least, greatest] = [0, 0];
      for (let index = Math.max(0, from); index < Math.min(count, to); index++) {
        least = Math.min(least, this.peaks[2 * index]!);
        greatest = Math.max(greatest, this.peaks[2 * index + 1]!);
      }
      // Quiet sound is visible, too.
      const [below, above] = [Math.sqrt(-least) * half, Math.sqrt(greatest) * half];
      context.fillRect(x, middle - above, 1, Math.max(1, above + below));
    }
  }
}

function drawWord(
  context: CanvasRenderingContext2D,
  { label, time }: Detection,
  x: number,
  width: number,
  height: number,
  rows: [number, number],
): [number, number] {
  const seconds = `${time.toFixed(1)} s`;
  context.font = `600 15px ${FONT}`;
  const labelWidth = context.measureText(label).width;
  context.font = `12px ${FONT}`;
  const timeWidth = context.measureText(seconds).width;
  const total = labelWidth + 5 + timeWidth;
  const left = Math.max(0, Math.min(width - total, x - total / 2));
  const row = rows.findIndex((end) => left >= end); // -1: no place, the list has the word
  context.fillStyle = colour("--accent");
  context.fillRect(x - 1, WORDS_HEIGHT, 2, height - WORDS_HEIGHT);
  if (row < 0) return rows;
  const baseline = row === 0 ? 34 : 15; // the lower row is filled first
  context.font = `600 15px ${FONT}`;
  context.fillText(label, left, baseline);
  context.font = `12px ${FONT}`;
  context.fillStyle = colour("--quiet");
  context.fillText(seconds, left + labelWidth + 5, baseline);
  return row === 0 ? [left + total + 10, rows[1]] : [rows[0], left + total + 10];
}
