// @ts-check
import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { findBinary } from "./binary.js";
import { Connection } from "./connection.js";
import { CallError, PosternError, ProtocolError } from "./errors.js";
import { EventQueue } from "./events.js";
import { contractVersion, readinessMethod } from "./generated/limits.js";
import { Methods } from "./generated/methods.js";
import { hideSecrets, misfit } from "./shapes.js";
import { writeToStderr } from "./stderr.js";

/** How long opening waits for the first reply. */
const openMilliseconds = 60_000;
/** How many descriptors a start needs: both ends of three pipes, and of the pipe that reports the result of exec. */
const startDescriptors = 8;

export class Postern extends Methods {
  #connection;

  /** @param {Connection} connection */
  constructor(connection) {
    super((method, params, shape, options) => typedCall(connection, method, params, shape, options));
    this.#connection = connection;
  }

  /** @param {import("./postern.js").PosternOptions} options */
  static async open({ binary, data, arguments: more = [], cwd, env, onLog, deliverMail, ...others } = {}) {
    const { events = false, eventsAfter, waitUntilReady = true } = others;
    const path = await findBinary(binary);
    const place = data === undefined ? [] : ["--data", data];
    const mail = deliverMail ? ["--mail", "host"] : [];
    const cursor = eventsAfter === undefined ? [] : ["--events-after", String(eventsAfter)];
    const feed = events || eventsAfter !== undefined ? ["--events", ...cursor] : [];
    const flags = [...place, "--replies", "as-completed", "--framing", "line", ...more, ...mail, ...feed];
    const child = await spawned(path, flags, {
      cwd,
      env: { ...process.env, ...env },
      // In a new session, so that Ctrl-C in a terminal reaches only the host. It still ends at the end of its stdin.
      detached: true,
      stdio: "pipe",
    });
    const queue = feed.length > 0 ? new EventQueue(eventsAfter) : undefined;
    const connection = new Connection(child, onLog ?? writeToStderr, deliverMail, queue);
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
 * @param {Connection} connection
 * @param {string} method
 * @param {unknown} params
 * @param {import("./shapes.js").Shape | null} shape - of the result; null for a method without a result
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
 * @param {string} path
 * @param {readonly string[]} flags
 * @param {import("node:child_process").SpawnOptions} options
 * @returns {Promise<import("node:child_process").ChildProcess>}
 */
function spawned(path, flags, options) {
  return new Promise((resolve, reject) => {
    /** @param {any} cause */
    const fail = (cause) => reject(new PosternError(`${path} could not be started: ${cause.message}`, { cause }));
    try {
      checkDescriptors();
      const child = spawn(path, flags, options);
      child.once("spawn", () => resolve(child));
      child.on("error", fail);
    } catch (cause) {
      // Node throws some errors of the kernel and emits others. An error without `syscall` is a mistake of the host,
      // such as a flag that is not a string.
      if (/** @type {any} */ (cause).syscall === undefined) throw cause;
      fail(cause);
    }
  });
}

/** Throws if too few descriptors are free: Node leaks descriptors if a start runs out of them halfway. */
function checkDescriptors() {
  /** @type {number[]} */
  const probes = [];
  try {
    while (probes.length < startDescriptors) probes.push(openSync("/dev/null", constants.O_RDONLY));
  } finally {
    for (const descriptor of probes) closeSync(descriptor);
  }
}

/**
 * Waits for the first reply, so that opening fails if the program cannot serve.
 *
 * @param {Connection} connection
 */
async function ready(connection) {
  try {
    checkContract(await connection.call(readinessMethod, undefined, { timeout: openMilliseconds }));
  } catch (error) {
    // An error reply also shows that the process serves.
    if (error instanceof CallError) return;
    await connection.close({ timeout: 1 });
    throw error;
  }
}

/**
 * Throws if the service has an older contract than this client.
 *
 * @param {any} info - the result of the first call
 */
function checkContract(info) {
  if (typeof info !== "object" || info === null) return;
  const version = info.contract;
  if (typeof version === "string" && !isOlder(version, contractVersion)) return;
  const has = typeof version === "string" ? `version ${version}` : "no version";
  throw new ProtocolError(`The contract of this Postern has ${has}; this client needs ${contractVersion} or later.`);
}

/**
 * @param {string} version
 * @param {string} other
 */
function isOlder(version, other) {
  const [left, right] = [version, other].map((text) => text.split(".").map(Number));
  const index = right.findIndex((part, index) => left[index] !== part);
  return index >= 0 && !(left[index] > right[index]);
}
