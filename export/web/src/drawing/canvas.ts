/** A canvas at the resolution of the screen, in the colours of the page. */

export interface Surface {
  context: CanvasRenderingContext2D;
  /** In CSS pixels. */
  width: number;
  height: number;
}

/** Fit a canvas to its place on the page, clear it and return what to draw on. */
export function clearedSurface(canvas: HTMLCanvasElement): Surface {
  const ratio = Math.min(devicePixelRatio, 2);
  const { clientWidth: width, clientHeight: height } = canvas;
  const [pixelsWide, pixelsHigh] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== pixelsWide || canvas.height !== pixelsHigh) {
    canvas.width = pixelsWide;
    canvas.height = pixelsHigh;
  }
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** A colour of style.css, such as "--accent". */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

/** A colour of style.css, "#rrggbb", as red, green and blue. */
export function components(name: string): [number, number, number] {
  const code = parseInt(colour(name).trim().slice(1), 16);
  return [code >> 16, (code >> 8) & 0xff, code & 0xff];
}
