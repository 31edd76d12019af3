/** The Worker: everything that computes runs here, so that the page stays responsive. */

import { toListenerError } from "./errors";
import { readModelFile, SAMPLE_RATE } from "./model_file";
import { Network, runtimeBytes, startRuntime } from "./network";
import { Recognizer } from "./recognizer";
import { type Reply, type Request, type Requests } from "./worker_messages";

let recognizer: Recognizer | null = null;
let microphone: MessagePort | null = null;

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
    await recognizer?.delete();
    recognizer = new Recognizer(file, network);
    return { labels: [...file.labels], hopSeconds: file.hopSamples / SAMPLE_RATE };
  },

  async listen({ rate, port }) {
    stop();
    const listening = current();
    await listening.start(rate);
    microphone = port;
    port.onmessage = ({ data }: MessageEvent<Float32Array>) => {
      listening
        .feed(data, (hop) => {
          if (microphone === port) send({ kind: "hop", hop });
        })
        .catch((error: unknown) => reportError(error, null));
    };
    return null;
  },

  async stop() {
    stop();
    return null;
  },

  async detect(sound) {
    stop();
    return current().detect(sound, (seconds) => send({ kind: "progress", seconds }));
  },

  async memory() {
    return runtimeBytes();
  },
};

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  try {
    const handle = handlers[data.name] as (content: unknown) => Promise<unknown>;
    send({ kind: "result", id: data.id, content: await handle(data.content) });
  } catch (error) {
    reportError(error, data.id);
  }
};
