/** A static server on 127.0.0.1 that records what is asked for. */

import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Record<string, string> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

export interface StaticServer {
  /** Address of the folder, with a slash at the end. */
  url: string;
  /** Files that are served from another place than the folder, by their paths below it. */
  replaced: Map<string, string>;
  /** Files for which the server answers 500. */
  broken: Set<string>;
  close(): Promise<void>;
}

/** Serve a folder under a path such as "/some/where/". */
export async function serve(folder: string, path: string): Promise<StaticServer> {
  const replaced = new Map<string, string>();
  const broken = new Set<string>();
  const server = createServer((request, response) => {
    const asked = decodeURIComponent(new URL(request.url!, "http://x").pathname);
    if (!asked.startsWith(path)) return fail(response, 404);
    const name = asked.slice(path.length) || "index.html";
    if (broken.has(name)) return fail(response, 500);
    const file = replaced.get(name) ?? join(folder, normalize(`/${name}`));
    if (!existsSync(file) || !statSync(file).isFile()) return fail(response, 404);
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type, "Content-Length": statSync(file).size });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${path}`,
    replaced,
    broken,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function fail(response: ServerResponse, status: number): void {
  response.writeHead(status, { "Content-Type": "text/html" });
  response.end("<!doctype html><title>error</title>");
}
