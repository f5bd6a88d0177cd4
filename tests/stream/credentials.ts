/**
 * Credentials for a server with operator and account, as the tools of NATS issue them.
 *
 * @module
 */

import { nkeys } from "@nats-io/transport-node";

type KeyPair = ReturnType<typeof nkeys.createUser>;

const utf8 = new TextEncoder();
const UNLIMITED = { subs: -1, data: -1, payload: -1 };

/** The configuration of a server, and users for it. */
export class Issuer {
  readonly #account: KeyPair = nkeys.createAccount();
  /** Lines for the configuration of the server. */
  readonly config: string;

  constructor() {
    const operator = nkeys.createOperator();
    const limits = { ...UNLIMITED, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
    const stores = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
    const system = nkeys.createAccount();
    const issue = (account: KeyPair, more: Record<string, number>) =>
      `${account.getPublicKey()}: ${sign(operator, account, { type: "account", limits: { ...limits, ...more } })}`;
    this.config = [
      `operator: ${sign(operator, operator, { type: "operator" })}`,
      "resolver: MEMORY",
      `system_account: ${system.getPublicKey()}`,
      `resolver_preload: { ${issue(system, {})}, ${issue(this.#account, stores)} }`,
    ].join("\n");
  }

  /**
   * The file of credentials for a new user.
   *
   * @param deny Subjects that the user may not publish to.
   */
  credentials(deny: readonly string[] = []): string {
    const user = nkeys.createUser();
    const pub = deny.length > 0 ? { deny } : {};
    const token = sign(this.#account, user, { type: "user", ...UNLIMITED, pub, sub: {} });
    const seed = new TextDecoder().decode(user.getSeed());
    return `-----BEGIN NATS USER JWT-----\n${token}\n------END NATS USER JWT------\n\n` +
      `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
  }
}

/** A token about a key, signed by another. */
function sign(issuer: KeyPair, subject: KeyPair, nats: Record<string, unknown>): string {
  const [iss, sub] = [issuer, subject].map((pair) => pair.getPublicKey());
  const claims = {
    jti: sub,
    iat: Math.floor(Date.now() / 1000),
    iss,
    sub,
    name: "test",
    nats: { ...nats, version: 2 },
  };
  const encode = (value: Uint8Array) => value.toBase64({ alphabet: "base64url", omitPadding: true });
  const json = (value: unknown) => encode(utf8.encode(JSON.stringify(value)));
  const signed = `${json({ typ: "JWT", alg: "ed25519-nkey" })}.${json(claims)}`;
  return `${signed}.${encode(issuer.sign(utf8.encode(signed)))}`;
}
