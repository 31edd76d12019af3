/** The microphone: an AudioWorklet that sends blocks of samples to a port. */

import captureSource from "./capture_worklet.js?raw";
import { ListenerError } from "./errors";

export interface Microphone {
  /** Sampling rate of the blocks in Hz. */
  rate: number;
  close(): Promise<void>;
}

/**
 * Open the microphone. Call it from a click or a key press: browsers start audio only then.
 *
 * @param port receives blocks of samples, `Float32Array`.
 * @param onEnd called if the microphone is unplugged, or its permission is taken back.
 * @throws ListenerError: no permission, no microphone, or a page without https.
 */
export async function openMicrophone(port: MessagePort, onEnd: () => void): Promise<Microphone> {
  if (navigator.mediaDevices === undefined) {
    const message = "Browsers give the microphone only to pages on https or on localhost.";
    throw new ListenerError("insecure", `${message} Sound files work here, too.`);
  }
  const input = await requestInput();
  const context = new AudioContext();
  try {
    const address = URL.createObjectURL(new Blob([captureSource], { type: "text/javascript" }));
    await context.audioWorklet.addModule(address);
    URL.revokeObjectURL(address);
    const capture = new AudioWorkletNode(context, "capture");
    capture.port.postMessage(port, [port]);
    // Its output is silence. Some browsers run only what is connected to the loudspeaker.
    context.createMediaStreamSource(input).connect(capture).connect(context.destination);
    await context.resume();
  } catch (error) {
    stopTracks(input);
    await context.close();
    throw new ListenerError("microphone-busy", `The microphone cannot be opened: ${String(error)}`);
  }
  input.getAudioTracks()[0]?.addEventListener("ended", onEnd);
  return {
    rate: context.sampleRate,
    async close() {
      stopTracks(input);
      await context.close();
    },
  };
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

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
