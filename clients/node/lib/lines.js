// @ts-check
"use strict";

const { Buffer } = require("node:buffer");

const lineFeed = 10;

/**
 * Splits the chunks of a stream into lines. A line may have any length: its pieces are joined once, when its line feed
 * arrives, and then decoded, so that no character is split. Only LF ends a line; U+2028 does not.
 */
class LineReader {
  /** @type {Buffer[]} */
  #pieces = [];
  #bytes = 0;
  #bytesMax;
  #onLine;

  /**
   * @param {(line: string) => void} onLine
   * @param {number} [bytesMax] - how many bytes a line may have before its first part is passed on as a line
   */
  constructor(onLine, bytesMax = Infinity) {
    this.#onLine = onLine;
    this.#bytesMax = bytesMax;
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      const isWhole = this.#pieces.length === 0;
      const line = isWhole ? chunk.toString("utf8", start, end) : this.#joined(chunk.subarray(start, end));
      start = end + 1;
      this.#onLine(line);
    }
    if (start === chunk.length) return;
    this.#pieces.push(chunk.subarray(start));
    this.#bytes += chunk.length - start;
    if (this.#bytes > this.#bytesMax) this.end();
  }

  /** Passes on the bytes after the last line feed as a line. */
  end() {
    if (this.#pieces.length > 0) this.#onLine(this.#joined(Buffer.alloc(0)));
  }

  /** @param {Buffer} last */
  #joined(last) {
    const line = Buffer.concat([...this.#pieces, last]).toString("utf8");
    this.#pieces = [];
    this.#bytes = 0;
    return line;
  }
}

/** The longest batch of lines for one write; a longer line is written alone. */
const batchCharactersMax = 64 * 1024;

/**
 * Writes lines in order. Lines of one turn of the event loop are written together, and none while the stream is full.
 */
class LineWriter {
  #stream;
  /** @type {string[]} */
  #batches = [];
  #isScheduled = false;
  #isFull = false;
  #isEnding = false;

  /** @param {import("node:stream").Writable} stream */
  constructor(stream) {
    this.#stream = stream;
    stream.on("drain", () => {
      this.#isFull = false;
      this.#flush();
    });
  }

  /** @param {string} line - without its line feed */
  write(line) {
    const last = this.#batches.length - 1;
    if (last >= 0 && this.#batches[last].length + line.length < batchCharactersMax) {
      this.#batches[last] += line + "\n";
    } else {
      this.#batches.push(line + "\n");
    }
    this.#schedule();
  }

  /** Ends the stream once all lines are written. */
  end() {
    this.#isEnding = true;
    this.#schedule();
  }

  #schedule() {
    if (this.#isScheduled || this.#isFull) return;
    this.#isScheduled = true;
    // After the microtasks, so that all requests caused by the replies of one chunk are written together.
    process.nextTick(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush() {
    while (!this.#isFull) {
      const batch = this.#batches.shift();
      if (batch === undefined) break;
      this.#isFull = !this.#stream.write(batch);
    }
    if (this.#isEnding && this.#batches.length === 0) this.#stream.end();
  }
}

module.exports = { LineReader, LineWriter };
