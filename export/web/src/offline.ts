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
    const { active } = await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    return await new Promise((resolve) => {
      port1.onmessage = ({ data }: MessageEvent<boolean>) => resolve(data);
      active!.postMessage(model.href, [port2]);
    });
  } catch {
    return false;
  }
}
