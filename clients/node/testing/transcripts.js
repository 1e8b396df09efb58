// Replays the transcripts of schema/cases through the client. schema/README.md describes their format.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CallError, Postern } from "postern-accounts";
import { binary, projectFolder } from "./support.js";

const folder = join(projectFolder, "schema/cases");
const deterministicFlags = ["--clock", "2016-02-24T22:07:52.371513Z", "--seed", "7"];
const contract = JSON.parse(readFileSync(join(projectFolder, "schema/openrpc.json"), "utf8"));
const methods = new Map(contract.methods.map((method) => [method.name, method]));

/** The names of all methods. */
export const methodNames = [...methods.keys()];

/** The names of all transcripts, sorted. */
export const transcriptNames = readdirSync(folder).filter((name) => name.endsWith(".jsonl")).sort();

/**
 * Replays a transcript, and yields for each request the line number, the reply, the thrown error, the expected reply,
 * and whether it was called with the typed method rather than with `call`.
 */
export async function* play(name) {
  const lines = readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
  const [head, ...steps] = lines.map((line) => JSON.parse(line));
  const flags = [...deterministicFlags, ...(head.arguments ?? [])];
  const postern = await Postern.open({ binary, data: ":memory:", arguments: flags });
  const kept = new Map();
  try {
    for (const [index, step] of steps.entries()) {
      if (!step.send) continue;
      for (let repetition = 0; repetition < (step.repeat ?? 1); repetition++) {
        const { method, params } = filled(step.send, kept);
        const played = await send(postern, method, params);
        yield { line: index + 2, method, ...played, expected: filled(step.expect, kept) };
        for (const [word, place] of Object.entries(step.keep ?? {})) kept.set(word, found(place, played.reply));
      }
    }
  } finally {
    await postern.close();
  }
}

async function send(postern, method, params) {
  const isTyped = fits(method, params);
  try {
    const result = await (isTyped ? typedCall(postern, method, params) : postern.call(method, params));
    // A typed method without a result returns undefined; the service sends null.
    return { reply: { result: result ?? null }, isTyped };
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    const { code, message, data } = error;
    return { reply: { error: { code, message, ...(data === undefined ? {} : { data }) } }, error, isTyped };
  }
}

function typedCall(postern, method, params) {
  const words = method.split(".").map((word) => word.replace(/_(.)/g, (_, letter) => letter.toUpperCase()));
  const last = words.pop();
  const group = words.reduce((group, word) => group[word], postern);
  return methods.get(method).params.length === 0 ? group[last]() : group[last](params);
}

/** Whether params have the names and types of the method's params. */
function fits(name, params = {}) {
  const method = methods.get(name);
  if (!method) return false;
  const properties = Object.fromEntries(method.params.map((param) => [param.name, param.schema]));
  const required = method.params.filter((param) => param.required).map((param) => param.name);
  return fitsSchema(params, { type: "object", properties, required });
}

function fitsSchema(value, { type, properties, required }) {
  const types = [type].flat();
  if (!types.includes(kind(value)) && !(types.includes("number") && kind(value) === "integer")) return false;
  // A schema without properties allows any.
  if (kind(value) !== "object" || properties === undefined) return true;
  return (
    required.every((name) => name in value) &&
    Object.keys(value).every((name) => name in properties && fitsSchema(value[name], properties[name]))
  );
}

function kind(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

/** The value with every `{{name}}` replaced by the value kept under that name. */
function filled(value, kept) {
  if (typeof value === "string") {
    const whole = /^\{\{([^{}]*)\}\}$/.exec(value);
    if (whole && kept.has(whole[1])) return kept.get(whole[1]);
    return value.replace(/\{\{([^{}]*)\}\}/g, (text, word) => (kept.has(word) ? kept.get(word) : text));
  }
  if (Array.isArray(value)) return value.map((element) => filled(element, kept));
  if (kind(value) !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filled(inner, kept)]));
}

/** The value that a `keep` selects from a reply. */
function found(place, reply) {
  const { at, match } = typeof place === "string" ? { at: place } : place;
  const target = at.split("/").slice(1).reduce((value, step) => value?.[step], reply);
  const value = match ? new RegExp(match).exec(target)?.[1] : target;
  if (value === undefined) throw new Error(`nothing to keep at ${JSON.stringify(place)}`);
  return value;
}

const timeFormat = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const patterns = {
  "<any>": () => true,
  "<string>": (value) => typeof value === "string",
  "<integer>": (value) => Number.isInteger(value),
  "<time>": (value) => value instanceof Date || (typeof value === "string" && timeFormat.test(value)),
  "<hex 32>": matcher(/^[0-9a-f]{32}$/),
  "<hex 64>": matcher(/^[0-9a-f]{64}$/),
  "<hex 128>": matcher(/^[0-9a-f]{128}$/),
  "<uuid>": matcher(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
};

/** Whether a Date is the time of a text, whose microseconds it does not have. */
function isTime(date, text) {
  return timeFormat.test(text) && date.toISOString() === text.replace(/\d{3}Z$/, "Z");
}

function matcher(expression) {
  return (value) => typeof value === "string" && expression.test(value);
}

/** Whether a value is what a transcript expects. */
export function matches(value, expected) {
  if (Object.hasOwn(patterns, expected)) return patterns[expected](value);
  if (value instanceof Date) return isTime(value, expected);
  if (kind(value) !== kind(expected)) return false;
  if (Array.isArray(value)) {
    return value.length === expected.length && value.every((element, index) => matches(element, expected[index]));
  }
  if (kind(value) !== "object") return value === expected;
  const names = Object.keys(expected);
  return (
    Object.keys(value).length === names.length &&
    names.every((name) => Object.hasOwn(value, name) && matches(value[name], expected[name]))
  );
}
