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
const SHOWN_WORDS = 12; // of a recording, in large letters
const LONG_WORD = 60; // characters
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
let task = 0; // number of the last one: each click on Listen, and each file

void begin();

async function begin(): Promise<void> {
  dropFiles(openFile);
  listenButton.onclick = toggleListening;
  openButton.onclick = () => fileInput.click();
  fileInput.onchange = () => openFile(fileInput.files![0]);
  addEventListener("resize", () => last ?? draw());
  matchMedia("(prefers-color-scheme: dark)").onchange = () => last ?? draw();
  const observer = new ResizeObserver(reachScrollers);
  for (const id of ["labels", "scores", "found"]) observer.observe(element(id));
  try {
    const given = new URLSearchParams(location.search).get("model");
    const model = absolute(given ?? "model.tflite");
    if (model.origin !== location.origin) {
      throw new ListenerError("model", "The model must be on the same site as this page.");
    }
    const fileName = decodeURIComponent(model.pathname.split("/").at(-1)!);
    await load(model, given === null ? "" : fileName);
    if (await prepareOffline(model)) element("offline").textContent = "Works offline.";
  } catch (error) {
    setLoading(false);
    onError(error);
  }
}

/** Load LiteRT and the first model. */
async function load(model: URL | File, name: string): Promise<void> {
  setLoading(true);
  element("message").textContent = "";
  try {
    const wasm = { script: absolute(runtimeScript), binary: absolute(runtimeBinary) };
    listener = await createListener({ model, wasm, onHop, onDetection, onError, onProgress });
  } finally {
    setLoading(false);
  }
  showModel(name);
  listenButton.disabled = false;
  document.documentElement.dataset.state = "ready";
}

function setLoading(isLoading: boolean): void {
  element("loading").hidden = !isLoading;
  openButton.disabled = isLoading;
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
  delete document.documentElement.dataset.problem;
  listWords([]);
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
  shown.classList.toggle("long", word.length > LONG_WORD);
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
  const mine = ++task;
  try {
    if (listener.isListening) await listener.stop();
    else await startListening(mine);
  } catch (error) {
    if (mine === task) onError(error);
  }
  isToggling = false;
  showListening();
}

async function startListening(mine: number): Promise<void> {
  clear();
  await listener.start();
  if (mine !== task) return; // a file has been opened meanwhile
  clear();
  milliseconds = [];
  last = null;
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
  if (file === undefined || openButton.disabled) return; // disabled while LiteRT is loaded
  const mine = ++task;
  try {
    const start = await file.slice(0, 8).arrayBuffer();
    const isModel = file.name.endsWith(".tflite") || looksLikeModel(start);
    if (listener === undefined) {
      if (isModel) return await load(file, file.name);
      throw new ListenerError("model", "First open a model: a .tflite file of this project.");
    }
    await listener.stop();
    showListening();
    if (isModel) await openModel(file);
    else await openSound(file, mine);
  } catch (error) {
    if (mine === task) onError(error);
  }
}

async function openModel(file: File): Promise<void> {
  await listener.loadModel(file, file.name);
  showModel(file.name);
  announce(`${file.name} is loaded`);
}

async function openSound(file: File, mine: number): Promise<void> {
  clear();
  showWord("", `Reading ${file.name}`);
  const before = performance.now();
  const result = await listener.detect(file, file.name);
  if (mine !== task) return;
  const taken = performance.now() - before;
  const seconds = result.seconds.toFixed(1);
  const words = result.detections.map((detection) => detection.label);
  const about = `${file.name}, ${seconds} s`;
  showWord(firstOf(words, "\u00a0· "), words.length === 0 ? `No command in ${about}` : about);
  bars.mark(words);
  waveform.show(result, listener.hopSeconds);
  strip.show(result.mfcc, result.frames);
  draw();
  listWords(result.detections);
  element("speed").textContent = `${Math.round(taken)} ms for ${seconds} s of sound`;
  const said = result.detections.map(({ label, time }) => `${label} at ${time.toFixed(1)} seconds`);
  announce(firstOf(said, ", ") || "No command was detected");
  document.dispatchEvent(new CustomEvent("recording", { detail: result })); // for the tests
}

function firstOf(words: string[], separator: string): string {
  const more = words.length - SHOWN_WORDS;
  const shown = words.slice(0, SHOWN_WORDS).join(separator);
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** List all words of a recording with their times. */
function listWords(detections: Detection[]): void {
  const items = detections.map(({ label, time }) => {
    const item = document.createElement("li");
    const seconds = document.createElement("span");
    seconds.textContent = `${time.toFixed(1)} s`;
    item.append(label, " ", seconds);
    return item;
  });
  element("found").replaceChildren(...items);
  reachScrollers();
}

/** Let the keyboard reach what scrolls, and nothing else. */
function reachScrollers(): void {
  for (const one of [element("labels"), element("found")]) {
    if (one.scrollHeight > one.clientHeight) one.tabIndex = 0;
    else one.removeAttribute("tabindex");
  }
}

function onError(error: unknown): void {
  const isOurs = error instanceof ListenerError;
  showWord("");
  const message = isOurs ? error.message : `Something went wrong: ${String(error)}`;
  element("message").textContent = message;
  document.documentElement.dataset.problem = isOurs ? error.problem : "unknown";
  if (listener !== undefined) showListening();
}
