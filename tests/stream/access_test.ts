import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileError } from "../../mod.ts";
import { StreamError } from "../../stream.ts";
import { note } from "../operations.ts";
import { works } from "../processes.ts";
import { Issuer } from "./credentials.ts";
import { join, openLog, TEAM, untilStatus, withServer } from "./nodes.ts";
import { noServer } from "./server.ts";
import { withFolder } from "../folder.ts";

Deno.test({
  name: "a file of credentials lets a node in; without one, with another, or with less it is told so",
  ignore: noServer,
  async fn() {
    const issuer = new Issuer();
    await withServer(async (server, folder) => {
      const write = (name: string, text: string) => {
        Deno.writeTextFileSync(`${folder}/${name}`, text);
        return `${folder}/${name}`;
      };
      using log = openLog(folder, "a");
      log.append(note("x"));
      await using node = await join(log, server, { credsFile: write("good.creds", issuer.credentials()) });
      await node.settled();
      assertEquals(node.status().published, 1);
      for (const credsFile of [undefined, write("other.creds", new Issuer().credentials())]) {
        const { code } = await assertRejects(() => join(log, server, { credsFile }), StreamError);
        assertEquals(code, "not-allowed");
      }
      const reader = write("reader.creds", issuer.credentials([`${TEAM}.>`]));
      await using second = await join(log, server, { credsFile: reader });
      log.append(note("y"));
      await untilStatus(second, "it is told", ({ error }) => error?.code === "not-allowed");
      assertStringIncludes(second.status().error!.message, `${TEAM}.ops.`);
      const missing = await assertRejects(() => join(log, server, { credsFile: `${folder}/none` }), FileError);
      assertEquals(missing.code, "missing-file");
      const broken = write("broken.creds", "no credentials");
      assertEquals(
        (await assertRejects(() => join(log, server, { credsFile: broken }), FileError)).code,
        "key-unreadable",
      );
    }, { config: issuer.config });
  },
});

/** Creates an authority, and certificates from it for 127.0.0.1 and for another name, in files of a folder. */
function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => {
    const { success, stderr } = new Deno.Command("openssl", { args, cwd: folder }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority", "-days", "2");
  for (const [name, host] of [["node", "IP:127.0.0.1"], ["other", "DNS:localhost"]]) {
    openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", "/CN=test");
    Deno.writeTextFileSync(`${folder}/${name}.ext`, `subjectAltName=${host}\n`);
    const files = ["-in", `${name}.csr`, "-out", `${name}.pem`, "-extfile", `${name}.ext`];
    openssl("x509", "-req", ...files, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2");
  }
}

Deno.test({
  name: "TLS is used with the files that are named, and a server of another authority or name is refused",
  ignore: noServer || !works("openssl", "version"),
  fn: () =>
    withFolder(async (files) => {
      makeCertificates(files);
      const configOf = (name: string) =>
        `tls { cert_file: "${files}/${name}.pem", key_file: "${files}/${name}.key", ca_file: "${files}/ca.pem", ` +
        "verify: true }";
      const tls = { caFile: `${files}/ca.pem`, certFile: `${files}/node.pem`, keyFile: `${files}/node.key` };
      await withServer(async (server, folder) => {
        using log = openLog(folder, "a");
        log.append(note("x"));
        await using node = await join(log, server, { tls });
        await node.settled();
        assertEquals(node.status().published, 1);
        for (const wrong of [undefined, { caFile: tls.caFile }, { ...tls, caFile: undefined }]) {
          const { code } = await assertRejects(() => join(log, server, { tls: wrong, timeoutMs: 1000 }), StreamError);
          assertEquals([code, wrong], ["unreachable", wrong]);
        }
      }, { config: configOf("node") });
      for (const config of [configOf("other"), undefined]) {
        await withServer(async (server, folder) => {
          using log = openLog(folder, "a");
          const { code } = await assertRejects(() => join(log, server, { tls }), StreamError);
          assertEquals([code, config], ["unreachable", config], "another name in the certificate, or no TLS");
        }, { config });
      }
    }),
});
