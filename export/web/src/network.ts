/** A model file's signatures, run by LiteRT's JavaScript runtime. */

import {
  type CompiledModel,
  loadAndCompile,
  loadLiteRt,
  type SignatureRunner,
  Tensor,
} from "@litertjs/core";

import { ListenerError } from "./errors";
import { type ModelFile } from "./model_file";

/** LiteRT's two files: the script and the WebAssembly that it starts. */
export interface RuntimeFiles {
  script: ArrayBuffer;
  binary: ArrayBuffer;
}

interface WasmModule {
  HEAPU8: Uint8Array;
}

let wasm: WasmModule | null = null;

/** Start LiteRT. It can run in a Worker only: it blocks while it compiles and computes. */
export async function startRuntime({ script, binary }: RuntimeFiles): Promise<void> {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  hideGraphicsProcessor();
  Object.assign(self, { Module: { wasmBinary: binary, printErr: () => {} } });
  try {
    const runtime = await loadLiteRt(`${address}#.js`); // the ending means: exactly this script
    wasm = runtime.liteRtWasm as unknown as WasmModule;
  } catch (error) {
    throw new ListenerError("runtime", `LiteRT cannot start: ${String(error)}`);
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Bytes of memory that LiteRT has taken so far. */
export function runtimeBytes(): number {
  return wasm?.HEAPU8.length ?? 0;
}

/** LiteRT would start the graphics processor, and warn where there is none. It is not used. */
function hideGraphicsProcessor(): void {
  const adapter = { limits: {}, features: new Set(), requestDevice: async () => null };
  Object.defineProperty(navigator, "gpu", {
    value: { requestAdapter: async () => adapter },
    configurable: true,
  });
}

/** The signatures `stream` and `features` of one model. Tensors are freed by hand. */
export class Network {
  private state: Record<string, Tensor> = {};

  private constructor(
    private readonly compiled: CompiledModel,
    private readonly stream: SignatureRunner,
    private readonly featuresOfWindow: SignatureRunner,
    private readonly file: ModelFile,
  ) {}

  /**
   * Compile a model and run both signatures once on silence.
   *
   * @param name the file's name in messages.
   * @throws ListenerError: LiteRT cannot run it, or it is not what its settings say.
   */
  static async load(file: ModelFile, name: string): Promise<Network> {
    const options = { accelerator: "wasm", cpuOptions: { numThreads: 1 } } as const;
    let compiled: CompiledModel | null = null;
    let network: Network | null = null;
    try {
      compiled = await loadAndCompile(file.flatbuffer, options);
      const { stream, features } = compiled.signatures;
      if (!stream || !features) throw new Error("expected the signatures stream and features");
      network = new Network(compiled, stream, features, file);
      network.reset();
      const scores = await network.step(new Float32Array(file.hopSamples));
      const total = scores.reduce((sum, score) => sum + score, 0);
      if (scores.length !== file.labels.length || !(Math.abs(total - 1) < 1e-3)) {
        const expected = `expected ${file.labels.length} scores with the sum 1`;
        throw new Error(`${expected}, found ${scores.length} with the sum ${total}`);
      }
      await network.features(new Float32Array(file.windowSamples));
      network.reset();
      return network;
    } catch (error) {
      (network ?? compiled)?.delete();
      const reason = error instanceof Error ? error.message : String(error);
      throw new ListenerError("model", `${name}: LiteRT cannot run this model: ${reason}.`);
    }
  }

  /** Start a new stream: a state of zeros. */
  reset(): void {
    free(this.state);
    this.state = {};
    for (const { name, shape } of this.stream.getInputDetails()) {
      if (name === "audio") continue;
      const size = shape.reduce((product, length) => product * length, 1);
      this.state[name] = new Tensor(new Float32Array(size), [...shape]);
    }
  }

  /** The scores after one more hop of audio. */
  async step(hop: Float32Array): Promise<Float32Array> {
    const audio = new Tensor(hop, [1, hop.length]);
    const { scores, ...next } = await this.stream
      .run({ ...this.state, audio })
      .finally(() => audio.delete());
    free(this.state);
    this.state = Object.fromEntries(
      Object.entries(next).map(([name, tensor]) => [name.slice("next_".length), tensor]),
    );
    return take(scores!);
  }

  /** The MFCC of a window of audio: `frames` rows, one after another. */
  async features(window: Float32Array): Promise<{ mfcc: Float32Array; frames: number }> {
    const [frames] = this.featuresOfWindow.getOutputDetails()[0]!.shape.slice(1);
    const audio = new Tensor(window, [1, this.file.windowSamples]);
    const { mfcc } = await this.featuresOfWindow.run({ audio }).finally(() => audio.delete());
    return { mfcc: take(mfcc!), frames: frames! };
  }

  delete(): void {
    free(this.state);
    this.state = {};
    this.compiled.delete();
  }
}

/** A copy of a tensor's values; the tensor is freed. */
function take(tensor: Tensor): Float32Array {
  const values = Float32Array.from(tensor.toTypedArray());
  tensor.delete();
  return values;
}

function free(tensors: Record<string, Tensor>): void {
  for (const tensor of Object.values(tensors)) tensor.delete();
}
