/** The model file: a TFLite flatbuffer with its labels and settings in a ZIP appended to it. */

import { ListenerError, show } from "./errors";

export const SAMPLE_RATE = 16_000;
/** Labels that are never detected. */
export const NOT_COMMANDS: readonly string[] = ["unknown", "silence"];

/** Constants of the rule from scores to detections. Hops are the model's, such as 40 ms. */
export interface DetectionRule {
  thresholds: Readonly<Record<string, number>>;
  smoothing_hops: number;
  context_hops: number;
  context_weight: number;
  max_context: number;
  wait_hops: number;
  refractory_hops: number;
  word_end_hops: number;
}

export interface ModelFile {
  /** What LiteRT loads. */
  flatbuffer: Uint8Array<ArrayBuffer>;
  /** Classes in the order of the scores. */
  labels: readonly string[];
  rule: DetectionRule;
  hopSamples: number;
  windowSamples: number;
}

const LATEST_FORMAT = 2; // version 1 has no `detection`
const MAX_HOPS = 10_000;
const MAX_WEIGHT = 1e6;
const MAX_SAMPLES = 10_000_000;
const MAX_MEMBER_BYTES = 1 << 20;

/**
 * Read and check a model file.
 *
 * @param content the file.
 * @param name its name in messages.
 * @throws ListenerError: not a model of this project, damaged, or of another format version.
 */
export async function readModelFile(content: ArrayBuffer, name: string): Promise<ModelFile> {
  try {
    const { members, start } = readZip(new Uint8Array(content));
    const labels = parseLabels(text(members, "labels.txt"));
    const settings = parseSettings(text(members, "speechgru.json"));
    const flatbuffer = new Uint8Array(content, 0, start);
    await checkHash(flatbuffer, settings.flatbuffer_sha256);
    return {
      flatbuffer,
      labels,
      rule: readRule(settings, labels),
      hopSamples: integer(settings, "hop_samples", 1, MAX_SAMPLES),
      windowSamples: integer(settings, "window_samples", 1, MAX_SAMPLES),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ListenerError("model", `${name} is not a usable speechgru model: ${reason}.`);
  }
}

/** Whether a file begins as TFLite models do. */
export function looksLikeModel(content: ArrayBuffer): boolean {
  return new TextDecoder("latin1").decode(content.slice(4, 8)) === "TFL3";
}

// ---- ZIP; the offsets are those of its end record, directory entries and local headers ----

const END_BYTES = 22;
const ENTRY_BYTES = 46;
const HEADER_BYTES = 30;

interface Archive {
  members: ReadonlyMap<string, Uint8Array>;
  /** Where the first member begins: the length of what is before the archive. */
  start: number;
}

function readZip(content: Uint8Array<ArrayBuffer>): Archive {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const end = findEnd(view, content);
  const members = new Map<string, Uint8Array>();
  let entry = view.getUint32(end + 16, true);
  let start = end;
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (entry + ENTRY_BYTES > end || view.getUint32(entry, true) !== 0x02014b50) {
      throw new Error("its ZIP archive is damaged");
    }
    const lengths = [28, 30, 32].map((offset) => view.getUint16(entry + offset, true));
    const nameBytes = content.subarray(entry + ENTRY_BYTES, entry + ENTRY_BYTES + lengths[0]!);
    const header = view.getUint32(entry + 42, true);
    members.set(new TextDecoder().decode(nameBytes), readMember(view, content, entry, header));
    start = Math.min(start, header);
    entry += ENTRY_BYTES + lengths.reduce((sum, length) => sum + length);
  }
  return { members, start };
}

function findEnd(view: DataView, content: Uint8Array): number {
  const earliest = Math.max(0, content.length - END_BYTES - 0xffff); // a comment may follow
  for (let end = content.length - END_BYTES; end >= earliest; end--) {
    if (view.getUint32(end, true) === 0x06054b50) return end;
  }
  throw new Error(
    looksLikeModel(content.buffer as ArrayBuffer)
      ? "it has no labels at its end; the file is cut off, or another program made it"
      : "expected a .tflite file that this project made, found another file",
  );
}

function readMember(
  view: DataView,
  content: Uint8Array,
  entry: number,
  header: number,
): Uint8Array {
  const size = view.getUint32(entry + 24, true);
  if (size > MAX_MEMBER_BYTES) throw new Error(`a member of its ZIP archive has ${size} bytes`);
  if (view.getUint16(entry + 10, true) !== 0) throw new Error("its ZIP archive is compressed");
  if (header + HEADER_BYTES > content.length) throw new Error("its ZIP archive is damaged");
  const names = view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  const start = header + HEADER_BYTES + names;
  const member = content.subarray(start, start + size);
  if (member.length < size || crc32(member) !== view.getUint32(entry + 16, true)) {
    throw new Error("its ZIP archive is damaged");
  }
  return member;
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function text(members: Archive["members"], name: string): string {
  const member = members.get(name);
  if (member === undefined) throw new Error(`expected ${name} in it, found none`);
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(member);
}

// ---- Labels and settings ----

type Values = Record<string, unknown>;

function parseLabels(content: string): string[] {
  const labels = content.split("\n").slice(0, -1);
  const different = new Set(labels).size === labels.length && labels.length >= 2;
  if (!different || labels.some((label) => label.trim() === "")) {
    throw new Error(`expected different labels, found ${show(labels)}`);
  }
  return labels;
}

function parseSettings(content: string): Values {
  const settings = object(JSON.parse(content), "settings");
  integer(settings, "format_version", 1, LATEST_FORMAT);
  const rate = integer(object(settings.front_end, "front_end"), "sample_rate", 1, MAX_SAMPLES);
  if (rate !== SAMPLE_RATE) throw new Error(`expected a sample rate of 16000 Hz, found ${rate}`);
  return settings;
}

function readRule(settings: Values, labels: readonly string[]): DetectionRule {
  const commands = labels.filter((label) => !NOT_COMMANDS.includes(label));
  const isFirstFormat = settings.format_version === 1 && settings.detection === undefined;
  const stated = isFirstFormat
    ? defaultRule(settings.threshold, commands)
    : object(settings.detection, "detection");
  const thresholds = object(stated.thresholds, "thresholds");
  const found = Object.keys(thresholds);
  if (found.length !== commands.length || !commands.every((label) => found.includes(label))) {
    throw new Error(`expected thresholds of ${show(commands)}, found ${show(found)}`);
  }
  for (const label of commands) {
    fraction(thresholds, label);
  }
  return {
    thresholds: thresholds as Record<string, number>,
    smoothing_hops: integer(stated, "smoothing_hops", 1, MAX_HOPS),
    context_hops: integer(stated, "context_hops", 1, MAX_HOPS),
    context_weight: number(stated, "context_weight", 0, MAX_WEIGHT),
    max_context: fraction(stated, "max_context"),
    wait_hops: integer(stated, "wait_hops", 0, MAX_HOPS),
    refractory_hops: integer(stated, "refractory_hops", 0, MAX_HOPS),
    word_end_hops: integer(stated, "word_end_hops", 0, MAX_HOPS),
  };
}

/** The constants of a file of format version 1. */
function defaultRule(threshold: unknown, commands: readonly string[]): Values {
  const each = typeof threshold === "number" && threshold > 0 && threshold <= 1 ? threshold : 0.5;
  return {
    thresholds: Object.fromEntries(commands.map((label) => [label, each])),
    smoothing_hops: 12,
    context_hops: 40,
    context_weight: 50,
    max_context: 1,
    wait_hops: 2,
    refractory_hops: 24,
    word_end_hops: 4,
  };
}

function object(value: unknown, name: string): Values {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`expected an object ${name}, found ${show(value)}`);
  }
  return value as Values;
}

function number(values: Values, name: string, least: number, most: number): number {
  const value = values[name];
  if (typeof value !== "number" || !(value >= least && value <= most)) {
    throw new Error(`expected ${name} from ${least} to ${most}, found ${show(value)}`);
  }
  return value;
}

function fraction(values: Values, name: string): number {
  const value = number(values, name, 0, 1);
  if (value === 0) throw new Error(`expected ${name} above 0, found 0`);
  return value;
}

function integer(values: Values, name: string, least: number, most: number): number {
  const value = number(values, name, least, most);
  if (!Number.isInteger(value)) throw new Error(`expected an integer ${name}, found ${value}`);
  return value;
}

async function checkHash(flatbuffer: Uint8Array<ArrayBuffer>, expected: unknown): Promise<void> {
  if (globalThis.crypto?.subtle === undefined) return; // pages without https have none
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", flatbuffer));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== expected) throw new Error("its network is damaged, or not the one it describes");
}
