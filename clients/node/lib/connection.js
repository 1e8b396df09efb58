// @ts-check
"use strict";

const { reasonOf, unwatch, watch } = require("./aborts.js");
const { Deliveries } = require("./deliveries.js");
const { ClientClosed, PosternError, ProcessEnded, ProtocolError } = require("./errors.js");
const { LineReader, LineWriter } = require("./lines.js");
const { callError, message } = require("./replies.js");
const { requestLine } = require("./requests.js");

/** @typedef {import("./replies.js").Reply} Reply */
/** @typedef {import("./postern.js").CallOptions} CallOptions */

/**
 * Takes the events of a process: an EventQueue, or one that several processes fill.
 *
 * @typedef {Pick<import("./events.js").EventQueue, "isFull" | "put" | "end" | "next">} EventSink
 */

/** How many lines of stderr are kept for ProcessEnded. */
const stderrLinesMax = 20;
/** The longest line of stderr; a longer line is passed on in pieces. */
const stderrLineBytesMax = 1024 * 1024;
/** How long close waits for the process by default. */
const closeMilliseconds = 30_000;
/** How long the process may run between SIGTERM and SIGKILL. */
const termMilliseconds = 5_000;
/** How long to wait for the end of the pipes after the process exits, and for its exit after the end of a pipe. */
const settleMilliseconds = 1_000;
/** The longest time of a Node timer, 24 days. */
const timerMillisecondsMax = 2 ** 31 - 1;

/** A process that replies to requests on its pipes, and the calls that wait for its replies. */
class Connection {
  #child;
  #onLog;
  #writer;
  #deliveries;
  /** Takes the events; undefined if the client gets none. */
  #events;
  #isReading = true;
  /** By request id: called with the reply, or with a function that makes the error if no reply will arrive. */
  #receivers = /** @type {Map<number, (reply: Reply | (() => Error)) => void>} */ (new Map());
  /** How many calls and deliveries wait. A receiver whose call was cancelled or timed out does not count. */
  #waitingCount = 0;
  /** How many calls, deliveries and iterators keep the host running. */
  #refCount = 0;
  #lastID = 0;
  #stderr = /** @type {string[]} */ ([]);
  /** Makes the error of every call from now on. */
  #failure = /** @type {(() => Error) | undefined} */ (undefined);
  #closing = /** @type {Promise<void> | undefined} */ (undefined);
  /** Resolves with the function that makes the error of later calls, once the process has ended. */
  #ended;
  #markEnded = /** @type {(failure: () => Error) => void} */ (() => {});

  /**
   * @param {import("node:child_process").ChildProcess} child - a spawned process whose pipes are unused
   * @param {(line: string) => void} onLog - never throws
   * @param {import("./postern.js").PosternOptions["deliverMail"]} deliverMail - undefined if it delivers no mails
   * @param {EventSink | undefined} events - takes the events; undefined if the client gets none
   */
  constructor(child, onLog, deliverMail, events) {
    this.#child = child;
    this.#events = events;
    this.#onLog = onLog;
    this.#writer = new LineWriter(child.stdin);
    this.#deliveries = new Deliveries(deliverMail, (line) => {
      // After the end no process reads it.
      if (!this.#failure) this.#writer.write(line);
    });
    this.#ended = /** @type {Promise<() => Error>} */ (new Promise((resolve) => (this.#markEnded = resolve)));
    this.#listen();
    // Only the child keeps the host running, and only while calls or deliveries wait or the client closes.
    for (const handle of [child, child.stdin, child.stdout, child.stderr]) handle.unref();
  }

  get pid() {
    return this.#child.pid;
  }

  get ended() {
    return this.#ended;
  }

  /** Whether every later call fails, without being sent. */
  get hasFailed() {
    return this.#failure !== undefined;
  }

  /**
   * Sends a request and returns its result unchecked.
   *
   * @param {string} method
   * @param {unknown} params
   * @param {CallOptions} options
   */
  async call(method, params, { signal, timeout } = {}) {
    checkOptions({ signal, timeout });
    if (this.#closing) throw new ClientClosed();
    if (this.#failure) throw this.#failure();
    const line = requestLine(this.#lastID + 1, method, params);
    this.#lastID += 1;
    this.#writer.write(line);
    // Errors are created here, after an await, so that their stack traces include the caller.
    const reply = await this.#replyTo(this.#lastID, signal, timeout);
    if (typeof reply === "function") throw reply();
    if (reply.error) throw callError(method, reply.error);
    return reply.result;
  }

  /** The next event; undefined at the end. */
  async nextEvent() {
    if (!this.#events) throw noEvents();
    if (this.#failure || this.#closing) return this.#events.next(() => {});
    this.#childRef(1);
    try {
      return await this.#events.next(() => this.updateReading());
    } finally {
      this.#childRef(-1);
    }
  }

  /** Stops reading while many events wait and no reply or delivery is expected, and reads again otherwise. */
  updateReading() {
    const holds = this.#events?.isFull && this.#waitingCount === 0 && !this.#closing && !this.#failure;
    if (this.#isReading !== Boolean(holds)) return;
    this.#isReading = !holds;
    if (holds) this.#child.stdout.pause();
    else this.#child.stdout.resume();
  }

  /**
   * Waits for the replies to all requests that were sent and for the deliveries, and then until the process has ended.
   *
   * @param {import("./postern.js").CloseOptions} options
   */
  close({ timeout = closeMilliseconds } = {}) {
    this.#closing ??= this.#end(timeout);
    this.#events?.end(null);
    this.updateReading();
    return this.#closing;
  }

  /** @param {number} timeout */
  async #end(timeout) {
    this.#child.ref();
    this.#deliveries.end(() => this.#writer.end());
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
      this.#hold();
      /** @type {NodeJS.Timeout | undefined} */
      let timer;
      const leave = () => {
        this.#release();
        if (signal) unwatch(signal, abort);
        clearTimeout(timer);
      };
      /** @param {unknown} reason */
      const giveUp = (reason) => {
        leave();
        // The reply will still arrive, and is dropped.
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

  /** Keeps the host running until `#release`. */
  #hold() {
    this.#waitingCount += 1;
    this.#childRef(1);
    this.updateReading();
  }

  #release() {
    this.#waitingCount -= 1;
    this.#childRef(-1);
    this.updateReading();
  }

  /**
   * Counts the calls, deliveries and iterators that keep the host running.
   *
   * @param {number} change
   */
  #childRef(change) {
    this.#refCount += change;
    if (change > 0 && this.#refCount === 1) this.#child.ref();
    if (this.#refCount === 0 && !this.#closing) this.#child.unref();
  }

  #listen() {
    const child = this.#child;
    const replies = new LineReader((line) => this.#receive(line));
    const log = new LineReader((line) => this.#log(line), stderrLineBytesMax);
    child.stdout.on("data", (chunk) => replies.push(chunk));
    child.stderr.on("data", (chunk) => log.push(chunk));
    child.stderr.once("end", () => log.end());
    // A pipe also breaks when the process ends; then the exit event reports the end.
    child.stdin.on("error", () => this.#pipeBroke("stdin"));
    child.stdout.on("error", () => this.#pipeBroke("stdout"));
    child.stdout.once("end", () => this.#pipeBroke("stdout"));
    child.stderr.on("error", () => {});
    child.once("exit", (code, signal) => {
      if (!this.#isReading) child.stdout.resume();
      // The rest of its output is read first. The timer is for a child of the process that holds the pipes open.
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
      const received = message(line);
      if ("method" in received) return this.#take(received);
      const receiver = this.#receivers.get(received.id);
      if (!receiver) throw new ProtocolError(`Postern answered the request ${received.id}, which is not in flight.`);
      this.#receivers.delete(received.id);
      receiver(received);
    } catch (broken) {
      this.#break(/** @type {ProtocolError} */ (broken));
    }
  }

  /** @param {import("./replies.js").HostMessage} message */
  #take(message) {
    if (message.method === "event" && !("id" in message) && this.#events) {
      this.#events.put(message.params);
      return this.updateReading();
    }
    const delivery = this.#deliveries.take(message);
    if (!delivery) return;
    this.#hold();
    delivery.then(() => this.#release());
  }

  /** @param {string} line */
  #log(line) {
    this.#stderr.push(line);
    if (this.#stderr.length > stderrLinesMax) this.#stderr.shift();
    this.#onLog(line);
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
   * Ends the client after output that is not JSON-RPC.
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
    const failure = () => new ProcessEnded(code, signal, [...this.#stderr]);
    this.#fail(failure);
    for (const pipe of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) pipe.destroy();
    this.#markEnded(this.#failure ?? failure);
  }

  /** @param {() => Error} failure */
  #fail(failure) {
    if (this.#failure) return;
    this.#failure = failure;
    const receivers = [...this.#receivers.values()];
    this.#receivers.clear();
    for (const receiver of receivers) receiver(failure);
    this.#events?.end(failure);
    this.updateReading();
  }
}

/**
 * Throws if a call with these options must not start.
 *
 * @param {CallOptions} options
 */
function checkOptions({ signal, timeout }) {
  if (signal && typeof signal.addEventListener !== "function") throw new TypeError("signal is not an AbortSignal.");
  if (signal?.aborted) throw reasonOf(signal);
  if (timeout !== undefined && !(timeout > 0)) throw new RangeError(`timeout must be above 0, not ${timeout}.`);
}

function noEvents() {
  return new PosternError("This client gets no events: open it with events or eventsAfter.");
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

module.exports = { Connection, checkOptions, noEvents, timeoutError, timerOf };
