/** The page: connects the listener with what is seen. */

import runtimeScript from "@litertjs/core/wasm/litert_wasm_compat_internal.js?url";
import runtimeBinary from "@litertjs/core/wasm/litert_wasm_compat_internal.wasm?url";

import { FeatureStrip } from "./drawing/feature_strip";
import { ScoreBars } from "./drawing/score_bars";
import { Waveform } from "./drawing/waveform";
import { dropFiles } from "./file_drop";
import {
  createListener,
  type Detection,
  type Hop,
  type Listener,
  ListenerError,
  NOT_COMMANDS,
  type Progress,
} from "./listener";
import { looksLikeModel } from "./model_file";
import { prepareOffline } from "./offline";

const FRESH_SECONDS = 1.5; // in which a word is shown in colour
const LOG_LENGTH = 20;
const SPEED_HOPS = 25; // over which the time of a hop is averaged
const SUGGESTION_LENGTH = 70; // characters
const LEVEL_RANGE = 66; // dB, of the level's bar
const DELAY_SECONDS = 0.1; // by which the moving wave is behind, so that it moves evenly
const CALM_MILLISECONDS = 1000; // between pictures where motion is to be reduced

const element = <Type extends HTMLElement>(id: string): Type =>
  document.getElementById(id) as Type;
const listenButton = element<HTMLButtonElement>("listen");
const openButton = element<HTMLButtonElement>("open");
const fileInput = element<HTMLInputElement>("file");
const levelBar = element("level").firstElementChild as HTMLElement;
const waveform = new Waveform(element("waveform"));
const strip = new FeatureStrip(element("features"));
const bars = new ScoreBars(element("scores"));
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let listener: Listener;
let last: { hop: Hop; arrived: number } | null = null;
let milliseconds: number[] = [];
let fading: ReturnType<typeof setTimeout> | undefined;

void begin();

async function begin(): Promise<void> {
  dropFiles(openFile);
  const given = new URLSearchParams(location.search).get("model");
  let model: URL;
  try {
    model = absolute(given ?? "model.tflite");
    if (model.origin !== location.origin) {
      throw new ListenerError("model", "The model must be on the same site as this page.");
    }
    const wasm = { script: absolute(runtimeScript), binary: absolute(runtimeBinary) };
    listener = await createListener({ model, wasm, onHop, onDetection, onError, onProgress });
  } catch (error) {
    element("loading").hidden = true;
    return onError(error);
  }
  element("loading").hidden = true;
  const fileName = decodeURIComponent(model.pathname.split("/").at(-1)!);
  showModel(given === null ? "" : fileName);
  listenButton.disabled = openButton.disabled = false;
  listenButton.onclick = toggleListening;
  openButton.onclick = () => fileInput.click();
  fileInput.onchange = () => openFile(fileInput.files![0]);
  addEventListener("resize", () => last ?? draw());
  matchMedia("(prefers-color-scheme: dark)").onchange = () => last ?? draw();
  document.documentElement.dataset.state = "ready";
  if (await prepareOffline(model)) element("offline").textContent = "Works offline.";
}

function absolute(url: string): URL {
  return new URL(url, document.baseURI);
}

function onProgress({ loaded, total }: Progress): void {
  const bar = element<HTMLProgressElement>("loading-bar");
  bar.value = Math.min(1, loaded / total);
  element("loading-text").textContent = `Loading ${megabytes(loaded)} of ${megabytes(total)} MB`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function showModel(name: string): void {
  element("model").textContent = name;
  bars.setLabels(listener.labels);
  clear();
}

/** Show the page as before anything was heard. */
function clear(): void {
  showWord("", `Try: ${suggestions()}`);
  element("message").textContent = "";
  element("speed").textContent = "";
  bars.update(new Float32Array(listener.labels.length));
  bars.mark([]);
  waveform.clear();
  strip.clear();
  draw();
}

/** The first commands of the model. */
function suggestions(): string {
  const commands = listener.labels.filter((label) => !NOT_COMMANDS.includes(label));
  let shown = commands.length;
  const text = (): string => commands.slice(0, shown).join(", ");
  while (shown > 1 && text().length > SUGGESTION_LENGTH) shown--;
  return shown < commands.length ? `${text()}, …` : text();
}

function showWord(word: string, hint = ""): void {
  const shown = element("word");
  shown.textContent = word;
  shown.style.setProperty("--characters", String(word.length));
  element("hint").textContent = hint;
  shown.classList.toggle("fresh", word !== "");
  clearTimeout(fading);
  fading = setTimeout(() => shown.classList.remove("fresh"), 1000 * FRESH_SECONDS);
}

/** Let screen readers say what was detected. */
function announce(text: string): void {
  const line = document.createElement("p");
  line.textContent = text;
  const log = element("log");
  log.append(line);
  while (log.children.length > LOG_LENGTH) log.firstElementChild!.remove();
}

// ---- The microphone ----

let isToggling = false; // the button is not disabled meanwhile: it would lose the focus

async function toggleListening(): Promise<void> {
  if (isToggling) return;
  isToggling = true;
  try {
    if (listener.isListening) await listener.stop();
    else await startListening();
  } catch (error) {
    onError(error);
  }
  isToggling = false;
  showListening();
}

async function startListening(): Promise<void> {
  clear();
  milliseconds = [];
  last = null;
  await listener.start();
  requestAnimationFrame(animate);
}

function showListening(): void {
  const isListening = listener.isListening;
  listenButton.textContent = isListening ? "Stop" : "Listen";
  listenButton.classList.toggle("listening", isListening);
  if (!isListening) {
    last = null;
    showLevel(0);
  }
}

function onHop(hop: Hop): void {
  last = { hop, arrived: performance.now() };
  waveform.push(hop.peaks, hop.time, listener.hopSeconds);
  strip.push(hop.mfcc, hop.frames, listener.hopSeconds);
  milliseconds = [...milliseconds, hop.milliseconds].slice(-SPEED_HOPS);
}

function onDetection(detection: Detection): void {
  waveform.addWord(detection);
  showWord(detection.label);
  bars.mark([detection.label]);
  announce(detection.label);
}

let drawnAt = 0;

/** Draw, as long as the microphone is open. */
function animate(now: number): void {
  if (!listener.isListening) return;
  requestAnimationFrame(animate);
  if (last === null || (calm.matches && now < drawnAt + CALM_MILLISECONDS)) return;
  drawnAt = now;
  const since = (performance.now() - last.arrived) / 1000;
  const lag = calm.matches ? 0 : Math.max(0, DELAY_SECONDS - since);
  waveform.draw(last.hop.time - lag);
  strip.draw(lag);
  bars.update(last.hop.scores);
  showLevel(last.hop.level);
  if (milliseconds.length === SPEED_HOPS) showSpeed();
}

function showLevel(level: number): void {
  const share = 1 + (20 * Math.log10(Math.max(level, 1e-6))) / LEVEL_RANGE;
  levelBar.style.transform = `scaleX(${Math.max(0, Math.min(1, share))})`;
}

function showSpeed(): void {
  const mean = milliseconds.reduce((sum, one) => sum + one, 0) / milliseconds.length;
  const hop = Math.round(1000 * listener.hopSeconds);
  element("speed").textContent = `${mean.toFixed(1)} ms for ${hop} ms of sound`;
}

function draw(): void {
  waveform.draw();
  strip.draw();
}

// ---- Files ----

async function openFile(file: File | undefined): Promise<void> {
  fileInput.value = ""; // so that the same file can be chosen again
  if (file === undefined || openButton.disabled) return; // disabled until everything is loaded
  try {
    const start = await file.slice(0, 8).arrayBuffer();
    await listener.stop();
    showListening();
    if (file.name.endsWith(".tflite") || looksLikeModel(start)) await openModel(file);
    else await openSound(file);
  } catch (error) {
    onError(error);
  }
}

async function openModel(file: File): Promise<void> {
  await listener.loadModel(file, file.name);
  showModel(file.name);
  announce(`${file.name} is loaded`);
}

async function openSound(file: File): Promise<void> {
  clear();
  showWord("", `Reading ${file.name}`);
  const before = performance.now();
  const result = await listener.detect(file, file.name).catch((error: unknown) => {
    clear();
    throw error;
  });
  const taken = performance.now() - before;
  const words = result.detections.map((detection) => detection.label);
  const seconds = result.seconds.toFixed(1);
  const about = `${file.name}, ${seconds} s`;
  showWord(words.join(" · "), words.length === 0 ? `No command in ${about}` : about);
  bars.mark(words);
  waveform.show(result, listener.hopSeconds);
  strip.show(result.mfcc, result.frames);
  draw();
  element("speed").textContent = `${Math.round(taken)} ms for ${seconds} s of sound`;
  for (const { label, time } of result.detections) {
    announce(`${label} at ${time.toFixed(1)} seconds`);
  }
  if (words.length === 0) announce("No command was detected");
  document.dispatchEvent(new CustomEvent("recording", { detail: result })); // for the tests
}

function onError(error: unknown): void {
  const isOurs = error instanceof ListenerError;
  showWord("");
  const message = isOurs ? error.message : `Something went wrong: ${String(error)}`;
  element("message").textContent = message;
  document.documentElement.dataset.problem = isOurs ? error.problem : "unknown";
  if (listener !== undefined) showListening();
}
