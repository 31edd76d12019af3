/** Debian's Chromium with a microphone that plays a file. */

import { existsSync } from "node:fs";

import { type Browser, chromium } from "playwright-core";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const HAS_CHROMIUM = existsSync(CHROMIUM);

/** @param sound a WAV file, 16-bit, that the microphone plays once. Null: no microphone. */
export function launch(sound: string | null): Promise<Browser> {
  const microphone =
    sound === null
      ? []
      : ["--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${sound}`];
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", ...microphone],
  });
}
