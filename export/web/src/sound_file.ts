/** Encoded sound: WAV files, read exactly, and whatever else the browser decodes. */

import { ListenerError, show } from "./errors";

export interface Sound {
  /** Channels averaged, in [-1, 1]. */
  samples: Float32Array;
  sampleRate: number;
}

const LEAST_RATE = 4_000;
const GREATEST_RATE = 192_000;
const DECODED_RATE = 48_000; // of formats that the browser decodes
const MAX_MINUTES = 10; // a stereo file takes 350 MB while the browser decodes it
const MAX_ENCODED_BYTES = 50e6; // a sound's length is known only when it has been decoded
const FOR_LONG_SOUNDS = "For long recordings, use `speechgru detect`.";

/**
 * Check a sound.
 *
 * @param name its name in messages.
 * @throws ListenerError: empty, too long, not at 4 to 192 kHz, or not numbers.
 */
export function checkSound({ samples, sampleRate }: Sound, name: string): void {
  if (!(samples instanceof Float32Array)) {
    throw new ListenerError("sound", `${name}: expected samples in a Float32Array.`);
  }
  checkLength(samples.length, sampleRate, name);
  if (!samples.every(Number.isFinite)) {
    throw new ListenerError("sound", `${name} has samples that are not numbers.`);
  }
}

function checkLength(samples: number, sampleRate: number, name: string): void {
  if (samples === 0) throw new ListenerError("sound", `${name} has no samples.`);
  if (!(sampleRate >= LEAST_RATE && sampleRate <= GREATEST_RATE)) {
    const found = `found ${show(sampleRate)} Hz`;
    throw new ListenerError("sound", `${name}: expected a rate of 4 to 192 kHz, ${found}.`);
  }
  const minutes = samples / sampleRate / 60;
  if (minutes > MAX_MINUTES) {
    const found = `${name} is ${Math.ceil(minutes)} minutes long`;
    const expected = `expected at most ${MAX_MINUTES}`;
    throw new ListenerError("sound", `${found}: ${expected}. ${FOR_LONG_SOUNDS}`);
  }
}

/**
 * Let the browser decode a sound.
 *
 * @param name its name in messages.
 * @throws ListenerError: not a sound that this browser reads, or too large.
 */
export async function decodeInBrowser(file: Blob, name: string): Promise<Sound> {
  if (file.size > MAX_ENCODED_BYTES) {
    const found = `${name} has ${Math.ceil(file.size / 1e6)} MB`;
    const expected = `expected at most ${MAX_ENCODED_BYTES / 1e6}, or a WAV file`;
    throw new ListenerError("sound", `${found}: ${expected}. ${FOR_LONG_SOUNDS}`);
  }
  try {
    const context = new OfflineAudioContext(1, 1, DECODED_RATE);
    const decoded = await context.decodeAudioData(await file.arrayBuffer());
    const channels = Array.from({ length: decoded.numberOfChannels }, (_, index) =>
      decoded.getChannelData(index),
    );
    return { samples: average(channels), sampleRate: decoded.sampleRate };
  } catch {
    const expected = "expected a sound (such as WAV, MP3, FLAC) or a .tflite model of this project";
    throw new ListenerError("sound", `${name} cannot be read: ${expected}.`);
  }
}

function average(channels: Float32Array[]): Float32Array {
  if (channels.length === 1) return channels[0]!;
  return channels[0]!.map(
    (_, frame) => channels.reduce((sum, one) => sum + one[frame]!, 0) / channels.length,
  );
}

// ---- WAV ----

const PCM = 1;
const FLOAT = 3;
const A_LAW = 6;
const MU_LAW = 7;
const EXTENSIBLE = 0xfffe;

/** A sample at an offset, in [-1, 1]. */
type ReadSample = (view: DataView, offset: number) => number;

const READERS: Readonly<Record<string, ReadSample>> = {
  [`${PCM}/8`]: (view, offset) => (view.getUint8(offset) - 128) / 0x80,
  [`${PCM}/16`]: (view, offset) => view.getInt16(offset, true) / 0x8000,
  [`${PCM}/24`]: (view, offset) =>
    ((view.getInt8(offset + 2) << 16) | view.getUint16(offset, true)) / 0x800000,
  [`${PCM}/32`]: (view, offset) => view.getInt32(offset, true) / 0x80000000,
  [`${FLOAT}/32`]: (view, offset) => view.getFloat32(offset, true),
  [`${FLOAT}/64`]: (view, offset) => view.getFloat64(offset, true),
  [`${A_LAW}/8`]: (view, offset) => fromALaw(view.getUint8(offset)) / 0x8000,
  [`${MU_LAW}/8`]: (view, offset) => fromMuLaw(view.getUint8(offset)) / 0x8000,
};

interface Format {
  read: ReadSample;
  channels: number;
  sampleRate: number;
  /** In a sample. */
  bytes: number;
}

/** Read a WAV file. Null: it is none, or of a kind that is left to the browser. */
export function readWav(content: ArrayBuffer, name: string): Sound | null {
  const view = new DataView(content);
  const tag = (offset: number): string =>
    new TextDecoder("latin1").decode(content.slice(offset, offset + 4));
  if (content.byteLength < 12 || tag(0) !== "RIFF" || tag(8) !== "WAVE") return null;
  let format: Format | null = null;
  for (let at = 12; at + 8 <= content.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    if (tag(at) === "fmt " && at + 8 + Math.max(16, size) <= content.byteLength) {
      const stated = view.getUint16(at + 8, true);
      const kind = stated === EXTENSIBLE && size >= 26 ? view.getUint16(at + 32, true) : stated;
      const bits = view.getUint16(at + 22, true);
      const read = READERS[`${kind}/${bits}`];
      if (read === undefined) return null;
      const channels = view.getUint16(at + 10, true);
      if (channels === 0) break;
      format = { read, channels, sampleRate: view.getUint32(at + 12, true), bytes: bits / 8 };
    }
    if (tag(at) === "data" && format !== null) {
      const { read, channels, sampleRate, bytes } = format;
      const rest = content.byteLength - at - 8;
      const length = size === 0 ? rest : Math.min(size, rest); // 0: the header was never finished
      const frames = Math.floor(length / (bytes * channels));
      checkLength(frames, sampleRate, name); // before the memory is taken
      const samples = new Float32Array(frames);
      for (let frame = 0, offset = at + 8; frame < frames; frame++) {
        let sum = 0;
        for (let channel = 0; channel < channels; channel++, offset += bytes) {
          sum += read(view, offset);
        }
        samples[frame] = sum / channels;
      }
      return { samples, sampleRate };
    }
    at += 8 + size + (size % 2);
  }
  const found = format === null ? "no format" : "no samples";
  throw new ListenerError("sound", `${name}: expected a whole WAV file, found ${found}.`);
}

// ITU-T G.711, as 16-bit samples.

function fromALaw(code: number): number {
  const bits = code ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 15) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

function fromMuLaw(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 15) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return bits & 0x80 ? -magnitude : magnitude;
}
