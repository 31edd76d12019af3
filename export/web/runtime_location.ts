/** Where npm has put LiteRT's files. */

const FOLDER = "node_modules/@litertjs/core/wasm";

export const SCRIPT = `${FOLDER}/litert_wasm_compat_internal.js`;
export const BINARY = `${FOLDER}/litert_wasm_compat_internal.wasm`;
