/**
 * Tokenizes SQL as SQLite does: enough to compare two statements, and to find the object and the table of a CREATE
 * statement.
 *
 * @module
 */

/** A token. White space and comments are not tokens. */
interface Token {
  /** `word`: a keyword, a number or an unquoted name. `name`: a quoted one. `string`: a literal. `other`: an operator. */
  kind: "word" | "name" | "string" | "other";
  /** Its text; of a quoted name, the name. */
  text: string;
}

/** The object that a CREATE statement creates. Names are in lower case. */
export interface Declaration {
  /** `table`, `index`, `view` or `trigger`. */
  type: string;
  /** Its name. */
  name: string;
  /** The table that it is on; its own name for a table or view. */
  table: string;
}

// SQLite has less white space than \s, and its words, unlike \w, include all that is not ASCII.
const TOKEN = new RegExp(
  [
    "[ \\t\\n\\f\\r]+",
    "--[^\\n]*",
    "/\\*[^]*?(?:\\*/|$)",
    "([\\w$\\u0080-\\uffff]+)",
    '("[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`|\\[[^\\]]*\\])',
    "('[^']*(?:''[^']*)*')",
    // A quote that is not closed takes the rest: to search it again for each would take quadratic time.
    "(<>|<=|>=|==|!=|<<|>>|\\|\\||->>|->|[\"`'[][^]*|[^])",
  ].join("|"),
  "y",
);

/** The tokens of a statement. */
export function* tokensOf(sql: string): Generator<Token, undefined> {
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at; // set each time: two statements are read at the same time
    const match = TOKEN.exec(sql);
    if (match === null) return;
    at = TOKEN.lastIndex;
    const [, word, name, string, other] = match;
    if (word !== undefined) yield { kind: "word", text: word };
    else if (name !== undefined) yield { kind: "name", text: unquote(name) };
    else if (string !== undefined) yield { kind: "string", text: string };
    else if (other !== undefined) yield { kind: "other", text: other };
  }
}

function unquote(name: string): string {
  const text = name.slice(1, -1);
  return name[0] === "[" ? text : text.replaceAll(name[0] + name[0], name[0]);
}

/**
 * Whether a statement equals the expected one, ignoring white space, comments, the case of keywords and quotes of names.
 *
 * @param sql The statement in the file. It may be hostile.
 * @param expected The expected statement, with keywords in upper case and names in lower case.
 */
export function isSameSql(sql: string, expected: string): boolean {
  if (sql === expected) return true;
  const found = tokensOf(sql);
  for (const token of tokensOf(expected)) {
    const { value } = found.next();
    if (value === undefined || !isSameToken(value, token)) return false;
  }
  return found.next().done === true;
}

function isSameToken(found: Token, expected: Token): boolean {
  if (expected.kind === "word" && /^[A-Z]+$/.test(expected.text)) return isKeyword(found, expected.text);
  if (found.text !== expected.text) return false;
  return found.kind === expected.kind || (isName(found) && isName(expected));
}

/** Whether a token is this keyword. SQLite ignores the case of ASCII letters alone. */
function isKeyword({ kind, text }: Token, keyword: string): boolean {
  return kind === "word" && /^[A-Za-z]+$/.test(text) && text.toUpperCase() === keyword;
}

function isName({ kind, text }: Token): boolean {
  return kind === "name" || (kind === "word" && /^[a-z_]\w*$/.test(text));
}

/**
 * The object that a statement in `sqlite_schema` creates. SQLite goes by the statement, not by the other columns.
 *
 * @returns Undefined for a text that is not a CREATE statement as SQLite stores it.
 */
export function declarationOf(sql: string): Declaration | undefined {
  const tokens = tokensOf(sql);
  const next = () => tokens.next().value ?? { kind: "other", text: "" } as const;
  if (!isKeyword(next(), "CREATE")) return undefined;
  let token: Token = next();
  if (isKeyword(token, "UNIQUE") || isKeyword(token, "VIRTUAL")) token = next();
  const type = token.kind === "word" ? lowerCase(token.text) : "";
  if (!["table", "index", "view", "trigger"].includes(type)) return undefined;
  const name = nameOf(next());
  if (name === undefined) return undefined;
  if (type === "table" || type === "view") return { type, name, table: name };
  for (token of tokens) {
    if (!isKeyword(token, "ON")) continue;
    const on = nameOf(next());
    const table = type === "trigger" && next().text === "." ? nameOf(next()) : on;
    return table === undefined ? undefined : { type, name, table };
  }
  return undefined;
}

function nameOf({ kind, text }: Token): string | undefined {
  if (kind === "other") return undefined;
  return lowerCase(kind === "string" ? text.slice(1, -1).replaceAll("''", "'") : text);
}

/** A name as SQLite compares it: in lower case, for ASCII letters alone. */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Whether a statement contains one of some keywords, given in upper case. */
export function hasKeyword(sql: string, keywords: ReadonlySet<string>): boolean {
  return tokensOf(sql).some(({ kind, text }) => kind === "word" && keywords.has(text.toUpperCase()));
}

/** Whether an index has plain columns only: no expression, no condition, no collation, and is not unique. */
export function isPlainIndex(sql: string): boolean {
  const tokens = [...tokensOf(sql)];
  const on = tokens.findIndex((token) => isKeyword(token, "ON"));
  if (on < 0 || tokens.slice(0, on).some((token) => isKeyword(token, "UNIQUE"))) return false;
  const [open, ...columns] = tokens.slice(on + 2);
  const close = columns.pop();
  return open?.text === "(" && close?.text === ")" && columns.every((token, i) => {
    if (token.text === ",") return true;
    const isFirst = i === 0 || columns[i - 1].text === ",";
    return isFirst
      ? token.kind === "word" || token.kind === "name"
      : isKeyword(token, "ASC") || isKeyword(token, "DESC");
  });
}
