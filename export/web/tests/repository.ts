/** Files of the repository, and what Python computes from them. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { type Detection } from "../src/detector";
import { type DetectionRule } from "../src/model_file";

export const ROOT = resolve(import.meta.dirname, "../../..");
export const SAMPLES = join(ROOT, "samples");
export const SAMPLE_NAMES = readdirSync(SAMPLES).filter((name) => name.endsWith(".wav"));
export const MODEL = join(ROOT, "speechgru/pretrained/medium.tflite");
export const SMALL_MODEL = join(ROOT, "speechgru/pretrained/small.tflite");

/** What python_values.py writes. */
export interface PythonValues {
  bundled: Recordings;
  float: Recordings | null;
  golden: {
    labels: string[];
    samples: string; // 16-bit, little-endian, in base64
    hop_seconds: number;
    rule: DetectionRule;
    detections: Detection[];
  };
  rule: { labels: string[]; rule: DetectionRule; scores: number[][]; detections: Detection[] }[];
  ogg: string; // Ogg Vorbis in base64, in which "left" is said
  resampling: { rate: number; signal: number[]; expected: number[] }[];
}

/** By the names of the samples. */
export type Recordings = Record<string, { detections: Detection[]; scores: number[] }>;

export function readValues(path: string | null): PythonValues {
  return JSON.parse(readFileSync(path!, "utf8")) as PythonValues;
}

/** The content of a file, in a buffer of its own. */
export function readBuffer(path: string): ArrayBuffer {
  return new Uint8Array(readFileSync(path)).buffer;
}

/** Write a WAV file: 16-bit, mono. */
export function writeWav(path: string, samples: Float32Array, sampleRate: number): string {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + 2 * samples.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(2 * sampleRate, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(2 * samples.length, 40);
  const content = Buffer.alloc(2 * samples.length);
  samples.forEach((sample, index) => {
    content.writeInt16LE(Math.max(-32768, Math.min(32767, Math.round(32768 * sample))), 2 * index);
  });
  writeFileSync(path, Buffer.concat([header, content]));
  return path;
}
