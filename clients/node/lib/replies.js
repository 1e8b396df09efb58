// @ts-check
import { CallError, ProtocolError } from "./errors.js";
import * as errors from "./generated/errors.js";

/** @typedef {{ id: number, result?: unknown, error?: { code: number, message: string, data?: any } }} Reply */

/** The error classes, by slug. */
const callErrors = new Map(Object.values(errors).map((type) => [/** @type {string} */ (type.slug), type]));

/**
 * Parses a line as a reply.
 *
 * @param {string} line
 * @returns {Reply}
 * @throws {ProtocolError} if the line is not a reply
 */
export function reply(line) {
  let value;
  try {
    value = JSON.parse(line);
  } catch {
    // Without the cause, because newer versions of Node quote the line in it.
    throw new ProtocolError(`Postern wrote a line that is no JSON: ${excerpt(line)}`);
  }
  if (!isReply(value)) throw new ProtocolError(`Postern wrote a line that is no reply: ${excerpt(line)}`);
  return value;
}

/** @param {any} value */
function isReply(value) {
  if (value?.jsonrpc !== "2.0" || !Number.isSafeInteger(value.id)) return false;
  if (!("error" in value)) return "result" in value;
  return !("result" in value) && Number.isSafeInteger(value.error?.code) && typeof value.error.message === "string";
}

/**
 * The start of a line, for a message; only the length if the line may be part of a reply with a session.
 *
 * @param {string} line
 */
function excerpt(line) {
  if (line.includes("{")) return `${line.length} characters`;
  return JSON.stringify(line.length > 200 ? `${line.slice(0, 200)}…` : line);
}

/**
 * The error of a reply, in the class of its slug.
 *
 * @param {NonNullable<Reply["error"]>} error
 */
export function callError(error) {
  const type = callErrors.get(error.data?.errors?.[0]) ?? CallError;
  return new type(error);
}
