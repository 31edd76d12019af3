/** Bytes of LiteRT's WebAssembly; the build sets it. */
declare const __WASM_BYTES__: number;
