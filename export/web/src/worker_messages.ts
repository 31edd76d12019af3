/** What the page and the Worker say to each other. */

import { type Problem } from "./errors";
import { type Hop, type RecordingResult } from "./recognizer";
import { type Sound } from "./sound_file";

/** Requests by their names: what is sent, and what comes back. */
export interface Requests {
  startRuntime: { sent: { script: ArrayBuffer; binary: ArrayBuffer }; received: null };
  loadModel: {
    sent: { content: ArrayBuffer; name: string; threshold: number | null };
    received: ModelDescription;
  };
  /** The port delivers blocks of samples, `Float32Array`, from the microphone. */
  listen: {
    sent: { rate: number; port: MessagePort; withFeatures: boolean };
    received: null;
  };
  stop: { sent: null; received: null };
  /** Null: not a WAV file, or of a kind that is left to the browser. */
  detect: { sent: { source: Blob | Sound; name: string }; received: RecordingResult | null };
  memory: { sent: null; received: number };
}

export interface ModelDescription {
  labels: string[];
  hopSeconds: number;
}

export interface Request<Name extends keyof Requests = keyof Requests> {
  id: number;
  name: Name;
  content: Requests[Name]["sent"];
}

export type Reply =
  | { kind: "result"; id: number; content: unknown }
  | { kind: "error"; id: number | null; problem: Problem; message: string }
  | { kind: "hop"; hop: Hop };
