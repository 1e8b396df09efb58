import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { CallError, PosternError, ProtocolError } from "postern-accounts";
import { isRunning, openFake, until } from "../testing/support.js";

const broken = {
  "no JSON": "Starting up…",
  "no object": "1",
  "a batch": "[]",
  "no version": '{"id":1,"result":1}',
  "no id": '{"jsonrpc":"2.0","result":1}',
  "an error without id": '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}',
  "neither result nor error": '{"jsonrpc":"2.0","id":1}',
  "result and error": '{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}}',
  "an error that is none": '{"jsonrpc":"2.0","id":1,"error":"no"}',
  "an id that was not sent": '{"jsonrpc":"2.0","id":3,"result":1}',
};

for (const [what, line] of Object.entries(broken)) {
  test(`${what} ends the client`, async (t) => {
    const postern = await openFake(t, `read request; read request; echo '${line}'; cat >&2`);
    const outcomes = await Promise.allSettled([postern.call("a"), postern.call("b")]);
    for (const { reason } of outcomes) {
      assert.ok(reason instanceof ProtocolError && reason instanceof PosternError && reason.name === "ProtocolError");
      assert.match(reason.message, /^Postern (wrote a line that is no|answered the request 3)/);
      assert.ok(reason.message.includes(line.includes("{") ? "characters" : line) || what.startsWith("an id"));
    }
    await assert.rejects(postern.call("c"), ProtocolError);
    assert.ok(await until(() => !isRunning(postern.pid)));
  });
}

test("output that may be part of a reply is not quoted, because it may contain a session", async (t) => {
  const line = '{"jsonrpc":"2.0","id":1,"result":{"id":1,"session_id":"ab54a98ceb1f0ad2"';
  const postern = await openFake(t, `read request; echo '${line}'; cat >&2`);
  await assert.rejects(postern.call("a"), (error) => {
    assert.ok(error instanceof ProtocolError);
    return !inspect(error).includes("ab54");
  });
});

test("a second reply to one request ends the client", async (t) => {
  const line = '{"jsonrpc":"2.0","id":1,"result":1}';
  const postern = await openFake(t, `read request; echo '${line}'; echo '${line}'; cat >&2`);
  assert.equal(await postern.call("a"), 1);
  await assert.rejects(postern.call("b"), ProtocolError);
});

for (const [name, number] of [["stdin", 0], ["stdout", 1]]) {
  test(`a process that closes its ${name} and continues to run ends the client`, async (t) => {
    const log = [];
    const script = `exec ${number}>&-; echo ready >&2; exec sleep 20`;
    const postern = await openFake(t, script, { onLog: (line) => log.push(line) });
    await until(() => log.length > 0);
    const message = `Postern closed its ${name} and runs on.`;
    await assert.rejects(postern.call("a"), { name: "ProtocolError", message });
    assert.ok(await until(() => !isRunning(postern.pid)));
  });
}

/** The outcome of a method whose reply has that result, and the client. */
async function outcome(t, method, result) {
  const script = `read request; echo '${JSON.stringify({ jsonrpc: "2.0", id: 1, result })}'; cat >&2`;
  const postern = await openFake(t, script);
  const [group, name] = method.split(".");
  return [await postern[group][name]().catch((error) => error), postern];
}

const flags = { contract: "1.0.0", apis: [], admin: false, events: false, deterministic: true };
const info = { name: "postern", version: "1", methods: ["a"], store: { kind: "memory" }, ...flags };

const misfits = {
  "result.version is missing": { ...info, version: undefined },
  "result.name is not a string": { ...info, name: null },
  "result.methods is not a list": { ...info, methods: {} },
  "result.methods[1] is not a string": { ...info, methods: ["a", 1] },
  "result.store is not an object": { ...info, store: [] },
  "result.store.kind is missing": { ...info, store: {} },
  "result is not an object": 7,
};

for (const [problem, result] of Object.entries(misfits)) {
  test(`${problem}: only the call fails`, async (t) => {
    const [error, postern] = await outcome(t, "system.info", result);
    assert.ok(error instanceof ProtocolError);
    assert.equal(error.message, `The result of system.info is not as agreed: ${problem}.`);
    assert.ok(isRunning(postern.pid));
  });
}

test("results keep unknown properties at all levels", async (t) => {
  const result = { ...info, more: 1, store: { kind: "memory", path: null } };
  const [given] = await outcome(t, "system.info", result);
  assert.deepEqual(given, result);
});

test("metadata is an object with any properties", async (t) => {
  const result = { metadata: { "": [null, { é: 1 }], more: {} }, app_metadata: {} };
  assert.deepEqual((await outcome(t, "operators.metadata", result))[0], result);
  for (const metadata of [[], null, "{}", 7]) {
    const [error] = await outcome(t, "operators.metadata", { ...result, metadata });
    assert.ok(error instanceof ProtocolError);
    assert.match(error.message, /: result\.metadata is not an object\.$/);
  }
});

test("integers are whole numbers that a number represents exactly", async (t) => {
  const message = { id: 1, to: "", subject: "", text: "", created: "2016-02-24T22:07:52.371513Z" };
  for (const id of [1.5, 2 ** 53, "1", true]) {
    const [error] = await outcome(t, "system.outbox", { messages: [message, { ...message, id }] });
    assert.match(error.message, /result\.messages\[1\]\.id is not an integer/);
  }
});

test("times are UTC as the service writes it", async (t) => {
  const message = { id: 1, to: "", subject: "", text: "", created: "2016-02-24T22:07:52.371513Z" };
  const [{ messages }] = await outcome(t, "system.outbox", { messages: [message] });
  assert.deepEqual(messages[0].created, new Date("2016-02-24T22:07:52.371Z"));
  for (const created of ["", "2016-02-24", "2016-02-24T22:07:52", "2016-13-24T22:07:52.371513Z", "5", 5]) {
    const [error] = await outcome(t, "system.outbox", { messages: [{ ...message, created }] });
    assert.match(error.message, /result\.messages\[0\]\.created is not a time/);
  }
});

const strange = [undefined, null, 7, {}, { errors: [] }, { errors: "wrong_password" }, { errors: ["newer"], more: 1 }];

for (const data of strange) {
  test(`an error with the data ${JSON.stringify(data)} is a plain CallError`, async (t) => {
    const reply = { jsonrpc: "2.0", id: 1, error: { code: -99, message: "So it is.", data } };
    const postern = await openFake(t, `read request; echo '${JSON.stringify(reply)}'; cat >&2`);
    const error = await postern.call("a").catch((error) => error);
    assert.equal(error.constructor, CallError);
    assert.deepEqual([error.name, error.code, error.message], ["CallError", -99, "So it is."]);
    assert.deepEqual(error.data, data);
    assert.equal(error.slug, data?.errors?.[0] === "newer" ? "newer" : undefined);
  });
}

test("the stack trace of an error includes the caller", async (t) => {
  const postern = await openFake(t, `read request; echo '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}'`);
  async function whoCalled() {
    await postern.system.info();
  }
  await assert.rejects(whoCalled(), (error) => error instanceof CallError && error.stack.includes("whoCalled"));
  await assert.rejects(whoCalled(), (error) => error.name === "ProcessEnded" && error.stack.includes("whoCalled"));
});
