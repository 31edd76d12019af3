/** Prepares the page for use without a network. */

/**
 * Start the service worker and let it store the page and its model.
 *
 * @returns whether the page works offline now.
 */
export async function prepareOffline(model: URL): Promise<boolean> {
  if (!("serviceWorker" in navigator)) return false; // such as a page without https
  try {
    await navigator.serviceWorker.register(new URL("service_worker.js", document.baseURI));
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller === null) {
      await new Promise((resolve) => {
        navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true });
      });
    }
    return (await fetch(model)).ok; // passes through the service worker, which stores it
  } catch {
    return false;
  }
}
