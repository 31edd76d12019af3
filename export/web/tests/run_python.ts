/** Runs python_values.py before the tests, unless its results are there already. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { TestProject } from "vitest/node";

import { ROOT } from "./repository.ts";

const PYTHON = process.env.PYTHON ?? "python3";
const FOLDER = "tests/values";
const SCRIPT = "tests/python_values.py";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of what python_values.py wrote. Null: this Python has no speechgru. */
    values: string | null;
    /** The bundled model with float32 weights. Null: this Python has no TensorFlow. */
    floatModel: string | null;
  }
}

export default function setup(project: TestProject): void {
  const files = readdirSync(join(ROOT, "speechgru"), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(py|tflite|keras)$/.test(name))
    .map((name) => join(ROOT, "speechgru", name));
  const hash = createHash("sha256");
  for (const file of [SCRIPT, ...files.sort()]) hash.update(readFileSync(file));
  const name = hash.digest("hex").slice(0, 16);
  const [values, floatModel] = [`${FOLDER}/${name}.json`, `${FOLDER}/${name}.tflite`];
  if (!existsSync(values)) {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER);
    const run = spawnSync(PYTHON, [SCRIPT, values, floatModel], { encoding: "utf8" });
    const isAbsent = run.error !== undefined || run.stderr.includes("ModuleNotFoundError");
    if (run.status !== 0 && !isAbsent) {
      throw new Error(`${PYTHON} ${SCRIPT} failed:\n${run.stderr}`);
    }
  }
  const hasValues = existsSync(values);
  if (!hasValues) {
    const how = "Set PYTHON to one that has it.";
    console.warn(`no speechgru in ${PYTHON}: comparisons with Python are skipped. ${how}`);
  }
  project.provide("values", hasValues ? values : null);
  project.provide("floatModel", existsSync(floatModel) ? floatModel : null);
}
