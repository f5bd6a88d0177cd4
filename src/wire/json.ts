/**
 * A strict JSON parser: like `JSON.parse`, but integers keep all their 64 bits, and floats, duplicate keys, lone
 * surrogates and deep nesting are errors with an offset.
 *
 * @module
 */

import { CanonicalError, type CanonicalRule } from "../errors.ts";
import { type CanonicalObject, type CanonicalValue, MAX_DEPTH, MAX_INTEGER, MIN_INTEGER } from "./value.ts";

/**
 * Parses JSON text into a value that MNC-1 can encode. White space, the order of keys and the choice of escapes are
 * free: it is for input from people and other programs. For operations, use `parseCanonical`.
 *
 * @param text JSON text (RFC 8259).
 * @returns The value. Integers beyond ±(2^53-1) are `bigint`.
 * @throws {CanonicalError} With the `offset` of the first fault.
 *
 * @example
 * ```ts
 * import { parseJson } from "@mnema/oplog";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(parseJson('{ "n": 9007199254740993 }'), { n: 9007199254740993n });
 * assertThrows(() => parseJson('{"n": 0.5}'), Error, "float");
 * ```
 */
export function parseJson(text: string): CanonicalValue {
  return new Parser(text).parseAll();
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
const WHITE_SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
// deno-lint-ignore no-control-regex
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const HEX4 = /[0-9a-fA-F]{4}/y;

class Parser {
  #text: string;
  #offset = 0;

  constructor(text: string) {
    if (typeof text !== "string") throw new CanonicalError("type", "JSON is parsed from a string", { offset: 0 });
    this.#text = text;
  }

  parseAll(): CanonicalValue {
    this.#skipSpace();
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#offset < this.#text.length) throw this.#unexpected("the end");
    return value;
  }

  #value(depth: number): CanonicalValue {
    if (depth > MAX_DEPTH) throw this.#error("depth", `nesting is deeper than ${MAX_DEPTH} levels`);
    switch (this.#text[this.#offset]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#offset)) throw this.#unexpected("a value");
    this.#offset += word.length;
    return value;
  }

  #number(): number | bigint {
    const start = this.#offset;
    const match = this.#match(NUMBER);
    if (match === null) throw this.#unexpected("a value");
    const [digits, fraction, exponent] = match;
    if (fraction !== undefined || exponent !== undefined) {
      const shown = digits.length > 40 ? `${digits.slice(0, 40)}…` : digits;
      throw this.#error("float", `${shown} is a float; write a scaled integer such as parts per million`, start);
    }
    const number = Number(digits);
    if (Number.isSafeInteger(number)) return number + 0; // -0 + 0 is 0
    const integer = digits.length > 20 ? MAX_INTEGER + 1n : BigInt(digits);
    if (integer < MIN_INTEGER || integer > MAX_INTEGER) {
      throw this.#error("range", "an integer does not fit in 64 bits", start);
    }
    return integer;
  }

  #string(): string {
    const start = this.#offset++;
    let value = "";
    for (;;) {
      value += this.#match(PLAIN)![0];
      const next = this.#text[this.#offset];
      if (next === '"') break;
      if (next !== "\\") throw this.#unexpected(next === undefined ? 'a closing "' : "an escape");
      value += this.#escape();
    }
    this.#offset++;
    if (!value.isWellFormed()) {
      throw this.#error("surrogate", "a string has a lone surrogate, which UTF-8 cannot hold", start);
    }
    return value;
  }

  #escape(): string {
    const start = this.#offset;
    const letter = this.#text[start + 1];
    this.#offset += 2;
    if (letter === "u") {
      const digits = this.#match(HEX4);
      if (digits !== null) return String.fromCharCode(parseInt(digits[0], 16));
    } else if (letter !== undefined && Object.hasOwn(ESCAPES, letter)) {
      return ESCAPES[letter];
    }
    throw this.#error("syntax", "a string has an escape that is not JSON", start);
  }

  #array(depth: number): CanonicalValue[] {
    const items: CanonicalValue[] = [];
    this.#members("]", () => items.push(this.#value(depth + 1)));
    return items;
  }

  #object(depth: number): CanonicalObject {
    const object: Record<string, CanonicalValue> = {};
    this.#members("}", () => {
      const start = this.#offset;
      if (this.#text[start] !== '"') throw this.#unexpected("a key");
      const key = this.#string();
      if (Object.hasOwn(object, key)) {
        throw this.#error("duplicate", `the key ${JSON.stringify(key)} occurs twice in one object`, start);
      }
      this.#skipSpace();
      if (this.#text[this.#offset] !== ":") throw this.#unexpected('":"');
      this.#offset++;
      this.#skipSpace();
      const value = this.#value(depth + 1);
      // Assignment would set the prototype when the key is "__proto__".
      Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
    });
    return object;
  }

  /** Parses a list in brackets, separated by commas; `read` parses one member. */
  #members(close: string, read: () => void): void {
    this.#offset++;
    this.#skipSpace();
    if (this.#text[this.#offset] === close) {
      this.#offset++;
      return;
    }
    for (;;) {
      read();
      this.#skipSpace();
      const next = this.#text[this.#offset];
      if (next !== "," && next !== close) throw this.#unexpected(`"," or "${close}"`);
      this.#offset++;
      if (next === close) return;
      this.#skipSpace();
    }
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#offset;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#offset += match[0].length;
    return match;
  }

  #skipSpace(): void {
    this.#match(WHITE_SPACE);
  }

  #unexpected(expected: string): CanonicalError {
    const found = this.#offset < this.#text.length ? JSON.stringify(this.#text[this.#offset]) : "the end";
    return this.#error("syntax", `this is not JSON: found ${found}, expected ${expected}`);
  }

  #error(rule: CanonicalRule, message: string, offset = this.#offset): CanonicalError {
    return new CanonicalError(rule, `${message} (offset ${offset})`, { offset });
  }
}
