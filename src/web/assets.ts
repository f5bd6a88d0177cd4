/**
 * The stylesheet, the script and the icon of the pages.
 *
 * @module
 */

import { SVG_STYLE } from "../render/svg.ts";

/** The icon: evidence, and two claims above it. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#174a5c"/>
<path d="M16 22 9 11M16 22l7-11" stroke="#bfe3ee" stroke-width="2.5"/>
<circle cx="16" cy="22" r="4" fill="#fff"/><circle cx="9" cy="10" r="3.5" fill="#7fd1b9"/>
<circle cx="23" cy="10" r="3.5" fill="#7fd1b9"/>
</svg>
`;

/**
 * The script: loads the live parts of a page again when the server says that something has changed. A hidden page has no
 * stream: a browser opens only a few connections to one server.
 */
export const LIVE_SCRIPT = `const INTERVAL_MS = 1000;
/** What the page was made from. */
let state = document.body.dataset.state;
let events, timer, loading = false, changed = false, loadedAt = performance.now();

function listen() {
  if (document.hidden) {
    events?.close();
    events = undefined;
  } else if (events === undefined) {
    events = new EventSource("/events");
    events.addEventListener("change", ({ data }) => {
      if (data !== state) schedule();
    });
  }
}

function schedule() {
  changed = true;
  if (loading || timer !== undefined) return;
  const wait = Math.max(0, loadedAt + INTERVAL_MS - performance.now());
  timer = setTimeout(load, wait);
}

async function load() {
  timer = undefined;
  loading = true;
  changed = false;
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" } });
    if (response.ok) replace(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // The server was stopped: the stream of events tells when it is back.
  }
  loading = false;
  loadedAt = performance.now();
  if (changed) schedule();
}

function replace(loaded) {
  state = loaded.body.dataset.state;
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = loaded.getElementById(part.id);
    if (next === null || next.innerHTML === part.innerHTML) continue;
    if (part.contains(document.activeElement)) {
      const focused = document.activeElement;
      if (!(focused instanceof HTMLAnchorElement)) continue; // somebody fills in a form
      const address = focused.getAttribute("href");
      part.replaceChildren(...next.childNodes);
      [...part.querySelectorAll("a")].find((link) => link.getAttribute("href") === address)?.focus();
    } else part.replaceChildren(...next.childNodes);
    if (part.querySelector(".picture") !== null) center();
  }
}

/** A picture that is wider than the page begins at its first node, the explained claim. */
function center() {
  for (const picture of document.querySelectorAll(".picture")) {
    const root = picture.querySelector(".root")?.getBoundingClientRect();
    if (root === undefined) continue;
    const { left, width } = picture.getBoundingClientRect();
    picture.scrollLeft += root.left + root.width / 2 - left - width / 2;
  }
}

document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => {
  events?.close();
  events = undefined;
});
addEventListener("pageshow", listen);
center();
listen();
`;

/** The stylesheet. */
export const STYLE = `:root {
  color-scheme: light dark;
  --ground: #fbfaf7;
  --raised: #fff;
  --ink: #1d2326;
  --soft: #545d62;
  --line: #d8d5cc;
  --accent: #0b5f7a;
  --accent-ink: #fff;
  --good: #17663a;
  --good-ground: #e3f2e8;
  --bad: #a3201d;
  --bad-ground: #fbe6e4;
  --warn: #7a4c00;
  --warn-ground: #fdf1d6;
  --quiet-ground: #edebe5;
  --evidence: #1c4f9c;
  --evidence-ground: #e6eefb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14181a;
    --raised: #1c2225;
    --ink: #e8ebec;
    --soft: #a9b3b8;
    --line: #3a4347;
    --accent: #7cc7e0;
    --accent-ink: #06212b;
    --good: #7fd6a2;
    --good-ground: #163424;
    --bad: #ff9d97;
    --bad-ground: #47201e;
    --warn: #f1c267;
    --warn-ground: #3d2f10;
    --quiet-ground: #262d31;
    --evidence: #9cc1ff;
    --evidence-ground: #1b2d4a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto;
  max-width: 76rem;
  padding: 0 1rem 3rem;
  background: var(--ground);
  color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere;
}
a { color: var(--accent); text-underline-offset: 0.15em; }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, summary:focus-visible,
[tabindex]:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
main:focus { outline: none; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 0.5rem; padding: 0.5rem; background: var(--raised); }
header {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  gap: 0.25rem 2rem;
  padding: 0.75rem 0;
  border-bottom: 1px solid var(--line);
}
header p { margin: 0; }
.name { color: var(--soft); }
.product { color: var(--ink); font-weight: 700; letter-spacing: 0.02em; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0; padding: 0; list-style: none; }
nav a { display: inline-block; padding: 0.25rem 0; }
nav a[aria-current] { color: var(--ink); font-weight: 600; text-decoration-thickness: 3px; }
h1 { margin: 1.25rem 0 0.75rem; font-size: 1.6rem; line-height: 1.25; }
h2 { margin: 2rem 0 0.5rem; font-size: 1.15rem; }
code, pre, .id, .seq, .value, .body { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 0.875em; }
code { font-size: 0.875em; }
pre {
  margin: 0.5rem 0;
  padding: 0.75rem;
  max-height: 30rem;
  overflow-y: auto;
  background: var(--raised);
  border: 1px solid var(--line);
  border-radius: 0.5rem;
  white-space: pre-wrap;
}
table { width: 100%; margin: 0.75rem 0; border-collapse: collapse; }
caption { padding: 0.25rem 0; color: var(--soft); text-align: left; }
th { color: var(--soft); font-size: 0.875rem; font-weight: 600; text-align: left; white-space: nowrap; }
th, td { padding: 0.375rem 0.75rem 0.375rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th, td { overflow-wrap: break-word; }
.key, .value, .body, .type { overflow-wrap: anywhere; }
td:has(.type) { min-width: 9.5rem; }
td:has(> .id), td time, .status, .seq { white-space: nowrap; }
h2 + table caption, h2 + [data-live] > table:first-child caption {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
}
.facts { display: grid; gap: 0.375rem; margin: 0.75rem 0; }
.facts div { display: grid; grid-template-columns: 10rem 1fr; gap: 0.25rem 1rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; min-width: 0; }
.status { display: inline-block; padding: 0 0.5rem; border: 1px solid; border-radius: 0.375rem; font-size: 0.875rem; }
.status::before { display: inline-block; width: 1.1em; }
.status.active { background: var(--good-ground); color: var(--good); }
.status.active::before { content: "●" / ""; }
.status.superseded { background: var(--quiet-ground); color: var(--soft); }
.status.superseded::before { content: "↑" / ""; }
.status.pending { background: var(--warn-ground); color: var(--warn); border-style: dotted; }
.status.pending::before { content: "…" / ""; }
.status.invalidated { background: var(--bad-ground); color: var(--bad); border-style: dashed; }
.status.invalidated::before { content: "⤓" / ""; }
.status.corrected { background: var(--bad-ground); color: var(--bad); }
.status.corrected::before { content: "≠" / ""; }
.status.refuted { background: var(--bad-ground); color: var(--bad); }
.status.refuted::before { content: "✗" / ""; }
.mark.good { color: var(--good); }
.mark.good::before { content: "✓ " / ""; }
.mark.bad { color: var(--bad); }
.mark.bad::before { content: "✗ " / ""; }
.notice { padding: 0.5rem 0.75rem; background: var(--warn-ground); color: var(--warn); border-radius: 0.5rem; }
.problem { font-size: 1.1rem; }
form.filter { display: flex; flex-wrap: wrap; align-items: start; gap: 0.5rem 1rem; }
.field { margin: 0; flex: 1 1 10rem; max-width: 20rem; }
form.edit .field { margin: 0.75rem 0; max-width: 40rem; }
label { display: block; font-size: 0.875rem; font-weight: 600; }
input, select, button { font: inherit; min-height: 2.5rem; padding: 0.25rem 0.625rem; border-radius: 0.375rem; }
input, select { width: 100%; background: var(--raised); color: var(--ink); border: 1px solid var(--soft); }
input[type="hidden"] { display: none; }
.hint { color: var(--soft); font-size: 0.875rem; }
button {
  background: var(--accent);
  color: var(--accent-ink);
  border: 1px solid var(--accent);
  font-weight: 600;
  cursor: pointer;
}
button.danger { background: var(--bad); border-color: var(--bad); color: var(--ground); }
.submit { margin: 0; }
form.filter .submit { padding-top: 1.3125rem; }
form.edit .submit { margin: 1rem 0; }
.actions { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; margin: 1rem 0; padding: 0; list-style: none; }
.pager { display: flex; gap: 1.5rem; margin: 1rem 0; }
progress { width: 100%; max-width: 40rem; height: 1.25rem; accent-color: var(--accent); }
.picture {
  margin: 0.75rem 0;
  padding: 0.5rem;
  max-height: 80vh;
  overflow: auto;
  background: var(--raised);
  border: 1px solid var(--line);
  border-radius: 0.5rem;
}
.picture svg { display: block; margin: 0 auto; max-width: none; height: auto; }
.sentences { padding-left: 1.5rem; }
.sentences li { margin: 0.5rem 0; }
.sentences .detail { display: block; color: var(--soft); font-size: 0.9rem; }
.path { border-left: 3px solid var(--bad); padding-left: 1rem; }
@media (max-width: 44rem) {
  .facts div { grid-template-columns: 1fr; gap: 0; }
  table, tbody, caption { display: block; }
  thead { position: absolute; left: -100rem; }
  tr { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  td:has(.type) { min-width: 0; }
  td { display: block; padding: 0; border: 0; min-width: 0; }
  .field { max-width: none; flex-basis: 100%; }
  form.filter .submit { padding: 0; }
}
@media (prefers-reduced-motion: no-preference) {
  html { scroll-behavior: smooth; }
}
${SVG_STYLE}
`;
