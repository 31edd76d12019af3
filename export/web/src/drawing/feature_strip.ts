/** A strip of the features: one column a frame, low frequencies at the bottom. */

import { clearedSurface, components } from "./canvas";
import { LIVE_SECONDS } from "./waveform";

const RANGE = 55; // dB from the weakest colour to the strongest
const DECAY = 0.1; // dB a frame, by which the loudest level so far is forgotten
const LEAST_LOUDEST = 10; // dB; weaker sound, such as that of a quiet room, is never full in colour

export class FeatureStrip {
  private readonly columns = document.createElement("canvas"); // a ring of frames
  private written = 0; // frames
  private loudest = LEAST_LOUDEST;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  clear(): void {
    this.written = 0;
    this.loudest = LEAST_LOUDEST;
    this.columns.width = 0;
  }

  /** Add frames of MFCC of live audio, one row after another. */
  push(mfcc: Float32Array, frames: number, hopSeconds: number): void {
    this.add(mfcc, frames, Math.round((LIVE_SECONDS * frames) / hopSeconds) + 1);
  }

  /** Show the MFCC of a whole recording. */
  show(mfcc: Float32Array, frames: number): void {
    this.clear();
    if (frames > 0) this.add(mfcc, frames, frames);
  }

  /** @param lag seconds by which the picture is behind the last frame. */
  draw(lag = 0): void {
    const { context, width, height } = clearedSurface(this.canvas);
    const { columns } = this;
    if (columns.width === 0) return;
    context.translate((lag / LIVE_SECONDS) * width, 0);
    const scale = width / columns.width;
    const draw = (from: number, count: number, x: number): void => {
      if (count === 0) return;
      context.drawImage(columns, from, 0, count, columns.height, x, 0, count * scale, height);
    };
    const shown = Math.min(this.written, columns.width);
    if (shown < columns.width) return draw(0, shown, width - shown * scale);
    const oldest = this.written % columns.width;
    draw(oldest, columns.width - oldest, 0);
    draw(0, oldest, (columns.width - oldest) * scale);
  }

  private add(mfcc: Float32Array, frames: number, kept: number): void {
    const size = mfcc.length / frames;
    if (this.columns.width !== kept || this.columns.height !== size) {
      this.columns.width = kept;
      this.columns.height = size;
    }
    const context = this.columns.getContext("2d", { willReadFrequently: true })!;
    const colours: Colours = [components("--strip-low"), components("--strip-high")];
    for (let frame = 0; frame < frames; frame++) {
      const bands = toBands(mfcc.subarray(frame * size, (frame + 1) * size));
      this.loudest = Math.max(LEAST_LOUDEST, this.loudest - DECAY, ...bands);
      context.putImageData(column(bands, this.loudest, colours), this.written++ % kept, 0);
    }
  }
}

type Colour = [number, number, number];
type Colours = [low: Colour, high: Colour];

let cosines: Float32Array[] = []; // of the transform, one row a band

/** Levels of mel bands in dB: the inverse of the DCT (type 2, orthonormal) that made the MFCC. */
function toBands(mfcc: Float32Array): Float32Array {
  const size = mfcc.length;
  if (cosines.length !== size) {
    cosines = Array.from({ length: size }, (_, band) =>
      Float32Array.from(mfcc, (_, k) => {
        const norm = Math.sqrt((k === 0 ? 1 : 2) / size);
        return norm * Math.cos((Math.PI / size) * (band + 0.5) * k);
      }),
    );
  }
  return Float32Array.from(cosines, (row) =>
    row.reduce((sum, cosine, k) => sum + cosine * mfcc[k]!, 0),
  );
}

function column(bands: Float32Array, loudest: number, [low, high]: Colours): ImageData {
  const image = new ImageData(1, bands.length);
  bands.forEach((level, band) => {
    const share = Math.max(0, Math.min(1, 1 + (level - loudest) / RANGE)) ** 1.5;
    const place = 4 * (bands.length - 1 - band);
    low.forEach((part, channel) => {
      image.data[place + channel] = part + share * (high[channel]! - part);
    });
    image.data[place + 3] = 255;
  });
  return image;
}
