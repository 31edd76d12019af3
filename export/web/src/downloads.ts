/** Fetches files, reports how much has arrived, and says plainly what is wrong. */

import { ListenerError } from "./errors";

export interface Progress {
  /** Bytes so far. */
  loaded: number;
  /** Bytes in all; 0 if the server does not say. */
  total: number;
}

/**
 * Fetch a file.
 *
 * @param url its address.
 * @param size its bytes, where they are known. Compressed answers state another number.
 * @throws ListenerError: the server cannot be reached, or does not have the file.
 */
export async function download(
  url: string | URL,
  onProgress: (progress: Progress) => void = () => {},
  size?: number,
): Promise<ArrayBuffer> {
  let response: Response;
  try {
    response = await fetch(url);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return await readAll(response, onProgress, size);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ListenerError("download", `${url} could not be loaded: ${reason}.`);
  }
}

async function readAll(
  response: Response,
  onProgress: (progress: Progress) => void,
  size?: number,
): Promise<ArrayBuffer> {
  const isEncoded = response.headers.has("content-encoding");
  const stated = isEncoded ? 0 : Number(response.headers.get("content-length") ?? 0);
  const total = size ?? stated;
  if (response.body === null) return response.arrayBuffer();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value);
    loaded += next.value.length;
    onProgress({ loaded, total });
  }
  return new Blob(parts).arrayBuffer();
}
