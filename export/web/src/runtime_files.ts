/** LiteRT's two files, fetched and checked. */

import { download, type Progress } from "./downloads";
import { ListenerError } from "./errors";
import { type RuntimeFiles } from "./network";

/**
 * Where LiteRT's files are: the folder that contains them, or the address of each.
 * Bundlers that rename files give the addresses.
 */
export type WasmLocation = string | URL | { script: string | URL; binary: string | URL };

// The build for every browser with WebAssembly SIMD. That with relaxed SIMD is no faster for these
// models, and its sums differ between processors.
const NAME = "litert_wasm_compat_internal";
const HELP =
  "Copy the folder `wasm` of this package to your site, and pass its address as `wasm`";

/**
 * Fetch LiteRT.
 *
 * @throws ListenerError: the files are not where they should be.
 */
export async function fetchRuntime(
  location: WasmLocation,
  onProgress: (progress: Progress) => void,
): Promise<RuntimeFiles> {
  const { script, binary } = addresses(location);
  try {
    const [scriptContent, binaryContent] = await Promise.all([
      download(script),
      download(binary, onProgress, __WASM_BYTES__),
    ]);
    check(binary, binaryContent, [0, 0x61, 0x73, 0x6d], "WebAssembly");
    if (new Uint8Array(scriptContent)[0] === 0x3c /* < */) throw wrongFile(script, "a script");
    return { script: scriptContent, binary: binaryContent };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ListenerError("download", `${message} ${HELP}.`);
  }
}

function addresses(location: WasmLocation): { script: string; binary: string } {
  if (typeof location === "object" && "script" in location) {
    return { script: String(location.script), binary: String(location.binary) };
  }
  const folder = String(location).replace(/\/?$/, "/");
  return { script: `${folder}${NAME}.js`, binary: `${folder}${NAME}.wasm` };
}

function check(url: string, content: ArrayBuffer, magic: number[], expected: string): void {
  const start = new Uint8Array(content, 0, Math.min(magic.length, content.byteLength));
  if (!magic.every((byte, index) => start[index] === byte)) throw wrongFile(url, expected);
}

function wrongFile(url: string, expected: string): Error {
  return new Error(`${url}: expected ${expected}, found another file, perhaps a web page.`);
}
