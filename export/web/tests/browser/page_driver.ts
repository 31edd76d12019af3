/** What the tests do with the page. */

import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { type BrowserContext, type Page } from "playwright-core";

import { readWav } from "../../src/sound_file";
import { type RecordingResult } from "../../src/recognizer";
import { readBuffer, SAMPLES, writeWav } from "../repository";

/** Words that the microphone hears, said by themselves. */
export const SPOKEN = ["left", "off", "right"];
const RECORDINGS = [
  "left-espeak-female-16k-float64",
  "off-espeak-male-16k-float64",
  "right-festival-kal-16k-pcm16",
];
const PAUSE_SECONDS = 1.2;

/** Write what the microphone plays, again and again: words with pauses, over faint noise. */
export async function writeSpokenWords(): Promise<string> {
  const pause = Array.from({ length: 16000 * PAUSE_SECONDS }, () => 0);
  const samples = [...pause];
  for (const name of RECORDINGS) {
    const word = readWav(readBuffer(join(SAMPLES, `${name}.wav`)), name)!;
    samples.push(...word.samples, ...pause);
  }
  let random = 1;
  const noisy = Float32Array.from(samples, (sample) => {
    random = (random * 48271) % 0x7fffffff;
    return sample + 1e-3 * (random / 0x40000000 - 1);
  });
  return writeWav(join(tmpdir(), `speechgru-spoken-${process.pid}.wav`), noisy, 16000);
}

/** Write a recording of one word, said again and again. */
export async function writeManyWords(path: string, count: number): Promise<string> {
  const word = readWav(readBuffer(join(SAMPLES, `${RECORDINGS[0]!}.wav`)), path)!;
  const length = word.samples.length + 16000 * PAUSE_SECONDS;
  const samples = new Float32Array(count * length);
  for (let index = 0; index < count; index++) samples.set(word.samples, index * length);
  return writeWav(path, samples, word.sampleRate);
}

/** Open the page and wait until it can be used. */
export async function open(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await ready(page);
  return page;
}

export async function ready(page: Page): Promise<void> {
  await page.waitForSelector("html[data-state=ready]", { timeout: 20_000 });
}

export async function worksOffline(page: Page): Promise<void> {
  await page.waitForFunction(() => document.getElementById("offline")!.textContent !== "");
}

/** Drop a file on the page, as a mouse does. */
export async function drop(page: Page, name: string, content: Buffer): Promise<void> {
  await page.evaluate(
    ([name, encoded]) => {
      const bytes = Uint8Array.from(atob(encoded!), (character) => character.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], name!));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
    },
    [name, content.toString("base64")],
  );
}

/** Drop a recording and return what the page found in it. */
export async function dropRecording(
  page: Page,
  path: string,
): Promise<Pick<RecordingResult, "detections"> & { scores: number[] }> {
  const result = page.evaluate(
    () =>
      new Promise<{ detections: RecordingResult["detections"]; scores: number[] }>((resolve) => {
        const take = (event: Event): void => {
          const { detections, scores } = (event as CustomEvent<RecordingResult>).detail;
          resolve({ detections, scores: [...scores] });
        };
        document.addEventListener("recording", take, { once: true });
      }),
  );
  await drop(page, basename(path), readFileSync(path));
  return result;
}

/** The message that the page shows, once it shows one. */
export async function message(page: Page): Promise<string> {
  await page.waitForSelector("#message:not(:empty)", { timeout: 10_000 });
  return (await page.textContent("#message"))!;
}

/** Whether words are the spoken ones in their order, from any of them on. */
export function areSpoken(words: string[]): boolean {
  const first = SPOKEN.indexOf(words[0]!);
  return first >= 0 && words.every((word, at) => word === SPOKEN[(first + at) % SPOKEN.length]);
}

/** The words that screen readers are told, once there are as many. */
export async function announced(page: Page, count: number, timeout: number): Promise<string[]> {
  const log = page.locator("#log p");
  await log.nth(count - 1).waitFor({ state: "attached", timeout });
  return log.allTextContents();
}
