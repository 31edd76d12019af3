/** The page's end of the Worker: requests as promises. */

import { ListenerError } from "./errors";
import { type Hop } from "./recognizer";
import RecognizerWorker from "./recognizer_worker?worker&inline";
import { type Reply, type Requests } from "./worker_messages";

interface Events {
  onHop: (hop: Hop) => void;
  /** An error outside of any request. */
  onError: (error: ListenerError) => void;
}

interface Waiting {
  resolve: (content: unknown) => void;
  reject: (error: ListenerError) => void;
}

export class WorkerClient {
  private readonly worker = new RecognizerWorker();
  private readonly waiting = new Map<number, Waiting>();
  private failed: ListenerError | null = null; // after it, the Worker answers nothing
  private lastId = 0;

  constructor(private readonly events: Events) {
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => this.receive(data);
    this.worker.onerror = (event) => {
      const reason = event.message || "its script could not be started";
      const error = new ListenerError("runtime", `The recogniser stopped: ${reason}.`);
      this.fail(error);
      this.events.onError(error);
    };
  }

  request<Name extends keyof Requests>(
    name: Name,
    content: Requests[Name]["sent"],
    transfer: Transferable[] = [],
  ): Promise<Requests[Name]["received"]> {
    if (this.failed !== null) return Promise.reject(this.failed);
    const id = ++this.lastId;
    this.worker.postMessage({ id, name, content }, transfer);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as Waiting["resolve"], reject });
    });
  }

  close(): void {
    this.worker.terminate();
    this.fail(new ListenerError("runtime", "The listener was closed."));
  }

  private receive(reply: Reply): void {
    if (reply.kind === "hop") return this.events.onHop(reply.hop);
    const waiting = reply.id === null ? undefined : this.waiting.get(reply.id);
    if (reply.id !== null) this.waiting.delete(reply.id);
    if (reply.kind === "result") return waiting?.resolve(reply.content);
    const error = new ListenerError(reply.problem, reply.message);
    if (waiting) waiting.reject(error);
    else this.events.onError(error);
  }

  private fail(error: ListenerError): void {
    this.failed ??= error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
