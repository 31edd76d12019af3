// Runs on the audio thread: collects the microphone's samples and sends them on, 20 ms at a time.
const BLOCK_SAMPLES = Math.ceil(sampleRate / 50);

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(BLOCK_SAMPLES);
    this.filled = 0;
    this.port.onmessage = ({ data }) => {
      this.receiver = data; // the port of the Worker
    };
  }

  process([channels]) {
    const length = channels[0]?.length ?? 0;
    for (let frame = 0; frame < length; frame++) {
      let sum = 0;
      for (const channel of channels) sum += channel[frame];
      this.block[this.filled++] = sum / channels.length;
      if (this.filled < BLOCK_SAMPLES) continue;
      this.receiver?.postMessage(this.block, [this.block.buffer]);
      this.block = new Float32Array(BLOCK_SAMPLES); // the other is the Worker's now
      this.filled = 0;
    }
    return true;
  }
}

registerProcessor("capture", Capture);
