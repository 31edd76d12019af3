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
