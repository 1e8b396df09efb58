// @ts-check
"use strict";

/** @typedef {import("./postern.js").AbortSignalLike} AbortSignalLike */

/**
 * The functions to run when a signal aborts. Each signal has only one listener for all calls, because Node warns of a
 * leak when a signal has more than ten.
 *
 * @type {WeakMap<AbortSignalLike, { bodies: Set<() => void>, listener: () => void }>}
 */
const watched = new WeakMap();

/**
 * Runs a body when the signal aborts.
 *
 * @param {AbortSignalLike} signal
 * @param {() => void} body
 */
function watch(signal, body) {
  let watch = watched.get(signal);
  if (!watch) {
    const bodies = /** @type {Set<() => void>} */ (new Set());
    watch = { bodies, listener: () => bodies.forEach((body) => body()) };
    watched.set(signal, watch);
    signal.addEventListener("abort", watch.listener);
  }
  watch.bodies.add(body);
}

/**
 * Removes a body that was given to `watch`.
 *
 * @param {AbortSignalLike} signal
 * @param {() => void} body
 */
function unwatch(signal, body) {
  const watch = watched.get(signal);
  if (!watch?.bodies.delete(body) || watch.bodies.size > 0) return;
  watched.delete(signal);
  signal.removeEventListener("abort", watch.listener);
}

/**
 * The reason of an aborted signal.
 *
 * @param {AbortSignalLike} signal
 */
function reasonOf(signal) {
  return signal.reason ?? new DOMException("This operation was aborted", "AbortError");
}

module.exports = { watch, unwatch, reasonOf };
