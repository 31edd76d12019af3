/** The Worker: everything that computes runs here, so that the page stays responsive. */

import { ListenerError, toListenerError } from "./errors";
import { readModelFile, SAMPLE_RATE } from "./model_file";
import { Network, runtimeBytes, startRuntime } from "./network";
import { type Hop, Recognizer } from "./recognizer";
import { checkSound, readWav } from "./sound_file";
import { type Reply, type Request, type Requests } from "./worker_messages";

const MAX_DELAY_SECONDS = 2; // of live sound that waits

let recognizer: Recognizer | null = null;
let microphone: MessagePort | null = null;
let queue: Promise<void> = Promise.resolve();

/** Run a task after those before it: LiteRT does one thing after another. */
function inTurn(task: () => Promise<void>): void {
  queue = queue.then(task);
}

function send(reply: Reply, transfer: Transferable[] = []): void {
  self.postMessage(reply, { transfer });
}

function reportError(error: unknown, id: number | null): void {
  const { problem, message } = toListenerError(error);
  send({ kind: "error", id, problem, message });
}

function current(): Recognizer {
  if (recognizer === null) throw new Error("no model is loaded");
  return recognizer;
}

function stop(): void {
  microphone?.close();
  microphone = null;
}

type Handlers = {
  [Name in keyof Requests]: (
    content: Requests[Name]["sent"],
  ) => Promise<Requests[Name]["received"]>;
};

const handlers: Handlers = {
  async startRuntime(files) {
    await startRuntime(files);
    return null;
  },

  async loadModel({ content, name, threshold }) {
    const file = await readModelFile(content, name);
    if (threshold !== null) {
      for (const label of Object.keys(file.rule.thresholds)) {
        (file.rule.thresholds as Record<string, number>)[label] = threshold;
      }
    }
    const network = await Network.load(file, name); // the model before stays if this fails
    stop();
    recognizer?.delete();
    recognizer = new Recognizer(file, network);
    return { labels: [...file.labels], hopSeconds: file.hopSamples / SAMPLE_RATE };
  },

  async listen({ rate, port, withFeatures }) {
    stop();
    const listening = current();
    listening.start(rate, withFeatures);
    microphone = port;
    let waiting = 0; // seconds of sound
    const end = (error: unknown): void => {
      if (microphone !== port) return; // it ended before
      stop();
      reportError(error, null);
    };
    const onHop = (hop: Hop): void => {
      if (microphone === port) send({ kind: "hop", hop });
    };
    port.onmessage = ({ data }: MessageEvent<Float32Array>) => {
      const seconds = data.length / rate;
      waiting += seconds;
      if (waiting > MAX_DELAY_SECONDS) {
        end(new ListenerError("runtime", "This device is too slow for this model."));
      }
      inTurn(async () => {
        waiting -= seconds;
        if (microphone === port) await listening.feed(data, onHop).catch(end);
      });
    };
    return null;
  },

  async stop() {
    stop();
    return null;
  },

  async detect({ source, name }) {
    stop();
    const sound = source instanceof Blob ? readWav(await source.arrayBuffer(), name) : source;
    if (sound === null) return null;
    checkSound(sound, name);
    return current().detect(sound);
  },

  async memory() {
    return runtimeBytes();
  },
};

self.onmessage = ({ data }: MessageEvent<Request>) => {
  const handle = handlers[data.name] as (content: unknown) => Promise<unknown>;
  inTurn(async () => {
    try {
      send({ kind: "result", id: data.id, content: await handle(data.content) });
    } catch (error) {
      reportError(error, data.id);
    }
  });
};
