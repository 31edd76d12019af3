/** Resamples a signal to 16 kHz, block by block. */

import { SAMPLE_RATE } from "./model_file";

// A sinc under a Kaiser window. Frequencies up to 0.914 of the lower of both Nyquist frequencies
// pass unchanged; what is above that is 126 dB weaker (16-bit sound has 98 dB). The figures are
// those of soxr's "HQ", which Python uses: they follow from its impulse response.
const CUTOFF = 0.95687; // of the lower Nyquist frequency
const DURATION = 194; // samples at the lower rate
const BETA = 13.04;
const MAX_PHASES = 640; // all rates of sound cards and of common files need at most these

/**
 * A polyphase filter. The output does not depend on how the signal is divided into blocks, and is
 * not delayed: its sample n is the signal at n / 16,000 s. It is clipped to [-1, 1].
 */
export class Resampler {
  private readonly step: number; // input samples from one output sample to the next, as a fraction
  private readonly divisor: number;
  private readonly half: number; // taps before an output sample, and after it
  private readonly filter: Filter | null; // null: nothing to resample
  private history: Float32Array; // input from index `start` on
  private start: number;
  private pushed = 0;
  private written = 0;
  private whole = 0; // position of the next output sample in the input: whole + part / divisor
  private part = 0;

  /** @param rate sampling rate of the signal in Hz, an integer. */
  constructor(private readonly rate: number) {
    const common = greatestCommonDivisor(rate, SAMPLE_RATE);
    this.step = rate / common;
    this.divisor = SAMPLE_RATE / common;
    this.filter = rate === SAMPLE_RATE ? null : designFilter(rate, this.divisor);
    this.half = this.filter?.half ?? 0;
    this.history = new Float32Array(this.half);
    this.start = -this.half;
  }

  /** Resample one more block; it gives as many samples as are complete. */
  push(block: Float32Array): Float32Array {
    if (this.filter === null) return block.map(clip);
    this.pushed += block.length;
    return this.extend(this.filter, block, Infinity);
  }

  /** The samples that are left at the end of the signal. Nothing may be pushed after it. */
  finish(): Float32Array {
    if (this.filter === null) return new Float32Array(0);
    const total = Math.round((this.pushed * SAMPLE_RATE) / this.rate);
    return this.extend(this.filter, new Float32Array(this.half + 1), total - this.written);
  }

  private extend(filter: Filter, block: Float32Array, most: number): Float32Array {
    const input = new Float32Array(this.history.length + block.length);
    input.set(this.history);
    input.set(block, this.history.length);
    const available = this.start + input.length - this.half - 2 - this.whole; // input samples
    const output: number[] = [];
    for (let left = available; left >= 0 && output.length < most; ) {
      const before = this.whole;
      output.push(clip(this.sampleAt(filter, input)));
      this.part += this.step;
      this.whole += Math.floor(this.part / this.divisor);
      this.part %= this.divisor;
      left -= this.whole - before;
    }
    this.written += output.length;
    const unused = Math.min(input.length, Math.max(0, this.whole - this.half - this.start));
    this.history = input.slice(unused);
    this.start += unused;
    return Float32Array.from(output);
  }

  private sampleAt(filter: Filter, input: Float32Array): number {
    const row = (this.part * filter.phases) / this.divisor;
    const first = Math.floor(row) * filter.length;
    const fraction = row % 1; // 0 where there is a row for each phase
    const offset = this.whole - this.half - this.start;
    const { taps, length } = filter;
    let sum = 0;
    if (fraction === 0) {
      for (let k = 0; k < length; k++) sum += input[offset + k]! * taps[first + k]!;
      return sum;
    }
    for (let k = 0; k < length; k++) {
      const here = taps[first + k]!;
      sum += input[offset + k]! * (here + fraction * (taps[first + length + k]! - here));
    }
    return sum;
  }
}

interface Filter {
  /** One row of taps for each phase, and one more. */
  taps: Float32Array;
  phases: number;
  half: number;
  /** Taps in a row: 2 * half + 2. */
  length: number;
}

function designFilter(rate: number, divisor: number): Filter {
  const lower = Math.min(rate, SAMPLE_RATE) / rate; // Nyquist frequencies, that of the input is 1
  const duration = DURATION / lower; // in input samples
  const cutoff = CUTOFF * lower;
  const half = Math.ceil(duration / 2);
  const length = 2 * half + 2;
  const phases = divisor <= MAX_PHASES ? divisor : MAX_PHASES;
  const taps = new Float32Array((phases + 1) * length);
  for (let phase = 0; phase <= phases; phase++) {
    for (let k = 0; k < length; k++) {
      const time = k - half - phase / phases;
      const inside = 1 - ((2 * time) / duration) ** 2;
      if (inside < 0) continue;
      const window = bessel(BETA * Math.sqrt(inside)) / bessel(BETA);
      taps[phase * length + k] = cutoff * sinc(cutoff * time) * window;
    }
  }
  return { taps, phases, half, length };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The modified Bessel function of order 0. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function clip(sample: number): number {
  return Math.max(-1, Math.min(1, sample));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
