// @ts-check
"use strict";

const { reasonOf, unwatch, watch } = require("./aborts.js");
const { checkOptions, noEvents, timeoutError, timerOf } = require("./connection.js");
const { ClientClosed, PosternError, ProcessEnded, ProtocolError } = require("./errors.js");
const { idempotentMethods, readOnlyMethods } = require("./generated/idempotent.js");
const { guarded } = require("./log.js");
const { launcher, ready } = require("./start.js");

/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {import("./connection.js").EventSink} EventSink */
/** @typedef {import("./postern.js").CallOptions} CallOptions */
/** @typedef {import("./postern.js").PosternOptions} PosternOptions */

/** How much a delay varies, so that many hosts do not start their processes at the same time. */
const jitter = 0.2;
const backoffDefaults = { first: 100, max: 5_000, resetAfter: 10_000, failedStartsMax: 10 };
/** The interval of the timer that keeps the host running: the longest of Node. */
const keepAliveMilliseconds = 2 ** 31 - 1;

/**
 * Starts a process again after it has ended, with the same calls as a Connection.
 *
 * A call that finds no process waits for the next one. A call that was in flight when the process ended is sent once
 * more if its method is idempotent, and fails otherwise.
 */
class Supervisor {
  #launch;
  #events;
  #sink;
  #backoff;
  #onExit;
  /** The process that takes calls; between two processes the last one, which has failed. */
  #connection = /** @type {any} */ (undefined);
  /** The process that has not replied yet. */
  #starting = /** @type {Connection | undefined} */ (undefined);
  /** Makes the error of all calls, once no process will follow. */
  #failure = /** @type {(() => Error) | undefined} */ (undefined);
  #closing = /** @type {Promise<void> | undefined} */ (undefined);
  /** Resolves once no process will follow. */
  #watching = Promise.resolve();
  #endPause = () => {};
  /** The calls that wait for a process. */
  #waiters = /** @type {Set<() => void>} */ (new Set());
  /** How many calls and iterators keep the host running. */
  #holdCount = 0;
  #keepAlive = /** @type {any} */ (undefined);

  /**
   * Starts the first process. Unlike the next ones, it is started only once.
   *
   * @param {PosternOptions} options
   */
  static async open(options) {
    const supervisor = new Supervisor(options);
    await supervisor.#start();
    supervisor.#watching = supervisor.#watch();
    return supervisor;
  }

  /** @param {PosternOptions} options */
  constructor(options) {
    const { launch, queue } = launcher(options);
    this.#launch = launch;
    this.#events = queue;
    this.#sink = queue && sinkOf(queue);
    this.#backoff = backoffOf(options.backoff);
    this.#onExit = guarded((/** @type {import("./postern.js").ProcessExit} */ exit) => options.onExit?.(exit));
  }

  /** The process id of the last process that has served. */
  get pid() {
    return this.#connection.pid;
  }

  /**
   * @param {string} method
   * @param {unknown} params
   * @param {CallOptions} options
   */
  async call(method, params, options = {}) {
    checkOptions(options);
    const { signal, timeout } = options;
    const deadline = timeout === undefined ? undefined : performance.now() + timeout;
    /** How the process ended to which the call was sent first. */
    let end = /** @type {Error | undefined} */ (undefined);
    for (;;) {
      try {
        const connection = await this.#available(options, deadline);
        // Nothing is awaited between the choice of the process and the request, so the end of the process is in flight.
        return await connection.call(method, params, { signal, timeout: deadline && millisecondsUntil(deadline) });
      } catch (error) {
        const isEnd = error instanceof ProcessEnded || error instanceof ProtocolError;
        if (isEnd && !end && !this.#closing && !this.#failure && idempotentMethods.has(method)) {
          end = error;
          continue;
        }
        if (timeout !== undefined && isTimeout(error, signal)) throw timeoutError(timeout);
        // The first request may have taken effect, and may be the reason for a refusal of the second one.
        if (end && !isEnd && error instanceof PosternError && !readOnlyMethods.has(method)) {
          throw Object.assign(end, { cause: error });
        }
        throw error;
      }
    }
  }

  async nextEvent() {
    if (!this.#events) throw noEvents();
    if (this.#failure || this.#closing) return this.#events.next(() => {});
    this.#hold();
    try {
      return await this.#events.next(() => this.#connection.updateReading());
    } finally {
      this.#release();
    }
  }

  /** @param {import("./postern.js").CloseOptions} [options] */
  close(options) {
    this.#closing ??= this.#end(options);
    this.#events?.end(null);
    this.#endPause();
    this.#wakeWaiters();
    return this.#closing;
  }

  /** @param {import("./postern.js").CloseOptions} [options] */
  async #end(options) {
    await Promise.all([this.#connection.close(options), this.#starting?.close(options)]);
    await this.#watching;
  }

  /** Starts a process, which takes calls once it has replied. */
  async #start() {
    const connection = await this.#launch(this.#sink);
    this.#starting = connection;
    try {
      if (this.#closing) await connection.close({ timeout: 1 });
      await ready(connection, true);
    } finally {
      this.#starting = undefined;
    }
    this.#connection = connection;
    this.#wakeWaiters();
  }

  /** Restarts until no process will follow. Never rejects: a failure of the supervisor itself ends the client. */
  async #watch() {
    try {
      await this.#restart();
    } catch (error) {
      this.#giveUp(() => /** @type {Error} */ (error));
    }
  }

  /** Starts a process each time that one has ended, until the client is closed or too many starts have failed. */
  async #restart() {
    const { resetAfter, failedStartsMax } = this.#backoff;
    for (let restarts = 0; ; ) {
      const startedAt = performance.now();
      let failure = /** @type {() => Error} */ (await this.#connection.ended);
      if (performance.now() - startedAt >= resetAfter) restarts = 0;
      for (let failedStarts = 0; ; ) {
        if (this.#closing) return;
        const delay = failedStarts < failedStartsMax ? this.#delay(restarts++) : undefined;
        this.#onExit({ error: failure(), failedStarts, delay });
        if (this.#closing) return;
        if (delay === undefined) return this.#giveUp(failure);
        await this.#pause(delay);
        if (this.#closing) return;
        try {
          await this.#start();
          break;
        } catch (error) {
          failure = () => /** @type {Error} */ (error);
          failedStarts += 1;
        }
      }
    }
  }

  /** @param {number} restarts - the restarts since the last process that ran long enough */
  #delay(restarts) {
    const { first, max } = this.#backoff;
    return Math.min(first * 2 ** restarts, max) * (1 + jitter * (2 * Math.random() - 1));
  }

  /** @param {number} milliseconds */
  #pause(milliseconds) {
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const timer = timerOf(milliseconds, resolve);
        // The calls that wait keep the host running.
        timer.unref();
        this.#endPause = () => {
          clearTimeout(timer);
          resolve();
        };
      })
    );
  }

  /** @param {() => Error} failure */
  #giveUp(failure) {
    this.#failure = failure;
    this.#events?.end(failure);
    this.#wakeWaiters();
  }

  /**
   * The process that takes calls, once there is one.
   *
   * @param {CallOptions} options
   * @param {number | undefined} deadline
   * @returns {Promise<Connection>}
   */
  async #available(options, deadline) {
    for (;;) {
      if (this.#closing) throw new ClientClosed();
      if (this.#failure) throw this.#failure();
      if (!this.#connection.hasFailed) return this.#connection;
      // Aborted between the end of the process and this wait, such as in `onExit`.
      if (options.signal?.aborted) throw reasonOf(options.signal);
      await this.#change(options, deadline);
    }
  }

  /**
   * Waits until a process is ready, or none will follow.
   *
   * @param {CallOptions} options
   * @param {number | undefined} deadline
   */
  #change({ signal, timeout }, deadline) {
    return new Promise((resolve, reject) => {
      this.#hold();
      const leave = () => {
        this.#release();
        this.#waiters.delete(arrive);
        if (signal) unwatch(signal, abort);
        clearTimeout(timer);
      };
      const arrive = () => {
        leave();
        resolve(undefined);
      };
      const abort = () => {
        leave();
        reject(signal && reasonOf(signal));
      };
      const expire = () => {
        leave();
        reject(timeoutError(timeout ?? 0));
      };
      this.#waiters.add(arrive);
      if (signal) watch(signal, abort);
      const timer = deadline === undefined ? undefined : timerOf(millisecondsUntil(deadline), expire);
    });
  }

  #wakeWaiters() {
    for (const arrive of [...this.#waiters]) arrive();
  }

  /** Keeps the host running until `#release`: between two processes no handle does. */
  #hold() {
    this.#holdCount += 1;
    if (this.#holdCount === 1) this.#keepAlive = setInterval(() => {}, keepAliveMilliseconds);
  }

  #release() {
    this.#holdCount -= 1;
    if (this.#holdCount === 0) clearInterval(this.#keepAlive);
  }
}

/**
 * Puts the events of one process after another into one queue, which a process does not end.
 *
 * @param {import("./events.js").EventQueue} queue
 * @returns {EventSink}
 */
function sinkOf(queue) {
  return {
    get isFull() {
      return queue.isFull;
    },
    put: (event) => queue.put(event),
    next: (taken) => queue.next(taken),
    end: () => {},
  };
}

/**
 * @param {unknown} error
 * @param {CallOptions["signal"]} signal
 */
function isTimeout(error, signal) {
  return !signal?.aborted && /** @type {any} */ (error)?.name === "TimeoutError";
}

/** @param {PosternOptions["backoff"]} given */
function backoffOf(given = {}) {
  const backoff = { ...backoffDefaults };
  for (const name of /** @type {(keyof typeof backoff)[]} */ (Object.keys(backoff))) {
    const value = given[name] ?? backoff[name];
    // With none it would never start the process again.
    const min = name === "failedStartsMax" ? 1 : 0;
    if (!(value >= min)) throw new RangeError(`backoff.${name} must be a number of at least ${min}, not ${value}.`);
    backoff[name] = value;
  }
  return backoff;
}

/**
 * At least one, so that a call at its deadline times out and is not refused.
 *
 * @param {number} deadline
 */
function millisecondsUntil(deadline) {
  return Math.max(deadline - performance.now(), 1);
}

module.exports = { Supervisor };
