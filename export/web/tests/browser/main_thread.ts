/** How long the tasks of a page's main thread take. */

import { type Browser, type Page } from "playwright-core";

const SLICE_SECONDS = 10; // a trace of more would be large

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  args: { name?: string };
  /** Microseconds, of the clock and of the processor. */
  dur?: number;
  tdur?: number;
}

export interface Tasks {
  count: number;
  /** Milliseconds of processor time of the longest task. */
  longest: number;
  /** Tasks of 50 ms or more by the clock: also those that other programs interrupted. */
  longByTheClock: number;
}

/** Watch the main thread for some seconds. */
export async function watchTasks(browser: Browser, page: Page, seconds: number): Promise<Tasks> {
  const tasks: Tasks = { count: 0, longest: 0, longByTheClock: 0 };
  for (let left = seconds; left > 0; left -= SLICE_SECONDS) {
    await browser.startTracing(page, { categories: ["toplevel"] });
    await page.waitForTimeout(1000 * Math.min(left, SLICE_SECONDS));
    const trace = JSON.parse(String(await browser.stopTracing())) as { traceEvents: TraceEvent[] };
    const main = trace.traceEvents.filter(
      ({ name, args }) => name === "thread_name" && args.name === "CrRendererMain",
    );
    for (const { name, pid, tid, dur, tdur } of trace.traceEvents) {
      const isTask = name === "ThreadControllerImpl::RunTask" && tdur !== undefined;
      if (!isTask || !main.some((thread) => thread.pid === pid && thread.tid === tid)) continue;
      tasks.count++;
      tasks.longest = Math.max(tasks.longest, tdur / 1000);
      if (dur! >= 50_000) tasks.longByTheClock++;
    }
  }
  return tasks;
}
