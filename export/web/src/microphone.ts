/** The microphone: an AudioWorklet that sends blocks of samples to a port. */

import captureSource from "./capture_worklet.js?raw";
import { ListenerError } from "./errors";

export interface Microphone {
  /** Sampling rate of the blocks in Hz. */
  rate: number;
  close(): Promise<void>;
}

const RESUME_SECONDS = 3; // in which audio must have started

/**
 * Open the microphone. Call it from a click or a key press: browsers start audio only then.
 *
 * @param port receives blocks of samples, `Float32Array`.
 * @param onEnd called if the microphone is unplugged, its permission is taken back, or the browser
 *   stops audio.
 * @throws ListenerError: no permission, no microphone, or a page without https.
 */
export async function openMicrophone(
  port: MessagePort,
  onEnd: (error: ListenerError) => void,
): Promise<Microphone> {
  if (navigator.mediaDevices === undefined) {
    const message = "Browsers give the microphone only to pages on https or on localhost.";
    throw new ListenerError("insecure", `${message} Sound files work here, too.`);
  }
  let context: AudioContext | null = null;
  let input: MediaStream | null = null;
  let isClosed = false;
  const close = async (): Promise<void> => {
    isClosed = true;
    for (const track of input?.getTracks() ?? []) track.stop();
    await context?.close();
  };
  try {
    const audio = (context = new AudioContext()); // before anything else: still in the click
    input = await requestInput();
    const address = URL.createObjectURL(new Blob([captureSource], { type: "text/javascript" }));
    await audio.audioWorklet.addModule(address).finally(() => URL.revokeObjectURL(address));
    const capture = new AudioWorkletNode(audio, "capture");
    capture.port.postMessage(port, [port]);
    // Its output is silence. Some browsers run only what is connected to the loudspeaker.
    audio.createMediaStreamSource(input).connect(capture).connect(audio.destination);
    await resume(audio);
    audio.onstatechange = async () => {
      if (isClosed || audio.state === "running") return;
      await untilVisible(); // phones stop the audio of pages in the background
      await resume(audio).catch((error: ListenerError) => isClosed || onEnd(error));
    };
    input.getAudioTracks()[0]?.addEventListener("ended", () => {
      onEnd(new ListenerError("no-microphone", "The microphone was disconnected."));
    });
    return { rate: audio.sampleRate, close };
  } catch (error) {
    await close();
    if (error instanceof ListenerError) throw error;
    throw new ListenerError("microphone-busy", `The microphone cannot be opened: ${String(error)}`);
  }
}

async function resume(context: AudioContext): Promise<void> {
  const late = new Promise((resolve) => setTimeout(resolve, 1000 * RESUME_SECONDS));
  await Promise.race([context.resume().catch(() => {}), late]);
  if (context.state === "running") return;
  const message = "The browser has stopped the microphone. Start it again.";
  throw new ListenerError("microphone-busy", message);
}

async function untilVisible(): Promise<void> {
  while (document.hidden) {
    await new Promise((resolve) => {
      document.addEventListener("visibilitychange", resolve, { once: true });
    });
  }
}

async function requestInput(): Promise<MediaStream> {
  // The model was trained on plain recordings: browsers' processing would change the sound.
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw explain(error instanceof DOMException ? error.name : String(error));
  }
}

function explain(name: string): ListenerError {
  if (name === "NotAllowedError" || name === "SecurityError") {
    const how = "Allow it in the browser's settings for this page, then try again.";
    return new ListenerError("denied", `This page may not use the microphone. ${how}`);
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    const message = "No microphone was found. Connect one and try again.";
    return new ListenerError("no-microphone", message);
  }
  const message = "The microphone cannot be used. Perhaps another program is using it";
  return new ListenerError("microphone-busy", `${message} (${name}).`);
}
