/**
 * A headless Chromium.
 *
 * @module
 */

import type { Browser } from "playwright-core";

/** Where Debian and others install it. */
const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The path of a Chromium; undefined where there is none. */
export const chromiumPath: string | undefined = PATHS.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** Whether a missing browser fails the tests, as in continuous integration. */
export const isRequired = Deno.env.get("MNEMA_TEST_BROWSER") === "required";

/** Starts the browser. */
export async function startBrowser(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error("there is no Chromium; on Debian: apt-get install chromium");
  // As root, Chromium has no sandbox. The pages are our own.
  const args = Deno.uid() === 0 ? ["--no-sandbox"] : [];
  // Playwright looks below /proc whether it runs on Windows, for which Deno wants every permission; so it does not look.
  Deno.env.set("__IS_WSL_TEST__", "1");
  const { chromium } = await import("playwright-core");
  return await chromium.launch({ executablePath: chromiumPath, args });
}
