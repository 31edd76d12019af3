/** Audio in, scores and detections out: what Python's `Stream` does. */

import { type Detection, Detector } from "./detector";
import { type ModelFile, SAMPLE_RATE } from "./model_file";
import { type Network } from "./network";
import { Resampler } from "./resampler";
import { type Sound } from "./sound_file";

const TAIL_SECONDS = 0.6; // of silence after a recording
const PIECE_SAMPLES = 1 << 16; // a long recording is resampled in pieces
const PEAKS_PER_HOP = 8; // in the picture of the wave
const FEATURES_SECONDS = 60; // of longer recordings, no MFCC are computed

/** What is known after one more hop of audio. */
export interface Hop {
  /** Seconds from the start of the stream to the end of the hop. */
  time: number;
  /** Probability of every label, in the order of the labels. */
  scores: Float32Array;
  /** A command, found now. */
  detection: Detection | null;
  /** Root mean square of the samples. */
  level: number;
  /** Least and greatest sample of each eighth of the hop, in turns. */
  peaks: Float32Array;
  /** MFCC of the frames that end in the hop, one row after another; empty if not wanted. */
  mfcc: Float32Array;
  /** Frames in `mfcc`. */
  frames: number;
  /** Milliseconds that `stream` and the detection rule took. */
  milliseconds: number;
}

/** What is known about a recording. */
export interface RecordingResult {
  detections: Detection[];
  /** Length of the recording in seconds. */
  seconds: number;
  /** Scores of one hop after another, also of the silence that is added at the end. */
  scores: Float32Array;
  /** Least and greatest samples, as in `Hop`, of the recording. */
  peaks: Float32Array;
  /** MFCC of its frames, one row after another; none of recordings above a minute. */
  mfcc: Float32Array;
  /** Frames in `mfcc`. */
  frames: number;
}

export class Recognizer {
  private readonly hopSeconds: number;
  private resampler: Resampler | null = null;
  private detector: Detector;
  private hop: Float32Array; // the hop that is being filled
  private filled = 0;
  private withFeatures = false;
  private hops = 0;
  private window: Float32Array; // the last samples, for the features

  constructor(
    private readonly file: ModelFile,
    private readonly network: Network,
  ) {
    this.hopSeconds = file.hopSamples / SAMPLE_RATE;
    this.hop = new Float32Array(file.hopSamples);
    this.window = new Float32Array(file.windowSamples);
    this.detector = this.newDetector();
  }

  /** Begin a stream of audio. */
  start(rate: number, withFeatures: boolean): void {
    this.network.reset();
    this.resampler = new Resampler(rate);
    this.detector = this.newDetector();
    this.filled = 0;
    this.hops = 0;
    this.window.fill(0);
    this.withFeatures = withFeatures;
  }

  /** Process one more block of live audio. */
  async feed(block: Float32Array, onHop: (hop: Hop) => void): Promise<void> {
    for (const hop of this.hopsOf(this.resampler!.push(block))) onHop(await this.process(hop));
  }

  /** Find the commands in a recording. A stream of live audio ends. */
  async detect(sound: Sound): Promise<RecordingResult> {
    const seconds = sound.samples.length / sound.sampleRate;
    this.start(sound.sampleRate, seconds <= FEATURES_SECONDS);
    const found: Hop[] = [];
    const run = async (samples: Float32Array): Promise<void> => {
      for (const hop of this.hopsOf(samples)) found.push(await this.process(hop));
    };
    for (let start = 0; start < sound.samples.length; start += PIECE_SAMPLES) {
      await run(this.resampler!.push(sound.samples.subarray(start, start + PIECE_SAMPLES)));
    }
    await run(this.resampler!.finish());
    const rest = (this.hop.length - this.filled) % this.hop.length;
    const recorded = found.length + (this.filled > 0 ? 1 : 0); // hops
    const tail = Math.round(TAIL_SECONDS / this.hopSeconds) * this.hop.length;
    await run(new Float32Array(rest + tail));
    const detections = [...found.map((hop) => hop.detection), this.detector.flush()]
      .filter((detection) => detection !== null)
      .map((one) => ({ ...one, time: Math.min(one.time, seconds) }));
    const ofRecording = found.slice(0, recorded);
    return {
      detections,
      seconds,
      scores: concatenate(found.map((hop) => hop.scores)),
      peaks: concatenate(ofRecording.map((hop) => hop.peaks)),
      mfcc: concatenate(ofRecording.map((hop) => hop.mfcc)),
      frames: ofRecording.reduce((sum, hop) => sum + hop.frames, 0),
    };
  }

  delete(): void {
    this.network.delete();
  }

  private newDetector(): Detector {
    return new Detector(this.file.labels, this.file.rule, this.hopSeconds);
  }

  /** The hops that are whole now. The one that is yielded is overwritten later. */
  private *hopsOf(samples: Float32Array): Generator<Float32Array> {
    for (let position = 0; position < samples.length; ) {
      const part = samples.subarray(position, position + this.hop.length - this.filled);
      this.hop.set(part, this.filled);
      position += part.length;
      this.filled += part.length;
      if (this.filled < this.hop.length) return;
      this.filled = 0;
      yield this.hop;
    }
  }

  private async process(hop: Float32Array): Promise<Hop> {
    const before = performance.now();
    const scores = await this.network.step(hop);
    const detection = this.detector.push(scores);
    const milliseconds = performance.now() - before;
    this.hops++;
    return {
      time: this.hops * this.hopSeconds,
      scores,
      detection,
      level: Math.sqrt(hop.reduce((sum, sample) => sum + sample * sample, 0) / hop.length),
      peaks: peaksOf(hop),
      ...(this.withFeatures ? await this.featuresOf(hop) : { mfcc: new Float32Array(0), frames: 0 }),
      milliseconds,
    };
  }

  private async featuresOf(hop: Float32Array): Promise<Pick<Hop, "mfcc" | "frames">> {
    this.window.copyWithin(0, hop.length);
    this.window.set(hop, this.window.length - hop.length);
    const { mfcc, frames } = await this.network.features(this.window);
    const fresh = Math.max(1, Math.round((frames * hop.length) / this.window.length));
    return { mfcc: mfcc.slice((-fresh * mfcc.length) / frames), frames: fresh };
  }
}

function peaksOf(hop: Float32Array): Float32Array {
  const length = hop.length / PEAKS_PER_HOP;
  return Float32Array.from({ length: 2 * PEAKS_PER_HOP }, (_, index) => {
    const part = Math.floor(index / 2);
    const samples = hop.subarray(Math.floor(part * length), Math.floor((part + 1) * length));
    return index % 2 === 0 ? Math.min(0, ...samples) : Math.max(0, ...samples);
  });
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}
