import { describe, expect, inject, test } from "vitest";

import { Resampler } from "../../src/resampler";
import { readValues } from "../repository";

const RATES = [8000, 11025, 22050, 44100, 47999, 48000, 96000];

function resample(signal: Float32Array, rate: number, block = signal.length): Float32Array {
  const resampler = new Resampler(rate);
  const parts = [];
  for (let start = 0; start < signal.length; start += block) {
    parts.push(resampler.push(signal.subarray(start, start + block)));
  }
  return Float32Array.from([...parts, resampler.finish()].flatMap((part) => [...part]));
}

function sine(frequency: number, rate: number, seconds = 0.5): Float32Array {
  return Float32Array.from(
    { length: rate * seconds },
    (_, index) => 0.9 * Math.sin((2 * Math.PI * frequency * index) / rate),
  );
}

/** The greatest value in the middle, where the ends of the signal do not matter. */
function peak(signal: Float32Array): number {
  return Math.max(...signal.slice(2000, 6000).map(Math.abs));
}

test.each(RATES)("a sine in the pass band is the same at %i Hz", (rate) => {
  for (const share of [0.01, 0.5, 0.9]) {
    const frequency = (share * Math.min(rate, 16000)) / 2;
    const found = resample(sine(frequency, rate), rate);
    const expected = sine(frequency, 16000);
    expect(Math.abs(found.length - expected.length)).toBeLessThanOrEqual(1);
    const difference = expected.map((value, index) => value - (found[index] ?? 0));
    expect(peak(difference)).toBeLessThan(3e-6); // 110 dB below the sine
  }
});

test.each(RATES.filter((rate) => rate > 16000))("no alias is above -100 dB at %i Hz", (rate) => {
  for (const frequency of [8000, 8100, 9000, 10900]) {
    expect(peak(resample(sine(frequency, rate), rate))).toBeLessThan(1e-5);
  }
});

test.each(RATES.filter((rate) => rate < 16000))("no image is above -100 dB at %i Hz", (rate) => {
  const found = resample(sine(rate / 3, rate), rate);
  const image = rate - rate / 3; // its mirror above the Nyquist frequency
  let [real, imaginary] = [0, 0];
  const window = found.slice(1000, 7000);
  window.forEach((value, index) => {
    const taper = Math.sin((Math.PI * index) / window.length) ** 4; // of neighbouring frequencies
    real += taper * value * Math.cos((2 * Math.PI * image * index) / 16000);
    imaginary += taper * value * Math.sin((2 * Math.PI * image * index) / 16000);
  });
  expect((2 * Math.hypot(real, imaginary)) / window.length).toBeLessThan(1e-5);
});

test.each([16000, ...RATES])("the output does not depend on the blocks at %i Hz", (rate) => {
  const signal = sine(440, rate, 0.2);
  const expected = resample(signal, rate);
  for (const block of [1, 128, 1001]) expect(resample(signal, rate, block)).toEqual(expected);
});

test("16 kHz passes unchanged, and is clipped to [-1, 1]", () => {
  expect([...resample(Float32Array.of(0.25, -3, 2), 16000)]).toEqual([0.25, -1, 1]);
});

test("a signal of no or few samples has the length that its rate says", () => {
  expect(resample(new Float32Array(0), 48000)).toHaveLength(0);
  expect(resample(new Float32Array(2), 8000)).toHaveLength(4);
  expect(resample(new Float32Array(3), 192000)).toHaveLength(0);
});

describe.skipIf(inject("values") === null)("soxr, which Python uses,", () => {
  const values = inject("values") === null ? null : readValues(inject("values"));

  test("gives the same for sweeps", () => {
    for (const { rate, signal, expected } of values!.resampling) {
      const found = resample(Float32Array.from(signal), rate);
      expect(found.length, `${rate} Hz`).toBe(expected.length);
      const differences = expected.map((value, index) => Math.abs(value - found[index]!));
      // soxr interpolates its filter where the ratio of the rates is not a simple one.
      const isSimple = (rate * 6) % 16000 === 0;
      expect(Math.max(...differences), `${rate} Hz`).toBeLessThan(isSimple ? 1e-4 : 5e-4);
    }
  });
});
