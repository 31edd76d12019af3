/** The ES module: listens to the microphone, or reads a recording, and reports commands. */

import { type Detection } from "./detector";
import { download, type Progress } from "./downloads";
import { ListenerError, toListenerError } from "./errors";
import { type Microphone, openMicrophone } from "./microphone";
import { type Hop, type RecordingResult } from "./recognizer";
import { fetchRuntime, type WasmLocation } from "./runtime_files";
import { decodeInBrowser, type Sound } from "./sound_file";
import { WorkerClient } from "./worker_client";
import { type ModelDescription } from "./worker_messages";

export { NOT_COMMANDS } from "./model_file";
export { ListenerError, type Problem } from "./errors";
export type { Detection, Hop, Progress, RecordingResult, Sound, WasmLocation };

/** A model file: its address, or its content. */
export type ModelSource = string | URL | Blob | ArrayBuffer;

export interface ListenerOptions {
  /** A `.tflite` file of this project. */
  model: ModelSource;
  /** Called for each command that the microphone hears. */
  onDetection?: (detection: Detection) => void;
  /** Called after each hop of live audio, 25 times a second: scores, level, features. */
  onHop?: (hop: Hop) => void;
  /** Called while LiteRT is loaded: 9 MB, or 3 MB where the server compresses. */
  onProgress?: (progress: Progress) => void;
  /** Called for errors while listening, such as a microphone that is unplugged. */
  onError?: (error: ListenerError) => void;
  /** Where LiteRT's files are. Default: the folder `wasm` beside this module. */
  wasm?: WasmLocation;
  /** Confidence from which each command is detected, in (0, 1]. Default: those of the model. */
  threshold?: number;
}

/**
 * Load LiteRT and a model.
 *
 * @throws ListenerError: its `problem` says what is wrong, its `message` is for people.
 */
export async function createListener(options: ListenerOptions): Promise<Listener> {
  checkBrowser();
  let listener: Listener | null = null;
  try {
    listener = new Listener(options);
    await listener.startRuntime(options.wasm ?? defaultLocation());
    await listener.loadModel(options.model);
    return listener;
  } catch (error) {
    await listener?.close();
    throw toListenerError(error);
  }
}

/** Made by `createListener`. */
export class Listener {
  /** All labels in the order of the scores: commands, "unknown", "silence". */
  labels: readonly string[] = [];
  /** Length of a hop of audio in seconds. */
  hopSeconds = 0;
  private readonly worker: WorkerClient;
  private microphone: Microphone | null = null;
  private opening: Promise<void> | null = null;

  /** @internal */
  constructor(private readonly options: ListenerOptions) {
    this.worker = new WorkerClient({
      onHop: (hop) => {
        if (this.microphone === null) return;
        options.onHop?.(hop);
        if (hop.detection) options.onDetection?.(hop.detection);
      },
      onError: (error) => this.end(error),
    });
  }

  /** Whether the microphone is open. */
  get isListening(): boolean {
    return this.microphone !== null;
  }

  /** @internal */
  async startRuntime(location: WasmLocation): Promise<void> {
    const files = await fetchRuntime(location, this.options.onProgress ?? (() => {}));
    await this.worker.request("startRuntime", files, [files.script, files.binary]);
  }

  /**
   * Use another model. The microphone is closed first. If the model cannot be used, the one before
   * stays.
   *
   * @param name the file's name in messages. Default: its address.
   */
  async loadModel(model: ModelSource, name = sourceName(model, "The file")): Promise<void> {
    const content =
      model instanceof ArrayBuffer
        ? model.slice(0)
        : model instanceof Blob
          ? await model.arrayBuffer()
          : await download(model);
    const threshold = checkThreshold(this.options.threshold);
    await this.stop();
    const description: ModelDescription = await this.worker.request(
      "loadModel",
      { content, name, threshold },
      [content],
    );
    this.labels = description.labels;
    this.hopSeconds = description.hopSeconds;
  }

  /** Open the microphone and listen. Call it from a click or a key press. */
  start(): Promise<void> {
    if (this.microphone !== null) return Promise.resolve();
    this.opening ??= this.listen().finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  private async listen(): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    const microphone = await openMicrophone(port1, (error) => this.end(error));
    try {
      const withFeatures = this.options.onHop !== undefined;
      const sent = { rate: microphone.rate, port: port2, withFeatures };
      await this.worker.request("listen", sent, [port2]); // fails if the listener was closed
      this.microphone = microphone;
    } catch (error) {
      await microphone.close();
      throw error;
    }
  }

  /** Close the microphone. If it is being opened, this waits until it is open. */
  async stop(): Promise<void> {
    await this.opening?.catch(() => {});
    const microphone = this.microphone;
    this.microphone = null;
    if (microphone === null) return;
    await Promise.all([this.worker.request("stop", null), microphone.close()]);
  }

  /** Close the microphone after an error, and report the error. */
  private end(error: ListenerError): void {
    void this.stop()
      .catch(() => {}) // the Worker may be the reason
      .finally(() => this.options.onError?.(error));
  }

  /**
   * Find all commands in a recording of up to ten minutes. The microphone is closed first.
   *
   * @param source an encoded sound, such as a WAV file, or samples and their rate.
   * @param name its name in messages.
   */
  async detect(
    source: Blob | ArrayBuffer | Sound,
    name = sourceName(source, "The sound"),
  ): Promise<RecordingResult> {
    await this.stop();
    const file = source instanceof ArrayBuffer ? new Blob([source]) : source;
    const result = await this.worker.request("detect", { source: file, name });
    if (result !== null) return result;
    const sound = await decodeInBrowser(file as Blob, name);
    const { buffer } = sound.samples;
    return (await this.worker.request("detect", { source: sound, name }, [buffer]))!;
  }

  /** Bytes of memory that LiteRT has taken. */
  memory(): Promise<number> {
    return this.worker.request("memory", null);
  }

  /** Free everything. The listener cannot be used further. */
  async close(): Promise<void> {
    this.worker.close();
    await this.opening?.catch(() => {});
    await this.microphone?.close();
    this.microphone = null;
  }
}

// i32.const 0, i8x16.splat: valid only with SIMD.
const SIMD_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15,
  11,
]);

/**
 * Check that the browser has what is needed.
 *
 * @throws ListenerError: it is too old.
 */
export function checkBrowser(): void {
  const missing = [
    ["WebAssembly with SIMD", globalThis.WebAssembly?.validate(SIMD_MODULE)],
    ["AudioWorklet", "AudioWorkletNode" in globalThis || !globalThis.isSecureContext],
  ].filter(([, isThere]) => !isThere);
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name).join(" and ");
  const help = "Update it, or use another one.";
  throw new ListenerError("browser", `This browser is too old: it lacks ${names}. ${help}`);
}

function checkThreshold(threshold: number | undefined): number | null {
  if (threshold === undefined) return null;
  if (threshold > 0 && threshold <= 1) return threshold;
  throw new RangeError(`\`threshold\` must be above 0 and up to 1. Received: ${threshold}`);
}

function sourceName(source: object | string, otherwise: string): string {
  if (source instanceof File) return source.name;
  return typeof source === "string" || source instanceof URL ? String(source) : otherwise;
}

function defaultLocation(): URL {
  const module = import.meta.url; // a variable: bundlers would look for a file `wasm/` otherwise
  return new URL("wasm/", module);
}
