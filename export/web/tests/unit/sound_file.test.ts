import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { checkSound, readWav, type Sound } from "../../src/sound_file";
import { readBuffer, SAMPLE_NAMES, SAMPLES } from "../repository";

/** A WAV file of one block of samples. */
function wav(kind: number, bits: number, data: Buffer, channels = 1, rate = 16000): ArrayBuffer {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(kind, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt16LE((channels * bits) / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write("data", 36);
  header.writeUInt32LE(data.length, 40);
  return new Uint8Array(Buffer.concat([header, data])).buffer;
}

function read(content: ArrayBuffer, name = "a.wav"): Sound {
  const sound = readWav(content, name)!;
  checkSound(sound, name);
  return sound;
}

function samplesOf(content: ArrayBuffer): number[] {
  return [...read(content).samples];
}

describe("samples are exact", () => {
  test.each([
    ["8-bit PCM", 1, 8, Buffer.of(0, 64, 128, 255), [-1, -0.5, 0, 127 / 128]],
    ["16-bit PCM", 1, 16, Buffer.of(0, 0x80, 0, 0x40), [-1, 0.5]],
    ["24-bit PCM", 1, 24, Buffer.of(0, 0, 0x80, 0, 0, 0x40), [-1, 0.5]],
    ["32-bit PCM", 1, 32, Buffer.of(0, 0, 0, 0x80, 0, 0, 0, 0x40), [-1, 0.5]],
    // Codes and values of ITU-T G.711, as 16-bit samples.
    ["A-law", 6, 8, Buffer.of(0xd5, 0x55, 0xaa, 0x2a), [8, -8, 32256, -32256].map(scaled)],
    ["mu-law", 7, 8, Buffer.of(0xff, 0x80, 0x00), [0, 32124, -32124].map(scaled)],
  ])("%s", (_, kind, bits, data, expected) => {
    expect(samplesOf(wav(kind, bits, data))).toEqual(expected);
  });

  test("32-bit and 64-bit float", () => {
    expect(samplesOf(wav(3, 32, Buffer.from(Float32Array.of(0.25, -1).buffer)))).toEqual([
      0.25, -1,
    ]);
    expect(samplesOf(wav(3, 64, Buffer.from(Float64Array.of(0.25, -1).buffer)))).toEqual([
      0.25, -1,
    ]);
  });

  test("channels are averaged", () => {
    const data = Buffer.from(Float32Array.of(0.5, 0, -1, -0.5).buffer);
    expect(samplesOf(wav(3, 32, data, 2))).toEqual([0.25, -0.75]);
  });
});

function scaled(value: number): number {
  return value / 32768;
}

test("every sample of the repository is read", () => {
  expect(SAMPLE_NAMES.length).toBeGreaterThan(40);
  for (const name of SAMPLE_NAMES) {
    const { samples, sampleRate } = read(readBuffer(join(SAMPLES, name)), name);
    const rate = /-(\d+)k(\d*)/.exec(name)!; // such as 22k05
    expect(sampleRate).toBe(1000 * Number(`${rate[1]}.${rate[2] || 0}`));
    expect(samples.length / sampleRate).toBeGreaterThan(0.3);
    expect(Math.max(...samples)).toBeGreaterThan(0.05);
    expect(Math.max(...samples)).toBeLessThanOrEqual(1);
  }
});

test("other chunks, and a header that was never finished, are read", () => {
  const plain = readFileSync(join(SAMPLES, "up-espeak-male-16k-pcm16.wav"));
  const expected = samplesOf(new Uint8Array(plain).buffer);
  const note = Buffer.from("note\x03\0\0\0abc\0", "latin1");
  const start = 12;
  const other = Buffer.concat([plain.subarray(0, start), note, plain.subarray(start)]);
  expect(samplesOf(new Uint8Array(other).buffer)).toEqual(expected);
  const at = plain.indexOf("data") + 4;
  const unfinished = Buffer.from(plain);
  unfinished.writeUInt32LE(0, at);
  expect(samplesOf(new Uint8Array(unfinished).buffer)).toEqual(expected);
});

test("a WAV file that is cut off before its samples is an error", () => {
  const plain = readBuffer(join(SAMPLES, "up-espeak-male-16k-pcm16.wav"));
  for (let length = 12; length <= 44; length++) {
    expect(() => read(plain.slice(0, length))).toThrow("a.wav");
  }
});

test("rates out of range and samples that are not numbers are errors", () => {
  const data = Buffer.alloc(4);
  expect(() => read(wav(1, 16, data, 1, 3999))).toThrow("4 to 192 kHz");
  expect(() => read(wav(1, 16, data, 1, 192001))).toThrow("4 to 192 kHz");
  const nan = Buffer.from(Float32Array.of(0, NaN).buffer);
  expect(() => read(wav(3, 32, nan))).toThrow("not numbers");
});

test("recordings above ten minutes are an error, before memory is taken for them", () => {
  const hour = wav(1, 8, Buffer.alloc(4000 * 3600), 1, 4000);
  expect(() => readWav(hour, "a.wav")).toThrow("a.wav is 60 minutes long: expected at most 10");
  const samples = new Float32Array(4000 * 3600);
  expect(() => checkSound({ samples, sampleRate: 4000 }, "It")).toThrow("use `speechgru detect`");
});
