import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ClientClosed, PosternError, ProcessEnded } from "postern-accounts";
import { isRunning, open, openFake, session, until } from "../testing/support.js";

const login = { email: "lasoren@bu.edu", password: "password" };

/** The ids of the child processes of this process. */
function children() {
  return readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim().split(" ").filter(Boolean);
}

test("when the process is killed, calls in flight and later calls fail, and it is not restarted", async (t) => {
  const log = [];
  const options = { arguments: ["--no-email-confirmation", "--log-level", "info"], onLog: (line) => log.push(line) };
  const postern = await open(t, options);
  await session(postern);
  const calls = Array.from({ length: 50 }, () => postern.operators.signin(login));
  await calls[0];
  process.kill(postern.pid, "SIGKILL");
  const outcomes = await Promise.allSettled(calls);
  const errors = outcomes.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
  assert.ok(errors.length > 10);
  for (const error of errors) {
    assert.ok(error instanceof ProcessEnded && error instanceof PosternError);
    assert.equal(error.name, "ProcessEnded");
    assert.deepEqual([error.exitCode, error.signal], [null, "SIGKILL"]);
    assert.match(error.message, /killed by SIGKILL\. If a call was in flight, the outcome is unknown\./);
    assert.ok(log.length > 0 && error.message.includes(log.at(-1)));
    assert.deepEqual(error.stderr, log.slice(-20));
  }
  await assert.rejects(postern.system.info(), ProcessEnded);
  await assert.rejects(postern.call("system.info"), ProcessEnded);
  assert.deepEqual(children(), []);
  await postern.close();
  await assert.rejects(postern.system.info(), ClientClosed);
});

test("when the process exits, the error has its exit code and last lines", async (t) => {
  const script = `for n in $(seq 1 30); do echo "line $n" >&2; done; read request; printf 'last' >&2; exit 3`;
  const postern = await openFake(t, script);
  const error = await postern.system.info().catch((error) => error);
  assert.ok(error instanceof ProcessEnded);
  assert.deepEqual([error.exitCode, error.signal], [3, null]);
  const lines = [...Array.from({ length: 19 }, (_, index) => `line ${index + 12}`), "last"];
  assert.deepEqual(error.stderr, lines);
  assert.ok(error.message.startsWith("Postern ended with exit code 3."));
  assert.ok(error.message.endsWith(lines.join("\n")));
});

test("if the process ends between calls, the next call reports it", async (t) => {
  const postern = await open(t);
  process.kill(postern.pid, "SIGKILL");
  await until(() => !isRunning(postern.pid));
  await assert.rejects(postern.system.info(), { name: "ProcessEnded", signal: "SIGKILL" });
});

test("the error for an unknown flag has the message of the program", async (t) => {
  const postern = await open(t, { arguments: ["--no-such-flag"], onLog: () => {}, waitUntilReady: false });
  await assert.rejects(postern.system.info(), { name: "ProcessEnded", exitCode: 64, message: /no-such-flag/ });
});

test("replies written before the end are returned, even while a child of the process holds its pipes", async (t) => {
  const reply = '{"jsonrpc":"2.0","id":1,"result":7}';
  const postern = await openFake(t, `read request; read request; sleep 20 & echo $! >&2; echo '${reply}'; exit 4`);
  const [first, second] = await Promise.allSettled([postern.call("a"), postern.call("b")]);
  assert.equal(first.value, 7);
  assert.equal(second.reason.exitCode, 4);
  process.kill(Number(second.reason.stderr[0]));
});

test("close waits for the replies of calls in flight, and refuses new calls", async (t) => {
  const postern = await open(t);
  await session(postern);
  const calls = Array.from({ length: 10 }, () => postern.operators.signin(login));
  const closing = postern.close();
  await assert.rejects(postern.system.info(), { name: "ClientClosed", message: "This client was closed." });
  assert.equal(postern.close(), closing);
  for (const operator of await Promise.all(calls)) assert.equal(operator.id, 1);
  await closing;
  assert.ok(!isRunning(postern.pid));
  await postern.close();
  await assert.rejects(postern.call("system.info"), ClientClosed);
});

test("close ends the process by closing its input, not by a signal", async (t) => {
  const log = [];
  const postern = await openFake(t, "cat > /dev/null; echo end >&2", { onLog: (line) => log.push(line) });
  await postern.close();
  assert.deepEqual(log, ["end"]);
});

test("asyncDispose closes the client", async (t) => {
  const postern = await open(t);
  await postern[Symbol.asyncDispose]();
  assert.ok(!isRunning(postern.pid));
});

test("close terminates a process that does not end", async (t) => {
  const log = [];
  const script = "trap 'exit 5' TERM; echo ready >&2; while true; do sleep 0.05; done";
  const deaf = await openFake(t, script, { onLog: (line) => log.push(line) });
  await until(() => log.length > 0);
  const call = assert.rejects(deaf.call("a"), { name: "ProcessEnded", exitCode: 5 });
  await deaf.close({ timeout: 100 });
  assert.ok(!isRunning(deaf.pid));
  await call;
});

test("a process that ignores SIGTERM is killed five seconds later", async (t) => {
  const log = [];
  const script = "trap '' TERM; echo ready >&2; while true; do sleep 0.05; done";
  const deaf = await openFake(t, script, { onLog: (line) => log.push(line) });
  await until(() => log.length > 0);
  const call = assert.rejects(deaf.call("a"), { name: "ProcessEnded", signal: "SIGKILL" });
  const start = performance.now();
  await deaf.close({ timeout: 1 });
  assert.ok(performance.now() - start > 4_900);
  await call;
});

test("the process leads its own session", async (t) => {
  const postern = await open(t);
  const fields = readFileSync(`/proc/${postern.pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
  const [, , group, session] = fields.map(Number);
  assert.deepEqual([group, session], [postern.pid, postern.pid]);
});

test("1 MB on stderr before a reply does not block the process", async (t) => {
  const lines = [];
  const flood = `yes "$(printf '%099d' 0)" | head -n 10000 >&2`;
  const script = `read request; ${flood}; echo '{"jsonrpc":"2.0","id":1,"result":1}'; cat`;
  const postern = await openFake(t, script, { onLog: (line) => lines.push(line) });
  assert.equal(await postern.call("a"), 1);
  await until(() => lines.length === 10_000);
  assert.equal(lines.length, 10_000);
  assert.ok(lines.every((line) => line === "0".repeat(99)));
});

test("an endless line of stderr is passed on in pieces of little more than 1 MiB", async (t) => {
  const lines = [];
  const script = `head -c 4000001 /dev/zero | tr '\\0' x >&2; read request; echo '{"jsonrpc":"2.0","id":1,"result":1}'; cat`;
  const postern = await openFake(t, script, { onLog: (line) => lines.push(line) });
  assert.equal(await postern.call("a"), 1);
  await until(() => lines.length >= 3);
  assert.ok(lines.every((line) => line.length <= (1 << 20) + (64 << 10)));
  await postern.close();
  assert.equal(lines.join("").length, 4_000_001);
});
