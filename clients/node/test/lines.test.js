import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { LineReader, LineWriter } from "../lib/lines.js";

function linesOf(...chunks) {
  const lines = [];
  const reader = new LineReader((line) => lines.push(line));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return lines;
}

test("lines are whole for any split of the stream, and only LF ends one", () => {
  const lines = ["a", "", "é\u2028\u2029🐘\u0085", '{"b":"\r"}'];
  const bytes = Buffer.from(lines.join("\n") + "\n");
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
      assert.deepEqual(linesOf(...chunks), lines);
    }
  }
});

test("the text after the last line feed is a line", () => {
  assert.deepEqual(linesOf(Buffer.from("a\nb"), Buffer.from("c")), ["a", "bc"]);
  assert.deepEqual(linesOf(), []);
});

test("a line without a line feed is passed on in pieces, and no more than the limit is buffered", () => {
  const lines = [];
  const reader = new LineReader((line) => lines.push(line), 1 << 20);
  const chunk = Buffer.alloc(64 * 1024, "x");
  for (let count = 0; count < 64; count++) reader.push(chunk);
  assert.deepEqual(lines.map((line) => line.length), [17, 17, 17].map((chunks) => chunks * chunk.length));
  reader.push(Buffer.from("end\nnext"));
  reader.end();
  assert.deepEqual(lines.slice(3), ["x".repeat(13 * chunk.length) + "end", "next"]);
});

test("reading a line of 64 MiB in chunks of 64 KiB does not take quadratic time", () => {
  const chunk = Buffer.alloc(64 * 1024, "x");
  const start = performance.now();
  const [line] = linesOf(...Array(1024).fill(chunk), Buffer.from("\n"));
  assert.equal(line.length, 64 * 1024 * 1024);
  // Joining at each chunk would copy 32 GiB.
  assert.ok(performance.now() - start < 3_000);
});

/** A stream that is full after each write. */
class NarrowStream extends EventEmitter {
  writes = [];
  isEnded = false;

  write(text) {
    assert.ok(!this.isEnded);
    this.writes.push(text);
    return false;
  }

  end() {
    this.isEnded = true;
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("the lines of one turn are written together", async () => {
  const stream = new NarrowStream();
  const writer = new LineWriter(stream);
  writer.write("a");
  await Promise.resolve();
  writer.write("b");
  await turn();
  assert.deepEqual(stream.writes, ["a\nb\n"]);
});

test("lines are written in order, and none until the stream has drained", async () => {
  const stream = new NarrowStream();
  const writer = new LineWriter(stream);
  const lines = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(20_000));
  for (const line of lines.slice(0, 5)) writer.write(line);
  await turn();
  assert.equal(stream.writes.length, 1);
  for (const line of lines.slice(5)) writer.write(line);
  writer.end();
  await turn();
  assert.equal(stream.writes.length, 1);
  while (!stream.isEnded) {
    const before = stream.writes.length;
    stream.emit("drain");
    assert.ok(stream.isEnded || stream.writes.length === before + 1);
  }
  assert.equal(stream.writes.join(""), lines.join("\n") + "\n");
});
