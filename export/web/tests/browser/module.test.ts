import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { type Browser, type Page } from "playwright-core";
import { build, createServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { MODEL, SAMPLES } from "../repository";
import { HAS_CHROMIUM, launch } from "./chromium";
import { writeSpokenWords } from "./page_driver";
import { serve } from "./static_server";

const MODULE = resolve("module");
const folder = mkdtempSync(join(tmpdir(), "speechgru-module-"));
let browser: Browser;
let page: Page;

/** Open an example and wait until it hears a word. */
async function listen(url: string): Promise<void> {
  await page.goto(url);
  await page.waitForSelector("button:enabled", { timeout: 20_000 });
  expect(await page.textContent("output")).toContain("Say yes, no, up");
  await page.click("button");
  await page.waitForSelector("text=/^(left|off|right) at \\d+\\.\\d\\d s$/", { timeout: 15_000 });
  await page.goto("about:blank");
}

describe.skipIf(!HAS_CHROMIUM)("the ES module", () => {
  beforeAll(async () => {
    browser = await launch(await writeSpokenWords());
    const context = await browser.newContext({ permissions: ["microphone"] });
    page = await context.newPage();
    // The plain example, as its comment says.
    cpSync("examples/plain", join(folder, "plain"), { recursive: true });
    cpSync(MODULE, join(folder, "plain/speechgru"), { recursive: true });
    cpSync(MODEL, join(folder, "plain/model.tflite"));
    // The example for Vite, as `npm install` leaves it.
    cpSync("examples/vite", join(folder, "vite"), { recursive: true });
    mkdirSync(join(folder, "vite/node_modules"));
    symlinkSync(MODULE, join(folder, "vite/node_modules/speechgru"));
    mkdirSync(join(folder, "vite/public"));
    cpSync(MODEL, join(folder, "vite/public/model.tflite"));
  });

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  test("works in plain HTML, under any path", async () => {
    const server = await serve(join(folder, "plain"), "/a/page/");
    await listen(server.url);
    await server.close();
  });

  test("works in what Vite builds, under any path", async () => {
    await build({ root: join(folder, "vite"), logLevel: "error" });
    const server = await serve(join(folder, "vite/dist"), "/a/page/");
    await listen(server.url);
    await server.close();
  });

  test("works in Vite's development server", async () => {
    const server = await createServer({
      root: join(folder, "vite"),
      logLevel: "error",
      server: { host: "127.0.0.1", port: 0, fs: { strict: false } },
    });
    await server.listen();
    await listen(server.resolvedUrls!.local[0]!);
    await server.close();
  });

  describe("called by a page", () => {
    let server: Awaited<ReturnType<typeof serve>>;

    /** Run code on a page that has the module as `speechgru`. */
    function run<Result>(code: string): Promise<Result> {
      return page.evaluate<Result>(
        `import("./speechgru/speechgru.js").then(async (speechgru) => { ${code} })`,
      );
    }

    beforeAll(async () => {
      server = await serve(join(folder, "plain"), "/");
      cpSync(join(SAMPLES, "left-festival-kal-48k-float32.wav"), join(folder, "plain/left.wav"));
      writeFileSync(join(folder, "plain/empty.html"), "<!doctype html><title>a page</title>");
      await page.goto(`${server.url}empty.html`);
    });

    afterAll(() => server.close());

    test("frees its tensors: LiteRT's memory stays flat over four minutes of sound", async () => {
      const [before, after, hops] = await run<number[]>(`
        const listener = await speechgru.createListener({ model: "model.tflite" });
        const noise = (seconds) => Float32Array.from(
          { length: 16000 * seconds }, () => 0.2 * Math.random() - 0.1);
        await listener.detect({ samples: noise(10), sampleRate: 16000 });
        const before = await listener.memory();
        let hops = 0;
        for (let minute = 0; minute < 4; minute++) {
          const { scores } = await listener.detect({ samples: noise(60), sampleRate: 16000 });
          hops += scores.length / listener.labels.length;
        }
        await listener.loadModel("model.tflite");
        const after = await listener.memory();
        await listener.close();
        return [before, after, hops];
      `);
      console.log(`LiteRT's memory: ${before} bytes, ${after} bytes after ${hops} hops`);
      expect(hops).toBeGreaterThan(6000);
      expect(after).toBe(before);
    }, 60_000);

    /** Run code that has a listener, the microphones that it opens, and its errors. */
    function runListener<Result>(code: string): Promise<Result> {
      return run<Result>(`
        const microphones = [];
        const devices = navigator.mediaDevices;
        devices.getUserMedia = async (wanted) => {
          const stream = await MediaDevices.prototype.getUserMedia.call(devices, wanted);
          microphones.push(...stream.getAudioTracks());
          return stream;
        };
        const failure = (promise) => promise.then(() => "none", (error) => error.message);
        const states = () => microphones.map((track) => track.readyState);
        const errors = [];
        const hops = [];
        const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
        const listener = await speechgru.createListener({
          model: "model.tflite",
          onHop: (hop) => hops.push(hop),
          onError: (error) => errors.push(error.message),
        });
        ${code}
      `);
    }

    test("stop() while the microphone is being opened closes it", async () => {
      const found = await runListener(`
        const starting = listener.start();
        await listener.stop();
        await starting;
        const found = [listener.isListening, states(), errors];
        await listener.close();
        return found;
      `);
      expect(found).toEqual([false, ["ended"], []]);
    });

    test("close() while the microphone is being opened closes it", async () => {
      const found = await runListener(`
        const starting = failure(listener.start());
        await listener.close();
        return [await starting, listener.isListening, states(), await failure(listener.memory())];
      `);
      const closed = "The listener was closed.";
      expect(found).toEqual([closed, false, ["ended"], closed]);
    });

    test("a microphone that is unplugged is one error, and another can be opened", async () => {
      const found = await runListener(`
        await listener.start();
        microphones[0].dispatchEvent(new Event("ended"));
        await pause(0.5);
        const found = [listener.isListening, [...errors]];
        await listener.start();
        await pause(0.5);
        await listener.close();
        return [...found, hops.length > 0];
      `);
      expect(found).toEqual([false, ["The microphone was disconnected."], true]);
    });

    test("audio that the browser does not start is an error", async () => {
      const found = await runListener(`
        const { resume } = AudioContext.prototype;
        AudioContext.prototype.resume = () => new Promise(() => {});
        const state = { get: () => "suspended", configurable: true };
        Object.defineProperty(AudioContext.prototype, "state", state);
        const message = await failure(listener.start());
        delete AudioContext.prototype.state;
        AudioContext.prototype.resume = resume;
        await listener.close();
        return [message, states()];
      `);
      expect(found).toEqual(["The browser has stopped the microphone. Start it again.", ["ended"]]);
    });

    test("audio that stops while listening is resumed, or else an error", async () => {
      const found = await runListener(`
        const contexts = [];
        const Original = AudioContext;
        AudioContext = class extends Original {
          constructor() { super(); contexts.push(this); }
        };
        await listener.start();
        await contexts[0].suspend();
        await pause(0.5);
        const resumed = [contexts[0].state, listener.isListening];
        contexts[0].resume = () => Promise.reject(new Error("made up"));
        await contexts[0].suspend();
        await pause(0.5);
        AudioContext = Original;
        await listener.close();
        return [...resumed, listener.isListening, errors];
      `);
      const message = "The browser has stopped the microphone. Start it again.";
      expect(found).toEqual(["running", true, false, [message]]);
    });

    test("blocks that wait for more than two seconds end listening with one error", async () => {
      const found = await runListener(`
        const Original = MessageChannel;
        MessageChannel = function () {
          const channel = new Original();
          for (let block = 0; block < 3; block++) {
            channel.port1.postMessage(new Float32Array(2.5 * 48000)); // before the microphone's
          }
          return channel;
        };
        await listener.start();
        await pause(0.5);
        MessageChannel = Original;
        await listener.close();
        return [errors, states()];
      `);
      expect(found).toEqual([["This device is too slow for this model."], ["ended"]]);
    });

    test.each([
      ["{ samples: [0, 1], sampleRate: 16000 }", "The sound: expected samples in a Float32Array."],
      ["{ samples: new Float32Array(9), sampleRate: 0 }", "4 to 192 kHz, found 0 Hz"],
      ["{ samples: new Float32Array(0), sampleRate: 16000 }", "The sound has no samples."],
      ["{ samples: Float32Array.of(NaN), sampleRate: 16000 }", "not numbers"],
    ])("samples are checked: %s", async (sound, expected) => {
      const message = await runListener(`
        const message = await failure(listener.detect(${sound}));
        await listener.close();
        return message;
      `);
      expect(message).toContain(expected);
    });

    test.each([
      ["blob: 'wasm-unsafe-eval'", "blob:", "works"],
      ["blob: 'wasm-unsafe-eval'", "'none'", "its script could not be started"],
    ])("a page with script-src %s; worker-src %s: %s", async (script, worker, expected) => {
      const policy = `default-src 'self'; script-src 'self' ${script}; worker-src ${worker}`;
      writeFileSync(
        join(folder, "plain/policy.html"),
        `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}">
        <script type="module" src="policy.js"></script>`,
      );
      writeFileSync(
        join(folder, "plain/policy.js"),
        `import { createListener } from "./speechgru/speechgru.js";
        try {
          const listener = await createListener({ model: "model.tflite" });
          await listener.start();
          document.title = "works";
        } catch (error) {
          document.title = error.message;
        }`,
      );
      await page.goto(`${server.url}policy.html`);
      await page.waitForFunction(() => document.title !== "");
      expect(await page.title()).toContain(expected);
      await page.goto(`${server.url}empty.html`);
    });

    test.each([
      ["that of the model", "undefined", ["left"]],
      ["the given one", "1", []],
    ])("detects above a threshold: %s", async (_, threshold, expected) => {
      const words = await run<string[]>(`
        const threshold = ${threshold};
        const listener = await speechgru.createListener({ model: "model.tflite", threshold });
        const sound = await (await fetch("left.wav")).blob();
        const { detections } = await listener.detect(sound);
        await listener.close();
        return detections.map((one) => one.label);
      `);
      expect(words).toEqual(expected);
    });

    test.each([
      ["a wrong path", `wasm: "nowhere/"`, "the server answered 404"],
      ["a web page", `wasm: { script: "empty.html", binary: "empty.html" }`, "a web page"],
    ])("explains where LiteRT's files must be: %s", async (_, option, expected) => {
      const message = await run<string>(`
        return speechgru.createListener({ model: "model.tflite", ${option} }).catch(
          (error) => error.problem + ": " + error.message);
      `);
      expect(message).toContain("download: ");
      expect(message).toContain(expected);
      expect(message).toContain("Copy the folder `wasm` of this package");
    });

    test("explains that a model is missing, and what a threshold may be", async () => {
      const message = await run<string>(`
        return speechgru.createListener({ model: "none.tflite" }).catch((error) => error.message);
      `);
      expect(message).toBe("none.tflite could not be loaded: the server answered 404.");
      const other = await run<string>(`
        return speechgru.createListener({ model: "model.tflite", threshold: 2 }).catch(
          (error) => error.message);
      `);
      expect(other).toContain("`threshold` must be above 0 and up to 1. Received: 2");
    });
  });
});
