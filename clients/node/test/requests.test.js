import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageTooLong } from "postern-accounts";
import { requestLine } from "../lib/requests.js";
import { open, session } from "../testing/support.js";

const bytesMax = 8 * 1024 * 1024;
const envelopeBytes = requestLine(1, "system.info", { text: "" }).length;

function nested(depth) {
  return depth === 0 ? 1 : { a: nested(depth - 1) };
}

test("a request is one line, with params only if they are given", () => {
  const line = requestLine(1, "a.b", { c: "d\n\u2028é" });
  assert.equal(line, '{"jsonrpc":"2.0","id":1,"method":"a.b","params":{"c":"d\\n\u2028é"}}');
  assert.equal(requestLine(2, "a", undefined), '{"jsonrpc":"2.0","id":2,"method":"a"}');
});

test("a request that the service would reply to without an id is refused, and the next call works", async (t) => {
  const postern = await open(t);
  const long = { text: "é".repeat(bytesMax / 2) };
  await assert.rejects(postern.call("system.info", long), (error) => {
    assert.ok(error instanceof MessageTooLong && error.name === "MessageTooLong");
    assert.deepEqual([error.bytes, error.bytesMax], [bytesMax + envelopeBytes, bytesMax]);
    return error.message.includes(`${bytesMax + envelopeBytes} bytes`);
  });
  await assert.rejects(postern.call("system.info", { a: "\ud800" }), TypeError);
  await assert.rejects(postern.call("system.info", { a: '\\"\udfff' }), TypeError);
  await assert.rejects(postern.call("\ud800", {}), TypeError);
  await assert.rejects(postern.call("system.info", nested(128)), TypeError);
  await assert.rejects(postern.call("system.info", { a: 1n }), TypeError);
  assert.equal((await postern.system.info()).name, "postern");
});

test("requests at the limits are sent and get a reply", async (t) => {
  const postern = await open(t);
  const short = { text: "x".repeat(bytesMax - envelopeBytes) };
  const brackets = { a: `"${"[{".repeat(500)}\\`, b: Array(300).fill([{}]) };
  for (const params of [short, nested(127), brackets, { a: "\\ud800 🐘 \\\\ud800" }]) {
    assert.equal((await postern.call("system.info", params)).name, "postern");
  }
  await assert.rejects(postern.call("system.info", { text: "x".repeat(bytesMax - envelopeBytes + 1) }), MessageTooLong);
});

test("strings of all kinds are returned unchanged", async (t) => {
  const postern = await open(t);
  const own = await session(postern);
  const address = 'é 🐘 "\\ud800" \\ / end';
  const user = { first_name: "Ĳ", last_name: "\\", email: "a@example.com" };
  const client = await postern.operators.client.create({ ...own, client: { user, address } });
  assert.equal(client.address, address);
  assert.equal(client.user.first_name, "Ĳ");
});
