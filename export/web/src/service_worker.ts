/** The service worker: stores the page and the model, so that they work without a network. */

export {}; // a module, whose `self` is this:
declare const self: ServiceWorkerGlobalScope;
declare const __FILES__: string[]; // of the page; the build sets it
declare const __VERSION__: string; // changes when a file does; the build sets it

const PREFIX = `speechgru ${self.registration.scope} `; // other pages may be on the same origin
const CACHE = PREFIX + __VERSION__;
const PAGE = self.registration.scope;
const FILES = new Set(__FILES__.map((name) => new URL(name, PAGE).href));

self.addEventListener("install", (event) => {
  const store = async (): Promise<void> => {
    const cache = await caches.open(CACHE);
    // "reload": a copy in the browser's other cache may be of the version before.
    await cache.addAll([...FILES].map((url) => new Request(url, { cache: "reload" })));
    await self.skipWaiting();
  };
  event.waitUntil(store());
});

self.addEventListener("activate", (event) => {
  const clean = async (): Promise<void> => {
    const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    const { origin, pathname } = new URL(request.url); // with any ?model=
    if (origin + pathname === PAGE) event.respondWith(pageFromNetworkFirst(request));
  } else if (FILES.has(request.url)) {
    event.respondWith(fromCacheFirst(request));
  } else if (isModel(request.url)) {
    event.respondWith(modelFromNetworkFirst(request));
  }
});

/** The page asks for a model to be stored. The answer is whether it is. */
self.addEventListener("message", (event) => {
  const store = async (url: string): Promise<boolean> => {
    if (isModel(url)) await modelFromNetworkFirst(new Request(url));
    return (await caches.match(url, { cacheName: CACHE })) !== undefined;
  };
  const answer = (isStored: boolean): void => event.ports[0]?.postMessage(isStored);
  event.waitUntil(store(event.data as string).then(answer, () => answer(false)));
});

function isModel(url: string): boolean {
  const { origin, pathname } = new URL(url);
  return origin === self.location.origin && pathname.endsWith(".tflite");
}

/** Each version of the page has its own cache. */
async function fromCacheFirst(request: Request): Promise<Response> {
  return (await caches.match(request, { cacheName: CACHE })) ?? fetch(request);
}

async function pageFromNetworkFirst(request: Request): Promise<Response> {
  try {
    return await fetch(request, { cache: "no-cache" });
  } catch (error) {
    const stored = await caches.match(PAGE, { cacheName: CACHE });
    if (stored === undefined) throw error;
    return stored;
  }
}

/** What is there now, or else what was there last. */
async function modelFromNetworkFirst(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request, { cache: "no-cache" });
    // The disk may be full: then the model is not stored.
    if (response.ok) await cache.put(request, response.clone()).catch(() => {});
    return response;
  } catch (error) {
    const stored = await cache.match(request);
    if (stored === undefined) throw error;
    return stored;
  }
}
