/** What went wrong, for programs. */
export type Problem =
  | "browser" // too old
  | "insecure" // no https
  | "denied" // no permission to use the microphone
  | "no-microphone"
  | "microphone-busy"
  | "download" // a file of the page or the model cannot be fetched
  | "model" // not a model file of this project
  | "sound" // not a sound that can be read
  | "runtime"; // LiteRT cannot start or run

/** An error with a message for people. */
export class ListenerError extends Error {
  override name = "ListenerError";

  constructor(
    readonly problem: Problem,
    message: string,
  ) {
    super(message);
  }
}

/** Any error as a `ListenerError`. */
export function toListenerError(error: unknown, problem: Problem = "runtime"): ListenerError {
  if (error instanceof ListenerError) return error;
  return new ListenerError(problem, error instanceof Error ? error.message : String(error));
}

/** A value in a message, at most 60 characters. */
export function show(value: unknown): string {
  const text = value === undefined ? "none" : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
