/** Audits a log twice, deletes it, audits another, and prints which files with `log` in their name are open each time. */
import { audit } from "../../../src/audit/audit.ts";

const [first, second] = Deno.args;
const open = () => {
  const links = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => `/proc/self/fd/${name}`);
  return links.flatMap((link) => {
    try {
      return [Deno.readLinkSync(link)];
    } catch {
      return []; // that of the folder, which is closed again
    }
  }).filter((file) => file.includes("log")).map((file) => file.slice(file.lastIndexOf("/") + 1));
};
await audit(first, { workers: 0 });
await audit(first, { workers: 0 });
console.log(open().join());
Deno.removeSync(first);
await audit(second, { workers: 0 });
console.log(open().join());
