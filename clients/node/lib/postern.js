// @ts-check
"use strict";

const { ProtocolError } = require("./errors.js");
const { Methods } = require("./generated/methods.js");
const { hideSecrets, read } = require("./shapes.js");
const { launcher, ready } = require("./start.js");
const { Supervisor } = require("./supervisor.js");

/** @typedef {import("./connection.js").Connection | Supervisor} Calls */

class Postern extends Methods {
  #connection;

  /** @param {Calls} connection */
  constructor(connection) {
    super((method, params, shape, options) => typedCall(connection, method, params, shape, options));
    this.#connection = connection;
  }

  /** @param {import("./postern.js").PosternOptions} options */
  static async open(options = {}) {
    const { waitUntilReady = true, supervise = false, onExit, backoff } = options;
    if (supervise) return new Postern(await Supervisor.open(options));
    if (onExit || backoff) throw new TypeError("The options onExit and backoff need `supervise: true`.");
    const { launch } = launcher(options);
    const connection = await launch();
    if (waitUntilReady) await ready(connection, false);
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

  async *events() {
    for (;;) {
      const event = await this.#connection.nextEvent();
      if (event === undefined) return;
      yield event;
    }
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
 * @param {Calls} connection
 * @param {string} method
 * @param {unknown} params
 * @param {import("./shapes.js").Shape | null} shape - of the result; null for a method without a result
 * @param {import("./postern.js").CallOptions} [options]
 */
async function typedCall(connection, method, params, shape, options) {
  const result = await connection.call(method, params, options);
  if (shape === null) return undefined;
  const problem = read(result, shape);
  if (problem !== undefined) throw new ProtocolError(`The result of ${method} is not as agreed: result${problem}.`);
  hideSecrets(result, shape);
  return result;
}

module.exports = { Postern };
