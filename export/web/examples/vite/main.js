import { createListener } from "speechgru";
// Vite copies both files and renames them: it knows their addresses.
import script from "speechgru/wasm/litert_wasm_compat_internal.js?url";
import binary from "speechgru/wasm/litert_wasm_compat_internal.wasm?url";

const button = document.querySelector("button");
const output = document.querySelector("output");
try {
  const listener = await createListener({
    model: "model.tflite", // in public/
    wasm: { script, binary },
    onDetection({ label, time }) {
      output.value = `${label} at ${time.toFixed(2)} s`;
    },
  });
  output.value = `Say ${listener.labels.join(", ")}`;
  button.onclick = () => listener.start().catch((error) => (output.value = error.message));
  button.disabled = false;
} catch (error) {
  output.value = error.message;
}
