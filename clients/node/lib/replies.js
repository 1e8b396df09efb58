// @ts-check
"use strict";

const { CallError, ProtocolError } = require("./errors.js");
const errors = require("./generated/errors.js");

/** @typedef {{ id: number, result?: unknown, error?: { code: number, message: string, data?: any } }} Reply */

/**
 * A request or notification that the process sends on its own. A notification has no id.
 *
 * @typedef {{ method: string, params?: unknown, id?: unknown }} HostMessage
 */

/** The error classes, by API and slug, separated by a dot. */
const callErrors = new Map(
  Object.entries(errors).flatMap(([api, types]) => Object.values(types).map((type) => [`${api}.${type.slug}`, type])),
);

/**
 * Parses a line as a reply, or as a message that the process sends on its own.
 *
 * @param {string} line
 * @returns {Reply | HostMessage}
 * @throws {ProtocolError} if the line is neither
 */
function message(line) {
  let value;
  try {
    value = JSON.parse(line);
  } catch {
    // Without the cause, because newer versions of Node quote the line in it.
    throw new ProtocolError(`Postern wrote a line that is not JSON: ${excerpt(line)}`);
  }
  if (value?.jsonrpc === "2.0" && typeof value.method === "string") return value;
  if (!isReply(value)) throw new ProtocolError(`Postern wrote a line that is not a reply: ${excerpt(line)}`);
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
 * The error of a reply, in the class of its slug in the method's API. Any method can end with an error of the service.
 *
 * @param {string} method
 * @param {NonNullable<Reply["error"]>} error
 */
function callError(method, error) {
  const slug = error.data?.errors?.[0];
  const api = method.split(".", 1)[0];
  const type = callErrors.get(`${api}.${slug}`) ?? callErrors.get(`service.${slug}`) ?? CallError;
  return new type(error);
}

module.exports = { message, callError };
