/** The service worker: stores the page and the model, so that they work without a network. */

export {}; // a module, whose `self` is this:
declare const self: ServiceWorkerGlobalScope;
declare const __FILES__: string[]; // of the page; the build sets it
declare const __VERSION__: string; // changes when a file does; the build sets it

const PREFIX = `speechgru ${self.registration.scope} `; // other pages may be on the same origin
const CACHE = PREFIX + __VERSION__;

self.addEventListener("install", (event) => {
  const store = async (): Promise<void> => {
    const cache = await caches.open(CACHE);
    await cache.addAll(__FILES__);
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
  const isOurs = request.url.startsWith(self.registration.scope) && request.method === "GET";
  if (!isOurs) return;
  const isHashed = request.url.slice(self.registration.scope.length).startsWith("assets/");
  event.respondWith(isHashed ? fromCacheFirst(request) : fromNetworkFirst(request));
});

/** For files whose names change with their content. */
async function fromCacheFirst(request: Request): Promise<Response> {
  return (await caches.match(request, { cacheName: CACHE })) ?? fetch(request);
}

/** For the page itself and for models: what is there now, or else what was there last. */
async function fromNetworkFirst(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request, { cache: "no-cache" });
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const isPage = request.mode === "navigate"; // also with another ?model=
    const stored = await cache.match(isPage ? self.registration.scope : request);
    if (stored === undefined) throw error;
    return stored;
  }
}
