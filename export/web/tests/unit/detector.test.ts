import { describe, expect, inject, test } from "vitest";

import { type Detection, Detector } from "../../src/detector";
import { type DetectionRule } from "../../src/model_file";
import { readValues } from "../repository";

const LABELS = ["yes", "unknown", "silence"];
const RULE: DetectionRule = {
  thresholds: { yes: 0.5 },
  smoothing_hops: 2,
  context_hops: 4,
  context_weight: 0,
  max_context: 1,
  wait_hops: 1,
  refractory_hops: 3,
  word_end_hops: 1,
};
const YES = [1, 0, 0];
const UNKNOWN = [0, 1, 0];
const SILENCE = [0, 0, 1];

function detect(rule: DetectionRule, scores: number[][], labels = LABELS): Detection[] {
  const detector = new Detector(labels, rule, 0.04);
  const found = scores.map((row) => detector.push(row));
  return [...found, detector.flush()].filter((one) => one !== null);
}

describe("a rule of few hops", () => {
  test("detects a word once, at its end, with its greatest confidence", () => {
    // The mean of two hops reaches 0.5 at hop 2 and 1 at hop 3; the word ends at hop 2 + 1.
    const found = detect(RULE, [SILENCE, YES, YES, SILENCE, SILENCE, SILENCE]);
    expect(found).toEqual([{ label: "yes", time: 0.12, confidence: 1 }]);
  });

  test("detects nothing in the refractory hops, and again after them", () => {
    const silence = Array.from({ length: 3 }, () => SILENCE);
    const two = [YES, YES, ...silence, YES, YES, ...silence];
    expect(detect(RULE, two)).toHaveLength(2);
    expect(detect({ ...RULE, refractory_hops: 9 }, two)).toHaveLength(1);
  });

  test("lowers the confidence for unknown speech before and after the word", () => {
    const weighted = { ...RULE, context_weight: 4 };
    expect(detect(weighted, [SILENCE, YES, SILENCE, SILENCE])).toHaveLength(1);
    expect(detect(weighted, [UNKNOWN, YES, SILENCE, SILENCE])).toHaveLength(0);
    expect(detect(weighted, [SILENCE, YES, UNKNOWN, SILENCE])).toHaveLength(0);
  });

  test("detects nothing where there is more unknown speech than max_context", () => {
    const strict = { ...RULE, max_context: 0.2 };
    expect(detect(strict, [UNKNOWN, YES, YES, SILENCE])).toHaveLength(0);
    expect(detect({ ...strict, max_context: 0.25 }, [UNKNOWN, YES, YES, SILENCE])).toHaveLength(1);
  });

  test("gives the awaited detection at the end of a recording", () => {
    expect(detect({ ...RULE, wait_hops: 10 }, [SILENCE, YES, YES])).toHaveLength(1);
  });

  test("works for models without the label unknown, and with labels such as toString", () => {
    const rule = { ...RULE, thresholds: { toString: 0.5 } };
    const found = detect(rule, [YES, YES, SILENCE], ["toString", "constructor", "silence"]);
    expect(found.map((one) => one.label)).toEqual(["toString"]);
  });
});

describe.skipIf(inject("values") === null)("Python's rule", () => {
  const values = inject("values") === null ? null : readValues(inject("values"));

  test("gives the same detections for random constants and scores", () => {
    expect(values!.rule.length).toBeGreaterThan(20);
    for (const { labels, rule, scores, detections } of values!.rule) {
      const found = detect(rule, scores, labels);
      expect(found.map((one) => [one.label, one.time])).toEqual(
        detections.map((one) => [one.label, one.time]),
      );
      found.forEach((one, index) => {
        expect(one.confidence).toBeCloseTo(detections[index]!.confidence, 9);
      });
    }
  });
});
