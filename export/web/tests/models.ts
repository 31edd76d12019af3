/** Model files with other labels and settings than the bundled ones. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";

export interface Member {
  name: string;
  content: Buffer;
}

export type Settings = Record<string, unknown> & { detection: Record<string, unknown> };

export interface Parts {
  flatbuffer: Buffer;
  labels: string[];
  settings: Settings;
}

/** Take a model file apart, without the code that is tested. */
export function takeApart(path: string): Parts {
  const content = readFileSync(path);
  const start = content.indexOf("PK\x03\x04labels.txt".slice(0, 4), 0, "latin1");
  const text = content.subarray(start).toString("latin1");
  const labels = /labels\.txt([^]*?)PK/.exec(text)![1]!;
  const settings = /speechgru\.json([^]*?)PK/.exec(text)![1]!;
  return {
    flatbuffer: content.subarray(0, start),
    labels: labels.trimEnd().split("\n"),
    settings: JSON.parse(settings) as Settings,
  };
}

/** A model file of these parts, as a buffer. */
export function putTogether({ flatbuffer, labels, settings }: Parts): ArrayBuffer {
  const flatbuffer_sha256 = createHash("sha256").update(flatbuffer).digest("hex");
  return withZip(flatbuffer, [
    { name: "labels.txt", content: Buffer.from(labels.map((label) => `${label}\n`).join("")) },
    {
      name: "speechgru.json",
      content: Buffer.from(JSON.stringify({ ...settings, flatbuffer_sha256 })),
    },
  ]);
}

/** Bytes with a ZIP archive of uncompressed members after them. */
export function withZip(before: Buffer, members: Member[]): ArrayBuffer {
  const parts = [before];
  const entries: Buffer[] = [];
  let position = before.length;
  for (const { name, content } of members) {
    const nameBytes = Buffer.from(name);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt32LE(crc(content), 14);
    header.writeUInt32LE(content.length, 18);
    header.writeUInt32LE(content.length, 22);
    header.writeUInt16LE(nameBytes.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(crc(content), 16);
    entry.writeUInt32LE(content.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(nameBytes.length, 28);
    entry.writeUInt32LE(position, 42);
    parts.push(header, nameBytes, content);
    entries.push(entry, nameBytes);
    position += 30 + nameBytes.length + content.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(position, 16);
  return new Uint8Array(Buffer.concat([...parts, directory, end])).buffer;
}

function crc(content: Buffer): number {
  return crc32(content);
}
