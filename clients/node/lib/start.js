// @ts-check
"use strict";

const { spawn } = require("node:child_process");
const { closeSync, constants, openSync } = require("node:fs");
const { findBinary } = require("./binary.js");
const { Connection } = require("./connection.js");
const { checkService } = require("./contract.js");
const { CallError, PosternError } = require("./errors.js");
const { EventQueue } = require("./events.js");
const { readinessMethod } = require("./generated/limits.js");
const { lineLog } = require("./log.js");

/** How long opening waits for the first reply. */
const openMilliseconds = 60_000;
/** How many descriptors a start needs: both ends of three pipes, and of the pipe that reports the result of exec. */
const startDescriptors = 8;

/**
 * The queue of the events, undefined if the client gets none, and a function that starts a process.
 *
 * @param {import("./postern.js").PosternOptions} options
 */
function launcher(options) {
  const { binary, data, arguments: more = [], cwd, env, onLog, logger, deliverMail, events, eventsAfter } = options;
  const queue = events || eventsAfter !== undefined ? new EventQueue(eventsAfter) : undefined;
  const place = data === undefined ? [] : ["--data", data];
  const mail = deliverMail ? ["--mail", "host"] : [];
  const log = lineLog(onLog, logger);
  /** @param {import("./connection.js").EventSink | undefined} sink */
  async function launch(sink = queue) {
    const path = await findBinary(binary);
    // After the events that the queue has.
    const cursor = queue?.cursor === undefined ? [] : ["--events-after", String(queue.cursor)];
    const feed = queue ? ["--events", ...cursor] : [];
    const flags = [...place, "--replies", "as-completed", "--framing", "line", ...more, ...mail, ...feed];
    const child = await spawned(path, flags, {
      cwd,
      env: { ...process.env, ...env },
      // In a new session, so that Ctrl-C in a terminal reaches only the host. It still ends at the end of its stdin.
      detached: true,
      stdio: "pipe",
    });
    return new Connection(child, log, deliverMail, sink);
  }
  return { launch, queue };
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
    const fail = (cause) => {
      // The flags can have the password of a database, and errors are printed.
      delete cause.spawnargs;
      reject(new PosternError(`${path} could not be started: ${cause.message}`, { cause }));
    };
    try {
      checkDescriptors();
      const child = spawn(path, flags, options);
      child.once("spawn", () => resolve(child));
      child.on("error", fail);
    } catch (cause) {
      // Node throws some errors of the kernel and emits others. An error without `syscall` is a mistake of the host,
      // such as a flag that is not a string.
      if (/** @type {any} */ (cause).syscall === undefined) throw withoutValue(cause);
      fail(cause);
    }
  });
}

/**
 * The error for a flag or variable with a null byte, without the value that Node quotes at the end of its message.
 *
 * @param {any} error
 */
function withoutValue(error) {
  if (error?.code !== "ERR_INVALID_ARG_VALUE") return error;
  return Object.assign(new TypeError(error.message.replace(/ Received .*$/s, "")), { code: error.code });
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
 * @param {boolean} isSupervised
 */
async function ready(connection, isSupervised) {
  try {
    checkService(await connection.call(readinessMethod, undefined, { timeout: openMilliseconds }), isSupervised);
  } catch (error) {
    // An error reply also shows that the process serves.
    if (error instanceof CallError) return;
    await connection.close({ timeout: 1 });
    throw error;
  }
}

module.exports = { launcher, ready };
