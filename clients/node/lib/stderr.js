// @ts-check
"use strict";

const { Buffer } = require("node:buffer");
const { closeSync, constants, fstatSync, openSync, writeSync } = require("node:fs");
const { Socket } = require("node:net");
const { isMainThread } = require("node:worker_threads");

/** How many bytes of lines are buffered if stderr is a full pipe. */
const waitingBytesMax = 16 * 1024 * 1024;
/** How long to wait before a retry on a full pipe. */
const retryMilliseconds = 20;
const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;

/** The lines to write, from the index `first`; those before it are written. */
let waiting = /** @type {Buffer[]} */ ([]);
let first = 0;
let waitingBytes = 0;
let leftOut = 0;
let isRetrying = false;
let isAtExit = false;
/** In a worker: whether stderr is set to not block. */
let isNonblocking = false;

/**
 * Writes a line to the host's stderr without blocking.
 *
 * It does not use process.stderr: that stream has an error if its pipe is full or has no reader, which ends a host
 * without a listener for it.
 *
 * @param {string} line
 */
function writeToStderr(line) {
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
    writeToStderr(`postern: ${count} lines of its stderr are left out, because stderr is full`);
  } catch (error) {
    if (/** @type {{ code?: string }} */ (error).code === "EAGAIN") retry();
    // Otherwise the lines are lost, and the host continues.
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

/** Writes all lines; throws EAGAIN if stderr is full. */
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

/** A descriptor of stderr's file, pipe or terminal on which writes do not block. */
function openStderr() {
  if (fstatSync(2).isFile()) return 2;
  try {
    // A new open file: O_NONBLOCK on the descriptor itself would affect all processes that share it.
    return openSync("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // A socket, or a pipe of another user. Creating a stream of it sets O_NONBLOCK, as the host's first use of
    // process.stderr does. In a worker, process.stderr is not a stream of the descriptor, and may lead elsewhere.
    if (isMainThread) void process.stderr;
    else if (!isNonblocking) new Socket({ fd: 2, readable: false, writable: true });
    isNonblocking = true;
    return 2;
  }
}

module.exports = { writeToStderr };
