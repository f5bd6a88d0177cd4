/**
 * A certificate for servers of tests on 127.0.0.1, made by openssl.
 *
 * @module
 */

import { assert } from "@std/assert";

const ARGS =
  "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 " +
  "-subj /CN=test -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=CA:FALSE";

/** Writes `cert.pem` and `key.pem` into a folder. */
export function makeCertificate(folder: string): void {
  const { success, stderr } = new Deno.Command("openssl", { args: ARGS.split(" "), cwd: folder }).outputSync();
  assert(success, new TextDecoder().decode(stderr));
}
