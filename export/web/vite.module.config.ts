/** Builds the ES module for other pages into `module/`. */

import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";

import { defineConfig, type Plugin } from "vite";

import { BINARY, SCRIPT } from "./runtime_location.ts";

/** Adds package.json and LiteRT's files. */
function asPackage(): Plugin {
  return {
    name: "as-package",
    generateBundle() {
      const python = readFileSync("../../speechgru/__init__.py", "utf8");
      const description = {
        name: "speechgru",
        version: /__version__ = "(.*)"/.exec(python)?.[1],
        description: "Recognises spoken commands in the browser",
        license: "Apache-2.0",
        type: "module",
        exports: {
          ".": { types: "./types/listener.d.ts", default: "./speechgru.js" },
          "./wasm/*": "./wasm/*",
        },
      };
      const source = `${JSON.stringify(description, null, 2)}\n`;
      this.emitFile({ type: "asset", fileName: "package.json", source });
      for (const path of [SCRIPT, BINARY]) {
        const fileName = `wasm/${basename(path)}`;
        this.emitFile({ type: "asset", fileName, source: readFileSync(path) });
      }
    },
  };
}

export default defineConfig({
  define: { __WASM_BYTES__: statSync(BINARY).size },
  plugins: [asPackage()],
  publicDir: false,
  build: {
    target: "es2022",
    outDir: "module",
    lib: { entry: "src/listener.ts", formats: ["es"], fileName: "speechgru" },
  },
});
