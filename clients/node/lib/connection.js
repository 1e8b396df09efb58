// @ts-check
import { reasonOf, unwatch, watch } from "./aborts.js";
import { ClientClosed, ProcessEnded, ProtocolError } from "./errors.js";
import { LineReader, LineWriter } from "./lines.js";
import { callError, reply } from "./replies.js";
import { requestLine } from "./requests.js";

/** @typedef {import("./replies.js").Reply} Reply */
/** @typedef {import("./postern.js").CallOptions} CallOptions */

/** How many lines of stderr are kept for the error that tells of the process's end. */
const stderrLinesMax = 20;
/** How much of a line of stderr is kept until its line feed comes; a longer line is handed on in pieces. */
const stderrLineBytesMax = 1024 * 1024;
/** How long close waits for the process if nothing else is said. */
const closeMilliseconds = 30_000;
/** How long the process has between SIGTERM and SIGKILL. */
const termMilliseconds = 5_000;
/** How long one end of the process, its exit or that of a pipe, may come before the other. */
const settleMilliseconds = 1_000;
/** The longest that a timer of Node runs, 24 days. */
const timerMillisecondsMax = 2 ** 31 - 1;

/** A process that answers requests on its pipes, and the calls that wait for its replies. */
export class Connection {
  #child;
  #onLog;
  #writer;
  /** What takes the reply to each request, by id, or what makes the error where there will be none. */
  #receivers = /** @type {Map<number, (reply: Reply | (() => Error)) => void>} */ (new Map());
  /** How many of them somebody waits for. */
  #waitingCount = 0;
  #lastID = 0;
  #stderr = /** @type {string[]} */ ([]);
  /** Makes the error of every call from now on. */
  #failure = /** @type {(() => Error) | undefined} */ (undefined);
  #closing = /** @type {Promise<void> | undefined} */ (undefined);
  #ended;
  #markEnded = () => {};

  /**
   * @param {import("node:child_process").ChildProcess} child - that has been spawned, its pipes untouched
   * @param {(line: string) => void} onLog
   */
  constructor(child, onLog) {
    this.#child = child;
    this.#onLog = onLog;
    this.#writer = new LineWriter(child.stdin);
    this.#ended = /** @type {Promise<void>} */ (new Promise((resolve) => (this.#markEnded = resolve)));
    this.#listen();
    // The child alone is what may keep the host alive, while somebody waits for it.
    for (const handle of [child, child.stdin, child.stdout, child.stderr]) handle.unref();
  }

  get pid() {
    return this.#child.pid;
  }

  /**
   * Sends a request and gives its result as it came.
   *
   * @param {string} method
   * @param {unknown} params
   * @param {CallOptions} options
   */
  async call(method, params, { signal, timeout } = {}) {
    if (signal && typeof signal.addEventListener !== "function") throw new TypeError("The signal is no AbortSignal.");
    if (signal?.aborted) throw reasonOf(signal);
    if (timeout !== undefined && !(timeout > 0)) throw new RangeError(`A timeout is above 0, not ${timeout}.`);
    if (this.#closing) throw new ClientClosed();
    if (this.#failure) throw this.#failure();
    const line = requestLine(this.#lastID + 1, method, params);
    this.#lastID += 1;
    this.#writer.write(line);
    // The errors are made here, behind an await, so that their stack traces lead to who called.
    const reply = await this.#replyTo(this.#lastID, signal, timeout);
    if (typeof reply === "function") throw reply();
    if (reply.error) throw callError(method, reply.error);
    return reply.result;
  }

  /**
   * Lets the process answer what it was sent and waits for its end.
   *
   * @param {import("./postern.js").CloseOptions} options
   */
  close({ timeout = closeMilliseconds } = {}) {
    this.#closing ??= this.#end(timeout);
    return this.#closing;
  }

  /** @param {number} timeout */
  async #end(timeout) {
    this.#child.ref();
    this.#writer.end();
    if (await this.#endsWithin(timeout)) return;
    await this.#kill();
  }

  async #kill() {
    this.#child.ref();
    this.#child.kill("SIGTERM");
    if (await this.#endsWithin(termMilliseconds)) return;
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** @param {number} milliseconds */
  async #endsWithin(milliseconds) {
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    const late = new Promise((resolve) => (timer = timerOf(milliseconds, () => resolve(false))));
    const isEnded = await Promise.race([this.#ended.then(() => true), late]);
    clearTimeout(timer);
    return isEnded;
  }

  /**
   * @param {number} id
   * @param {CallOptions["signal"]} signal
   * @param {number | undefined} timeout
   * @returns {Promise<Reply | (() => Error)>}
   */
  #replyTo(id, signal, timeout) {
    return new Promise((resolve, reject) => {
      if (this.#waitingCount === 0) this.#child.ref();
      this.#waitingCount += 1;
      /** @type {NodeJS.Timeout | undefined} */
      let timer;
      const leave = () => {
        this.#waitingCount -= 1;
        if (this.#waitingCount === 0 && !this.#closing) this.#child.unref();
        if (signal) unwatch(signal, abort);
        clearTimeout(timer);
      };
      /** @param {unknown} reason */
      const giveUp = (reason) => {
        leave();
        // The reply will come nevertheless, and nobody takes it.
        this.#receivers.set(id, () => {});
        reject(reason);
      };
      const abort = () => signal && giveUp(reasonOf(signal));
      if (signal) watch(signal, abort);
      if (timeout !== undefined) timer = timerOf(timeout, () => giveUp(timeoutError(timeout)));
      this.#receivers.set(id, (reply) => {
        leave();
        resolve(reply);
      });
    });
  }

  #listen() {
    const child = this.#child;
    const replies = new LineReader((line) => this.#receive(line));
    const log = new LineReader((line) => this.#log(line), stderrLineBytesMax);
    child.stdout.on("data", (chunk) => replies.push(chunk));
    child.stderr.on("data", (chunk) => log.push(chunk));
    child.stderr.once("end", () => log.end());
    // A pipe breaks when the process ends, which its exit tells more of.
    child.stdin.on("error", () => this.#pipeBroke("stdin"));
    child.stdout.on("error", () => this.#pipeBroke("stdout"));
    child.stdout.once("end", () => this.#pipeBroke("stdout"));
    child.stderr.on("error", () => {});
    child.once("exit", (code, signal) => {
      // What it wrote before is read to its end, unless a child of its own still holds the pipes.
      const timer = setTimeout(() => this.#exited(code, signal), settleMilliseconds);
      child.once("close", () => {
        clearTimeout(timer);
        this.#exited(code, signal);
      });
    });
  }

  /** @param {string} line */
  #receive(line) {
    if (this.#failure) return;
    try {
      const received = reply(line);
      const receiver = this.#receivers.get(received.id);
      if (!receiver) throw new ProtocolError(`Postern answered the request ${received.id}, which waits for no reply.`);
      this.#receivers.delete(received.id);
      receiver(received);
    } catch (broken) {
      this.#break(/** @type {ProtocolError} */ (broken));
    }
  }

  /** @param {string} line */
  #log(line) {
    this.#stderr.push(line);
    if (this.#stderr.length > stderrLinesMax) this.#stderr.shift();
    try {
      this.#onLog(line);
    } catch (error) {
      // An uncaught exception, as from any listener, but once the lines behind this one are read.
      process.nextTick(() => {
        throw error;
      });
    }
  }

  /** @param {string} name */
  #pipeBroke(name) {
    const timer = setTimeout(() => {
      if (!this.#closing) this.#break(new ProtocolError(`Postern closed its ${name} and runs on.`));
    }, settleMilliseconds);
    timer.unref();
    this.#ended.then(() => clearTimeout(timer));
  }

  /**
   * Ends the client, as nothing that the process says can be relied on any more.
   *
   * @param {ProtocolError} broken
   */
  #break(broken) {
    this.#fail(() => new ProtocolError(broken.message));
    this.#writer.end();
    this.#kill();
  }

  /**
   * @param {number | null} code
   * @param {string | null} signal
   */
  #exited(code, signal) {
    this.#fail(() => new ProcessEnded(code, signal, [...this.#stderr]));
    for (const pipe of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) pipe.destroy();
    this.#markEnded();
  }

  /** @param {() => Error} failure */
  #fail(failure) {
    if (this.#failure) return;
    this.#failure = failure;
    const receivers = [...this.#receivers.values()];
    this.#receivers.clear();
    for (const receiver of receivers) receiver(failure);
  }
}

/**
 * @param {number} milliseconds
 * @param {() => void} body
 */
function timerOf(milliseconds, body) {
  return setTimeout(body, Math.min(milliseconds, timerMillisecondsMax));
}

/** @param {number} milliseconds */
function timeoutError(milliseconds) {
  return new DOMException(`No reply came within ${milliseconds} ms; the call may still take effect.`, "TimeoutError");
}
