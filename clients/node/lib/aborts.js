// @ts-check

/** @typedef {import("./postern.js").AbortSignalLike} AbortSignalLike */

/**
 * What is to be done when a signal aborts. Each signal has one listener, however many calls it is for, as Node warns
 * of a leak where there are more than ten.
 *
 * @type {WeakMap<AbortSignalLike, { bodies: Set<() => void>, listener: () => void }>}
 */
const watched = new WeakMap();

/**
 * Has a body run when the signal aborts.
 *
 * @param {AbortSignalLike} signal
 * @param {() => void} body
 */
export function watch(signal, body) {
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
 * Takes back what `watch` was given.
 *
 * @param {AbortSignalLike} signal
 * @param {() => void} body
 */
export function unwatch(signal, body) {
  const watch = watched.get(signal);
  if (!watch?.bodies.delete(body) || watch.bodies.size > 0) return;
  watched.delete(signal);
  signal.removeEventListener("abort", watch.listener);
}

/**
 * Why a signal aborted.
 *
 * @param {AbortSignalLike} signal
 */
export function reasonOf(signal) {
  return signal.reason ?? new DOMException("This operation was aborted", "AbortError");
}
