import { expect, test } from "vitest";

import { ListenerError } from "../../src/errors";
import { type ModelFile, readModelFile } from "../../src/model_file";
import { putTogether, type Settings, takeApart, withZip } from "../models";
import { MODEL, readBuffer, SMALL_MODEL } from "../repository";

const bundled = takeApart(MODEL);

async function messageFor(content: ArrayBuffer): Promise<string> {
  const error = await readModelFile(content, "a.tflite").then(
    () => expect.fail("expected an error"),
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(ListenerError);
  expect((error as ListenerError).problem).toBe("model");
  expect((error as ListenerError).message).toContain("a.tflite");
  return (error as ListenerError).message;
}

function withSettings(changes: Record<string, unknown>): Promise<ModelFile> {
  const settings = { ...bundled.settings, ...changes } as Settings;
  return readModelFile(putTogether({ ...bundled, settings }), "a.tflite");
}

function withDetection(changes: Record<string, unknown>): Promise<ModelFile> {
  return withSettings({ detection: { ...bundled.settings.detection, ...changes } });
}

test.each([MODEL, SMALL_MODEL])("labels and constants are those of %s", async (path) => {
  const { labels, settings, flatbuffer } = takeApart(path);
  const file = await readModelFile(readBuffer(path), "a.tflite");
  expect(file.labels).toEqual(labels);
  expect(file.labels).toContain("yes");
  expect(settings.detection).toMatchObject(file.rule as object);
  expect(file.hopSamples).toBe(settings.hop_samples);
  expect(file.windowSamples).toBe(settings.window_samples);
  expect(Buffer.from(file.flatbuffer).equals(flatbuffer)).toBe(true);
});

test("labels may contain spaces and any letters", async () => {
  const own = "licht \u00fc \u{1f600}";
  const labels = bundled.labels.map((label) => (label === "yes" ? own : label));
  const { yes, ...thresholds } = bundled.settings.detection.thresholds as Record<string, number>;
  const detection = {
    ...bundled.settings.detection,
    thresholds: { ...thresholds, [own]: yes },
  };
  const settings = { ...bundled.settings, detection };
  const file = await readModelFile(putTogether({ ...bundled, labels, settings }), "a.tflite");
  expect(file.labels).toEqual(labels);
});

test("a file of format version 1 has default constants", async () => {
  const changes = { format_version: 1, detection: undefined };
  expect((await withSettings({ ...changes, threshold: 0.7 })).rule).toMatchObject({
    thresholds: { yes: 0.7 },
    smoothing_hops: 12,
    context_weight: 50,
  });
  expect((await withSettings({ ...changes, threshold: 0 })).rule.thresholds.yes).toBe(0.5);
});

test("a comment after the archive is allowed", async () => {
  const content = Buffer.concat([Buffer.from(readBuffer(MODEL)), Buffer.from("a comment")]);
  content.writeUInt16LE(9, content.length - 9 - 2);
  expect((await readModelFile(new Uint8Array(content).buffer, "a.tflite")).labels).toContain("yes");
});

test("a file of another kind is an error", async () => {
  expect(await messageFor(new ArrayBuffer(0))).toContain("found another file");
  expect(await messageFor(new TextEncoder().encode("some text\n".repeat(99)).buffer)).toContain(
    "found another file",
  );
  const zip = withZip(Buffer.alloc(0), [{ name: "a.txt", content: Buffer.from("a") }]);
  expect(await messageFor(zip)).toContain("expected labels.txt in it, found none");
  const plain = new Uint8Array(bundled.flatbuffer).buffer;
  expect(await messageFor(plain)).toContain("cut off, or another program made it");
});

test("a truncated or damaged file is an error at every length and byte", async () => {
  const content = readBuffer(MODEL);
  for (let length = 0; length < content.byteLength; length += 9973) {
    await messageFor(content.slice(0, length));
  }
  for (let length = content.byteLength - 3000; length < content.byteLength; length += 37) {
    await messageFor(content.slice(0, length));
  }
  const start = bundled.flatbuffer.length;
  for (let place = 100; place < start; place += 19997) {
    const damaged = content.slice(0);
    new Uint8Array(damaged)[place]! ^= 1;
    expect(await messageFor(damaged)).toContain("its network is damaged");
  }
  for (let place = start + 40; place < start + 2100; place += 101) {
    const damaged = content.slice(0);
    new Uint8Array(damaged)[place]! ^= 1;
    await messageFor(damaged);
  }
});

test.each([
  [{ format_version: 3 }, "format_version"],
  [{ format_version: "2" }, "format_version"],
  [{ format_version: 1.5 }, "expected an integer format_version"],
  [{ front_end: { sample_rate: 8000 } }, "expected a sample rate of 16000 Hz, found 8000"],
  [{ front_end: 1 }, "expected an object front_end, found 1"],
  [{ detection: undefined }, "expected an object detection, found none"],
  [{ detection: [] }, "expected an object detection, found []"],
  [{ hop_samples: 0 }, "hop_samples"],
])("settings %j are an error", async (changes, message) => {
  await expect(withSettings(changes)).rejects.toThrow(message);
});

test.each([
  [{ smoothing_hops: 0 }, "expected smoothing_hops from 1 to 10000, found 0"],
  [{ smoothing_hops: 2.5 }, "expected an integer smoothing_hops, found 2.5"],
  [{ context_hops: 10_001 }, "context_hops"],
  [{ context_weight: -1 }, "context_weight"],
  [{ max_context: true }, "expected max_context from 0 to 1, found true"],
  [{ max_context: 0 }, "expected max_context above 0, found 0"],
  [{ wait_hops: null }, "wait_hops"],
  [{ thresholds: {} }, "expected thresholds of"],
  [{ thresholds: null }, "expected an object thresholds"],
])("constants %j are an error", async (changes, message) => {
  await expect(withDetection(changes)).rejects.toThrow(message);
});

test("thresholds that are no probabilities are an error", async () => {
  for (const yes of [0, 1.5, "0.5", null]) {
    const thresholds = { ...(bundled.settings.detection.thresholds as object), yes };
    await expect(withDetection({ thresholds })).rejects.toThrow("expected");
  }
});

test("labels that are repeated or empty are an error", async () => {
  for (const labels of [["yes", "yes"], ["yes"], ["yes", " "], []]) {
    expect(await messageFor(putTogether({ ...bundled, labels }))).toContain(
      "expected different labels",
    );
  }
});
