// @ts-check
import { Buffer } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { isMainThread } from "node:worker_threads";

/** How much may wait for a stderr that nobody reads. */
const waitingBytesMax = 16 * 1024 * 1024;
/** After how long a full pipe is tried again. */
const retryMilliseconds = 20;
const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;

/** The lines that stderr has not taken yet; those before `first` it has. */
let waiting = /** @type {Buffer[]} */ ([]);
let first = 0;
let waitingBytes = 0;
let leftOut = 0;
let isRetrying = false;
let isAtExit = false;
/** In a worker: whether stderr has been made not to block. */
let isNonblocking = false;

/**
 * Writes a line to the host's stderr, and never waits for whoever reads that.
 *
 * Past process.stderr, a stream whose errors (nobody reads it, its pipe is full) end a host that does not listen to them.
 *
 * @param {string} line
 */
export function writeToStderr(line) {
  const bytes = Buffer.from(line + "\n");
  if (waitingBytes + bytes.length > waitingBytesMax) {
    leftOut += 1;
    return;
  }
  waiting.push(bytes);
  waitingBytes += bytes.length;
  if (!isRetrying) flush();
}

function flush() {
  isRetrying = false;
  try {
    writeAll();
    forget();
    if (leftOut === 0) return;
    const count = leftOut;
    leftOut = 0;
    writeToStderr(`postern: ${count} lines of its stderr are left out, as nobody reads them`);
  } catch (error) {
    if (/** @type {{ code?: string }} */ (error).code === "EAGAIN") retry();
    // Otherwise the lines are lost, and the host goes on.
    else forget();
  }
}

function forget() {
  waiting = [];
  first = 0;
  waitingBytes = 0;
}

function retry() {
  isRetrying = true;
  setTimeout(flush, retryMilliseconds).unref();
  if (isAtExit) return;
  isAtExit = true;
  process.once("exit", flush);
}

/** Writes all lines; throws EAGAIN where stderr takes no more of them now. */
function writeAll() {
  const descriptor = openStderr();
  try {
    for (; first < waiting.length; first++) {
      for (let line = waiting[first]; line.length > 0; waiting[first] = line) {
        const count = writeSync(descriptor, line);
        line = line.subarray(count);
        waitingBytes -= count;
      }
    }
  } finally {
    if (descriptor !== 2) closeSync(descriptor);
    waiting.splice(0, first);
    first = 0;
  }
}

/** A descriptor of stderr's file, pipe or terminal where a write does not block. */
function openStderr() {
  if (fstatSync(2).isFile()) return 2;
  try {
    // Opened anew, as O_NONBLOCK on the descriptor itself would also be that of all who share it.
    return openSync("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // A socket, or a pipe of another user. To make a stream of it sets O_NONBLOCK, as the host's own first use of it does.
    // A worker's process.stderr is no stream of the descriptor, and need not lead there.
    if (isMainThread) void process.stderr;
    else if (!isNonblocking) new Socket({ fd: 2, readable: false, writable: true });
    isNonblocking = true;
    return 2;
  }
}
