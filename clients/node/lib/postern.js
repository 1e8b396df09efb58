// @ts-check
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { findBinary } from "./binary.js";
import { Connection } from "./connection.js";
import { CallError, PosternError, ProtocolError } from "./errors.js";
import { readinessMethod } from "./generated/limits.js";
import { Methods } from "./generated/methods.js";
import { hideSecrets, misfit } from "./shapes.js";

/** How long opening waits for the first reply. */
const openMilliseconds = 60_000;

export class Postern extends Methods {
  #connection;

  /** @param {Connection} connection */
  constructor(connection) {
    super((method, params, shape, options) => typedCall(connection, method, params, shape, options));
    this.#connection = connection;
  }

  /** @param {import("./postern.js").PosternOptions} options */
  static async open({ binary, data, arguments: more = [], cwd, env, onLog, waitUntilReady = true } = {}) {
    const path = await findBinary(binary);
    const place = data === undefined ? [] : ["--data", data];
    const child = spawn(path, [...place, "--replies", "as-completed", "--framing", "line", ...more], {
      cwd,
      env: { ...process.env, ...env },
      // A session of its own: Ctrl-C in a terminal reaches the host alone. It ends at the end of its stdin as ever.
      detached: true,
      stdio: "pipe",
    });
    await spawned(child, path);
    const connection = new Connection(child, onLog ?? writeToStderr);
    if (waitUntilReady) await ready(connection);
    return new Postern(connection);
  }

  get pid() {
    return this.#connection.pid;
  }

  /**
   * @param {string} method
   * @param {unknown} [params]
   * @param {import("./postern.js").CallOptions} [options]
   */
  call(method, params, options) {
    return this.#connection.call(method, params, options);
  }

  /** @param {import("./postern.js").CloseOptions} [options] */
  close(options) {
    return this.#connection.close(options);
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }
}

/**
 * @param {Connection} connection
 * @param {string} method
 * @param {unknown} params
 * @param {import("./shapes.js").Shape | null} shape - of the result; null for a method that gives none
 * @param {import("./postern.js").CallOptions} [options]
 */
async function typedCall(connection, method, params, shape, options) {
  const result = await connection.call(method, params, options);
  if (shape === null) return undefined;
  const problem = misfit(result, shape);
  if (problem !== undefined) throw new ProtocolError(`The result of ${method} is not as agreed: result${problem}.`);
  hideSecrets(result, shape);
  return result;
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {string} path
 */
function spawned(child, path) {
  return new Promise((resolve, reject) => {
    child.once("spawn", () => resolve(undefined));
    child.on("error", (cause) => reject(new PosternError(`${path} could not be started: ${cause.message}`, { cause })));
  });
}

/**
 * Waits for the first reply, so that opening fails where the program cannot serve.
 *
 * @param {Connection} connection
 */
async function ready(connection) {
  try {
    await connection.call(readinessMethod, undefined, { timeout: openMilliseconds });
  } catch (error) {
    // An error that the service answers with is an answer as well.
    if (error instanceof CallError) return;
    await connection.close({ timeout: 1 });
    throw error;
  }
}

/**
 * Past process.stderr, a stream whose errors (nobody reads it, its pipe is full) end a host that does not listen to them.
 *
 * @param {string} line
 */
function writeToStderr(line) {
  try {
    let rest = Buffer.from(line + "\n");
    while (rest.length > 0) rest = rest.subarray(writeSync(2, rest));
  } catch {
    // The line is lost, and the host goes on.
  }
}
