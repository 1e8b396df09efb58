// @ts-check
import { spawn } from "node:child_process";
import { findBinary } from "./binary.js";
import { Connection } from "./connection.js";
import { PosternError, ProtocolError } from "./errors.js";
import { Methods } from "./generated/methods.js";
import { misfit } from "./shapes.js";

export class Postern extends Methods {
  #connection;

  /** @param {Connection} connection */
  constructor(connection) {
    super((method, params, shape, options) => typedCall(connection, method, params, shape, options));
    this.#connection = connection;
  }

  /** @param {import("./postern.js").PosternOptions} options */
  static async open({ binary, data, arguments: more = [], cwd, env, onLog = writeToStderr } = {}) {
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
    return new Postern(new Connection(child, onLog));
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

/** @param {string} line */
function writeToStderr(line) {
  process.stderr.write(line + "\n");
}
