import assert from "node:assert/strict";
import { test } from "node:test";
import { open, openFake, session } from "../testing/support.js";

const login = { email: "lasoren@bu.edu", password: "password" };

test("an aborted call rejects at once with the signal's reason, and its reply is dropped", async (t) => {
  const postern = await open(t);
  await session(postern);
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  const call = postern.operators.signin(login, { signal: controller.signal });
  const other = postern.operators.signin(login);
  controller.abort(reason);
  await assert.rejects(call, (error) => error === reason);
  assert.equal((await other).id, 1);
  // The reply to the first call arrives before this one.
  assert.equal((await postern.operators.signin(login)).id, 1);
});

test("an abort without a reason rejects with an AbortError", async (t) => {
  const postern = await open(t);
  const controller = new AbortController();
  const call = postern.call("system.info", undefined, { signal: controller.signal });
  controller.abort();
  await assert.rejects(call, { name: "AbortError" });
});

test("a call with an aborted signal is not sent", async (t) => {
  const postern = await openFake(t, `read request; echo "$request" >&2; cat >&2`);
  await assert.rejects(postern.system.info({ signal: AbortSignal.abort("no") }), (reason) => reason === "no");
  const first = postern.call("first");
  await postern.close();
  await assert.rejects(first, (error) => error.stderr[0].includes('"id":1,"method":"first"'));
});

test("an invalid signal is a TypeError before anything is sent, and the next call works", async (t) => {
  const postern = await open(t);
  await assert.rejects(postern.system.info({ signal: new AbortController() }), TypeError);
  // A reply without a call would end the client.
  await postern.operators.signin(login).catch(() => {});
  assert.equal((await postern.system.info({ signal: null })).name, "postern");
});

test("a timeout rejects with a TimeoutError, and the next call works", async (t) => {
  const postern = await open(t);
  await session(postern);
  await assert.rejects(postern.operators.signin(login, { timeout: 1 }), { name: "TimeoutError", message: /1 ms/ });
  assert.equal((await postern.operators.signin(login, { timeout: 2 ** 40 })).id, 1);
  await assert.rejects(postern.system.info({ timeout: 0 }), RangeError);
});

test("one signal can be used for many calls without a warning, and keeps no listeners", async (t) => {
  const warnings = [];
  process.on("warning", (warning) => warnings.push(warning));
  const postern = await open(t);
  const { signal } = new AbortController();
  const listeners = new Set();
  const counted = {
    get aborted() {
      return signal.aborted;
    },
    addEventListener: (type, listener) => (listeners.add(listener), signal.addEventListener(type, listener)),
    removeEventListener: (type, listener) => (listeners.delete(listener), signal.removeEventListener(type, listener)),
  };
  await Promise.all(Array.from({ length: 100 }, () => postern.system.info({ signal: counted })));
  assert.equal(listeners.size, 0);
  assert.deepEqual(warnings, []);
});

test("a cancelled call does not block close", async (t) => {
  const postern = await open(t);
  await session(postern);
  const call = postern.operators.signin(login, { signal: AbortSignal.timeout(1) });
  await assert.rejects(call, { name: "TimeoutError" });
  await postern.close();
});
