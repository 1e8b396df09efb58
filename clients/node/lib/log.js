// @ts-check
"use strict";

const { inspect } = require("node:util");
const { writeToStderr } = require("./stderr.js");

/** A line of the program's log; the message is a JSON string. */
const logFormat = /^time=\S+ level=(\w+) message=(".*")$/;
const methodsOfLevels = /** @type {{ [level: string]: "warn" | "info" }} */ ({ warning: "warn", info: "info" });

/**
 * A function that passes each line of stderr on, and never throws: a line that the host's function refuses goes to the
 * host's stderr.
 *
 * @param {import("./postern.js").PosternOptions["onLog"]} onLog
 * @param {import("./postern.js").PosternOptions["logger"]} logger
 * @returns {(line: string) => void}
 */
function lineLog(onLog, logger) {
  if (!onLog && !logger) return writeToStderr;
  const toHost = onLog && guarded(onLog, writeToStderr);
  const toLogger = logger && guarded((/** @type {string} */ line) => write(logger, line), writeToStderr);
  return (line) => {
    toHost?.(line);
    toLogger?.(line);
  };
}

/**
 * A function of the host that never throws and never rejects: the error goes to stderr.
 *
 * @template Argument
 * @param {(argument: Argument) => unknown} body
 * @param {(argument: Argument) => void} [onFailure] - gets the argument then
 * @returns {(argument: Argument) => void}
 */
function guarded(body, onFailure = () => {}) {
  return (argument) => {
    /** @param {unknown} error */
    const fail = (error) => {
      onFailure(argument);
      writeToStderr(`postern: a function of the host failed: ${shown(error)}`);
    };
    try {
      const outcome = /** @type {any} */ (body(argument));
      if (typeof outcome?.then === "function") outcome.then(undefined, fail);
    } catch (error) {
      fail(error);
    }
  };
}

/**
 * The text of what a function of the host has thrown. Never throws, although it can run code of the host.
 *
 * @param {unknown} error
 * @param {(error: unknown) => string} show
 */
function shown(error, show = inspect) {
  try {
    return show(error);
  } catch {
    return "an error that cannot be shown";
  }
}

/**
 * @param {import("./postern.js").Logger} logger
 * @param {string} line
 */
function write(logger, line) {
  const { level, text } = partsOf(line);
  return logger[methodsOfLevels[level] ?? "error"](text);
}

/**
 * The level and the message of a line of the log. Any other line is one with which the program ends, a usage error or a
 * crash.
 *
 * @param {string} line
 */
function partsOf(line) {
  const [, level, quoted] = logFormat.exec(line) ?? [];
  try {
    if (level !== undefined) return { level, text: JSON.parse(quoted) };
  } catch {
    // What resembles a message is no JSON.
  }
  return { level: "error", text: line };
}

module.exports = { guarded, lineLog, shown };
