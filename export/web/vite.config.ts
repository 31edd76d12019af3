/** Builds the page into `dist/`. */

import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";

import { defineConfig, type Plugin } from "vite";

import { BINARY } from "./runtime_location.ts";

const MODEL = "../../speechgru/pretrained/medium.tflite";
const NOT_STORED = ["service_worker.js", "model.tflite", "start_check.js"];
const PUBLIC = ["icon.svg", "manifest.webmanifest", "start_check.js"];

/** Adds the model, and tells the service worker which files there are. */
function staticPage(): Plugin {
  return {
    name: "static-page",
    enforce: "post", // index.html is in the bundle then
    generateBundle(_, bundle) {
      const files = Object.keys(bundle).filter((name) => !NOT_STORED.includes(name));
      const hash = createHash("sha256");
      for (const name of files.sort()) {
        const file = bundle[name]!;
        hash.update(file.type === "chunk" ? file.code : file.source);
      }
      for (const name of PUBLIC) hash.update(readFileSync(`public/${name}`));
      const worker = bundle["service_worker.js"];
      if (worker?.type !== "chunk") throw new Error("expected service_worker.js in the build");
      const stored = ["./", ...files.filter((name) => name !== "index.html"), ...PUBLIC];
      worker.code = worker.code
        .replaceAll("__FILES__", JSON.stringify(stored))
        .replaceAll("__VERSION__", JSON.stringify(hash.digest("hex").slice(0, 16)));
      this.emitFile({ type: "asset", fileName: "model.tflite", source: readFileSync(MODEL) });
    },
  };
}

export default defineConfig({
  base: "./",
  define: { __WASM_BYTES__: statSync(BINARY).size },
  plugins: [staticPage()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    rollupOptions: {
      input: { index: "index.html", service_worker: "src/service_worker.ts" },
      output: {
        entryFileNames: ({ name }) =>
          name === "service_worker" ? "[name].js" : "assets/[name]-[hash].js",
      },
    },
  },
});
