// @ts-check
"use strict";

const { EventsLost, ProtocolError } = require("./errors.js");
const { Event } = require("./generated/results.js");
const { read } = require("./shapes.js");

/**
 * With so many events, the client reads no further output unless a call waits for its reply. The process then holds the
 * other events back, and nothing is lost.
 */
const eventsHeld = 1_000;
/** Events that come between replies are dropped above this number. */
const eventsMax = 20_000;
const eventShape = /** @type {import("./shapes.js").Shape} */ (Event);

/** The events of the audit trail that the program has not taken yet. */
class EventQueue {
  #events = /** @type {unknown[]} */ ([]);
  /** How many of `#events` were taken; they are removed together. */
  #takenCount = 0;
  #lastTaken;
  #lastPut;
  #hasLost = false;
  /** Undefined until no more events follow; null if that is no failure. */
  #failure = /** @type {(() => Error) | null | undefined} */ (undefined);
  #wakers = /** @type {(() => void)[]} */ ([]);

  /** @param {number | undefined} after - the number of the last event that the program has */
  constructor(after) {
    this.#lastTaken = after;
    this.#lastPut = after;
  }

  /** The number of the last event that was put; undefined if there was none. */
  get cursor() {
    return this.#lastPut;
  }

  get isFull() {
    return this.#count >= eventsHeld;
  }

  get #count() {
    return this.#events.length - this.#takenCount;
  }

  /** @param {any} event */
  put(event) {
    // After an event was lost, the next ones would leave a gap.
    this.#hasLost ||= this.#count >= eventsMax;
    if (this.#failure !== undefined || this.#hasLost) return;
    this.#events.push(event);
    if (Number.isSafeInteger(event?.seq)) this.#lastPut = event.seq;
    this.#wake();
  }

  /** @param {(() => Error) | null} failure - what the iterators throw after the last event; null ends them */
  end(failure) {
    if (this.#failure === undefined) this.#failure = failure;
    this.#wake();
  }

  /**
   * The next event; undefined at the end.
   *
   * @param {() => void} taken - called when an event was taken
   * @returns {Promise<import("./generated/types.js").Event | undefined>}
   */
  async next(taken) {
    while (this.#count === 0) {
      if (this.#hasLost) throw new EventsLost(this.#lastTaken);
      if (this.#failure) throw this.#failure();
      if (this.#failure === null) return undefined;
      await new Promise((/** @type {(value?: any) => void} */ resolve) => this.#wakers.push(resolve));
    }
    const event = /** @type {any} */ (this.#events[this.#takenCount]);
    this.#takenCount += 1;
    if (this.#takenCount >= eventsHeld || this.#count === 0) {
      this.#events.splice(0, this.#takenCount);
      this.#takenCount = 0;
    }
    taken();
    const problem = read(event, eventShape);
    if (problem !== undefined) throw new ProtocolError(`An event is not as agreed: params${problem}.`);
    this.#lastTaken = event.seq;
    return event;
  }

  #wake() {
    for (const wake of this.#wakers.splice(0)) wake();
  }
}

module.exports = { EventQueue };
