/** The rule that turns the scores of a stream into detections; docs/deploy.md explains it. */

import { type DetectionRule } from "./model_file";

/** A command in a stream. */
export interface Detection {
  label: string;
  /** Seconds from the start of the stream to the end of the word. */
  time: number;
  /** In [0, 1]. */
  confidence: number;
}

interface Candidate {
  confidence: number;
  label: number;
  /** The hop at which the word has ended. */
  end: number;
  /** Mean of its recent scores, where its confidence was greatest. */
  smoothed: number;
  /** Mean of the last scores of "unknown" there. */
  context: number;
}

const RISEN = 0.5; // score that a command passes while its last sounds are spoken

/** Applies a rule to the scores of one stream. */
export class Detector {
  private readonly thresholds: readonly (readonly [label: number, threshold: number])[];
  private readonly unknown: number;
  private recent: number[][] = []; // the last scores, the oldest first
  private recentUnknown: number[] = [];
  private hop = 0; // number of hops so far
  private candidate: Candidate | null = null;
  private decidedAt = 0; // the hop at which the candidate will be decided on
  private unknownAfter = 0; // sum of the scores of "unknown" after the candidate
  private quietUntil = 0; // the last hop without candidates
  private lastEnd = 0; // of the last detected word; times never go back

  /**
   * @param labels all labels in the order of the scores.
   * @param rule the constants.
   * @param hopSeconds length of a hop.
   */
  constructor(
    private readonly labels: readonly string[],
    private readonly rule: DetectionRule,
    private readonly hopSeconds: number,
  ) {
    this.thresholds = labels.flatMap((label, index) => {
      const threshold = Object.hasOwn(rule.thresholds, label) ? rule.thresholds[label]! : null;
      return threshold === null ? [] : [[index, threshold] as const];
    });
    this.unknown = labels.indexOf("unknown");
  }

  /** Add the scores after one more hop: the probability of every label. */
  push(scores: ArrayLike<number>): Detection | null {
    const { smoothing_hops, context_hops } = this.rule;
    const unknown = this.unknown < 0 ? 0 : scores[this.unknown]!;
    this.recent = [...this.recent, Array.from(scores)].slice(-smoothing_hops);
    this.recentUnknown = [...this.recentUnknown, unknown].slice(-context_hops);
    this.hop++;
    if (this.candidate !== null) this.unknownAfter += unknown;
    if (this.hop > this.quietUntil) this.consider();
    return this.candidate !== null && this.hop >= this.decidedAt ? this.flush() : null;
  }

  /** The detection that is awaited, if any: at the end of a recording nothing follows. */
  flush(): Detection | null {
    const candidate = this.candidate;
    this.candidate = null;
    if (candidate === null) return null;
    const label = this.labels[candidate.label]!;
    const context = candidate.context + this.unknownAfter / this.rule.context_hops;
    const confidence = this.confidence(candidate.smoothed, context);
    if (confidence < this.rule.thresholds[label]! || context > this.rule.max_context) return null;
    this.quietUntil = this.hop + this.rule.refractory_hops;
    this.lastEnd = Math.max(this.lastEnd, Math.min(candidate.end, this.hop));
    const time = Math.round(this.lastEnd * this.hopSeconds * 1e6) / 1e6;
    return { label, time, confidence: Math.min(confidence, 1) };
  }

  /** Make the command with the greatest confidence the candidate, if it may be. */
  private consider(): void {
    const context = sum(this.recentUnknown) / this.rule.context_hops;
    for (const [label, threshold] of this.thresholds) {
      const scores = this.recent.map((hop) => hop[label]!);
      const smoothed = sum(scores) / this.rule.smoothing_hops;
      const confidence = this.confidence(smoothed, context);
      const before = this.candidate;
      if (confidence < threshold || (before && confidence <= before.confidence)) continue;
      if (before === null) this.decidedAt = this.hop + this.rule.wait_hops;
      const end =
        before?.label === label
          ? before.end
          : this.hop - hopsSinceRise(scores) + this.rule.word_end_hops;
      this.candidate = { confidence, label, end, smoothed, context };
      this.unknownAfter = 0;
    }
  }

  private confidence(smoothed: number, context: number): number {
    const weight = 1 + this.rule.context_weight * context;
    return smoothed > 0 ? smoothed / (smoothed + (1 - smoothed) * weight) : 0;
  }
}

/** Hops from the first of some scores that is 0.5 or more to the last one; 0 if none is. */
function hopsSinceRise(scores: readonly number[]): number {
  const first = scores.findIndex((score) => score >= RISEN);
  return first < 0 ? 0 : scores.length - 1 - first;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
