import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

import { build, type Rolldown } from "vite";
import { expect, test } from "vitest";

import { MODEL } from "../repository";

function zippedBytes(paths: string[]): number {
  return paths.reduce((sum, path) => sum + gzipSync(readFileSync(path)).length, 0);
}

test("the page's own code, with LiteRT's JavaScript interface, is below 60 KB gzipped", () => {
  const assets = readdirSync("dist/assets").filter((name) => name.startsWith("index-"));
  expect(assets).toHaveLength(2); // script and style
  const own = [...assets.map((name) => `assets/${name}`), "index.html", "service_worker.js"];
  const size = zippedBytes(own.map((name) => `dist/${name}`));
  const module = zippedBytes(["module/speechgru.js"]);
  console.log(`the page: ${size} bytes gzipped; the module: ${module}`);
  expect(size).toBeLessThan(60_000);
});

test("the page is whole: model, service worker with its list, relative addresses", () => {
  expect(readFileSync("dist/model.tflite").equals(readFileSync(MODEL))).toBe(true);
  const worker = readFileSync("dist/service_worker.js", "utf8");
  expect(worker).not.toMatch(/__FILES__|__VERSION__|\bexport\b|\bimport\b/);
  for (const name of readdirSync("dist/assets")) expect(worker).toContain(`assets/${name}`);
  const page = readFileSync("dist/index.html", "utf8");
  for (const [, address] of page.matchAll(/(?:src|href)="([^"]*)"/g)) {
    expect(address).toMatch(/^\.\//);
  }
});

test("the service worker's version changes with index.html", async () => {
  const version = async (title: string): Promise<string> => {
    const transformIndexHtml = (html: string): string => html.replace("speechgru", title);
    const plugins = [{ name: "other-title", transformIndexHtml }];
    const built = await build({ plugins, logLevel: "error", build: { write: false } });
    const { output } = built as Rolldown.RolldownOutput;
    const worker = output.find((file) => file.fileName === "service_worker.js")!;
    return /"([0-9a-f]{16})"|`([0-9a-f]{16})`/.exec((worker as Rolldown.OutputChunk).code)![0];
  };
  const one = await version("one");
  expect(await version("one")).toBe(one);
  expect(await version("another")).not.toBe(one);
});

test("the module's types are those of its documentation", () => {
  const folder = mkdtempSync(join(tmpdir(), "speechgru-types-"));
  const module = resolve("module/types/listener");
  writeFileSync(
    join(folder, "use.ts"),
    `import { createListener, ListenerError, type Detection } from "${module}";
    const words: Detection[] = [];
    const listener = await createListener({
      model: "model.tflite",
      wasm: new URL("https://example.org/wasm/"),
      onDetection: (detection) => words.push(detection),
      onHop: ({ scores, level }) => console.log(scores[0]! + level),
      onError: (error: ListenerError) => console.log(error.problem === "denied"),
    });
    await listener.start();
    const { detections } = await listener.detect(new Blob());
    const times: number[] = detections.map((one) => one.time);
    // @ts-expect-error: a model is needed
    void createListener({});
    // @ts-expect-error: it is private
    void listener.worker;
    export { times };`,
  );
  const options = ["--ignoreConfig", "--strict", "--noEmit", "--target", "ES2022"];
  options.push("--module", "ESNext", "--moduleResolution", "bundler", "--lib", "ES2022,DOM");
  try {
    execFileSync("node_modules/.bin/tsc", [...options, join(folder, "use.ts")], {
      encoding: "utf8",
    });
  } catch (error) {
    expect.fail((error as { stdout: string }).stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
