import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { ClientClosed, Postern, ProcessEnded } from "postern-accounts";
import { binary, clientInput, isRunning, open, packageFolder, run, session, temporaryFolder, until } from "../testing/support.js";

const quick = { first: 1, max: 20 };
const login = { email: "lasoren@bu.edu", password: "password" };

/** Opens a supervised client with a store in a directory. */
async function supervised(t, options = {}) {
  const exits = [];
  const data = options.data ?? (await temporaryFolder(t));
  const common = { data, supervise: true, backoff: quick, onExit: (exit) => exits.push(exit), onLog: () => {} };
  const postern = await open(t, { ...common, ...options });
  return { postern, exits, data };
}

/** A program that runs the lines of a file before it becomes Postern; `$start` is the number of the start, from 1. */
async function wrapped(t, lines) {
  const folder = await temporaryFolder(t);
  const path = join(folder, "wrapped-postern");
  await writeFile(join(folder, "lines"), lines);
  await writeFile(join(folder, "starts"), "");
  const counting = `echo x >> ${folder}/starts; start=$(wc -l < ${folder}/starts); . ${folder}/lines`;
  await writeFile(path, `#!/bin/sh\n${counting}\nexec ${binary} "$@"\n`, { mode: 0o755 });
  const starts = async () => (await readFile(join(folder, "starts"), "utf8")).length / 2;
  return { path, starts, change: (lines) => writeFile(join(folder, "lines"), lines) };
}

const kill = (postern) => process.kill(postern.pid, "SIGKILL");

test("a call that was in flight is sent again if it is idempotent, and otherwise its outcome is unknown", async (t) => {
  const { postern, exits } = await supervised(t);
  const credentials = await session(postern);
  const pid = postern.pid;
  const checks = Array.from({ length: 20 }, () => postern.operators.checkPassword({ ...credentials, current_password: "password" }));
  const signins = Array.from({ length: 20 }, () => postern.operators.signin(login));
  await Promise.race([...checks, ...signins]);
  kill(postern);
  assert.deepEqual(await Promise.all(checks), checks.map(() => undefined));
  const errors = (await Promise.allSettled(signins)).flatMap(({ reason }) => reason ?? []);
  assert.ok(errors.length > 0);
  for (const error of errors) {
    assert.ok(error instanceof ProcessEnded && error.signal === "SIGKILL");
    assert.match(error.message, /the outcome is unknown/);
  }
  assert.notEqual(postern.pid, pid);
  const [{ error, failedStarts, delay }] = exits;
  assert.ok(error instanceof ProcessEnded && failedStarts === 0 && delay > 0.8 - 1e-9 && delay < 1.2 + 1e-9);
  assert.equal(exits.length, 1);
});

test("a call is repeated only once", async (t) => {
  // Starts after the first reply to the request of the start, and die at the next.
  const answer = `read -r line; echo '{"jsonrpc":"2.0","id":1,"result":{"contract":"1.0.0"}}'; read -r line; kill -KILL $$`;
  const { path, starts } = await wrapped(t, answer);
  const { postern } = await supervised(t, { binary: path });
  await assert.rejects(postern.system.info(), { name: "ProcessEnded", signal: "SIGKILL" });
  await until(async () => (await starts()) === 3);
  await assert.rejects(postern.operators.signin(login), { name: "ProcessEnded" });
  assert.ok(await until(async () => (await starts()) === 4));
});

test("a refusal of a repeated change does not hide that the first request may have taken effect", async (t) => {
  // Passes the requests on to a Postern, and dies once that has answered the second one.
  const dying = `[ $start -gt 1 ] || { mkfifo $0.out; exec 4<&0; ${binary} "$@" <&4 > $0.out & exec 3< $0.out
    read -r line <&3; echo "$line"; read -r line <&3; kill -KILL $$; }`;
  const { path, starts } = await wrapped(t, dying);
  const { postern } = await supervised(t, { binary: path });
  const error = await postern.operators.register({ user: clientInput(1).user, password: "password" }).catch((error) => error);
  assert.ok(error instanceof ProcessEnded && error.signal === "SIGKILL", error.stack);
  assert.match(error.message, /the outcome is unknown/);
  assert.equal(error.cause.slug, "operator_exists");
  assert.equal(await starts(), 2);
});

test("a refusal of a repeated call that only reads is its outcome", async (t) => {
  const { path, starts } = await wrapped(t, `[ $start -gt 1 ] || { read -r line
    echo '{"jsonrpc":"2.0","id":1,"result":{"contract":"1.0.0"}}'; read -r line; kill -KILL $$; }`);
  const { postern } = await supervised(t, { binary: path });
  await assert.rejects(postern.operators.account({ user_id: 1, session_id: "x" }), { slug: "authentication_failed" });
  assert.equal(await starts(), 2);
});

test("an unexpected line is an end too", async (t) => {
  const raving = `[ $start -gt 1 ] || { read -r line; echo '{"jsonrpc":"2.0","id":1,"result":{"contract":"1.0.0"}}'
    read -r line; echo garbage; exec sleep 60; }`;
  const { path, starts } = await wrapped(t, raving);
  const { postern, exits } = await supervised(t, { binary: path });
  assert.equal((await postern.system.info()).name, "postern");
  assert.deepEqual([await starts(), exits[0].error.name], [2, "ProtocolError"]);
});

test("a kill at each of three starts only delays the calls", async (t) => {
  const { path, starts } = await wrapped(t, "[ $start -lt 2 ] || [ $start -gt 4 ] || kill -KILL $$");
  const { postern, exits } = await supervised(t, { binary: path });
  kill(postern);
  assert.equal((await postern.system.info()).name, "postern");
  assert.equal(await starts(), 5);
  assert.deepEqual(exits.map(({ failedStarts }) => failedStarts), [0, 1, 2, 3]);
  assert.ok(exits.every(({ error, delay }) => error.signal === "SIGKILL" && delay > 0));
  // The starts have succeeded since, so the count begins again.
  kill(postern);
  await postern.system.info();
  assert.equal(exits.at(-1).failedStarts, 0);
});

test("kills in a loop lose no idempotent call and no acknowledged write", async (t) => {
  const { postern, exits } = await supervised(t);
  const credentials = await session(postern);
  const acknowledged = [];
  let isKilling = true;
  const killing = (async () => {
    // A service that starts slowly has fewer ends and writes in the same time.
    const isEnough = () => exits.length >= 10 && acknowledged.length > 10;
    for (let count = 0; count < 20 || (count < 500 && !isEnough()); count++) {
      await sleep(40 + 4 * count);
      if (isRunning(postern.pid)) kill(postern);
    }
    isKilling = false;
  })();
  const failures = [];
  const write = async (task) => {
    for (let number = 0; isKilling; number++) {
      try {
        const input = clientInput(`${task}-${number}`);
        acknowledged.push((await postern.operators.client.create({ ...credentials, client: input })).user.email);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const reads = async () => {
    for (; isKilling; await sleep(1)) {
      try {
        await postern.operators.clients.get({ ...credentials, provision: 0 });
      } catch (error) {
        // Two kills have met the same call.
        failures.push(error);
      }
    }
  };
  await Promise.all([killing, write(0), write(1), reads(), reads()]);
  assert.ok(exits.length >= 10 && acknowledged.length > 10, `${exits.length} ends, ${acknowledged.length} writes`);
  for (const error of failures) assert.ok(error instanceof ProcessEnded, error.stack);
  const { clients } = await postern.operators.clients.get({ ...credentials, provision: 0 });
  const emails = new Set(clients.map(({ user }) => user.email));
  assert.deepEqual(acknowledged.filter((email) => !emails.has(email)), []);
});

test("after too many failed starts it gives up, with the words of the last one", async (t) => {
  const { path, starts, change } = await wrapped(t, "");
  const backoff = { first: 2, max: 16, failedStartsMax: 5 };
  const { postern, exits } = await supervised(t, { binary: path, backoff, events: true });
  await change('echo "start $start" >&2; exit 7');
  const events = postern.events().next();
  kill(postern);
  const error = await postern.system.info().catch((error) => error);
  assert.ok(error instanceof ProcessEnded && error.exitCode === 7);
  assert.deepEqual(error.stderr, ["start 6"]);
  await assert.rejects(postern.operators.signin(login), { name: "ProcessEnded", exitCode: 7 });
  await assert.rejects(events, { name: "ProcessEnded", exitCode: 7 });
  assert.deepEqual(exits.map(({ failedStarts }) => failedStarts), [0, 1, 2, 3, 4, 5]);
  const delays = exits.map(({ delay }) => delay);
  assert.equal(delays.pop(), undefined);
  for (const [index, expected] of [2, 4, 8, 16, 16].entries()) {
    assert.ok(Math.abs(delays[index] - expected) <= expected / 5 + 1e-9, delays.join());
  }
  assert.equal(await starts(), 6);
  await postern.close();
  await assert.rejects(postern.system.info(), ClientClosed);
});

test("by default the first wait is a tenth of a second", async (t) => {
  const { postern, exits } = await supervised(t, { backoff: undefined });
  kill(postern);
  await postern.system.info();
  assert.ok(exits[0].delay >= 80 && exits[0].delay <= 120);
});

test("after a process has served long enough, the waits are short again", async (t) => {
  const { postern, exits } = await supervised(t, { backoff: { first: 1, max: 1_000, resetAfter: 2_000 } });
  for (const wait of [0, 0, 0, 2_500]) {
    await sleep(wait);
    kill(postern);
    await postern.system.info();
  }
  assert.ok(exits[2].delay > 3 && exits[3].delay < 2, exits.map(({ delay }) => delay).join());
});

test("the first start is not repeated", async (t) => {
  const { path, starts } = await wrapped(t, "exit 9");
  await assert.rejects(supervised(t, { binary: path }), { name: "ProcessEnded", exitCode: 9 });
  assert.equal(await starts(), 1);
});

test("a store in memory is refused", async (t) => {
  const refused = { name: "PosternError", message: /in memory cannot be supervised/ };
  const { path } = await wrapped(t, "export POSTERN_DATA=:memory:");
  for (const options of [
    { data: ":memory:" },
    { data: undefined, arguments: ["--data", ":memory:"] },
    { data: undefined, arguments: ["--data=:memory:"] },
    { data: undefined, env: { POSTERN_DATA: ":memory:" } },
    { data: undefined, binary: path },
  ]) {
    await assert.rejects(Postern.open({ binary, supervise: true, ...options }), refused);
  }
});

test("a call that waits for a process has its own time-out and signal, and close ends it", async (t) => {
  const { postern } = await supervised(t, { backoff: { first: 60_000, max: 60_000 } });
  kill(postern);
  await assert.rejects(postern.system.info({ timeout: 300 }), { name: "TimeoutError", message: /within 300 ms/ });
  await assert.rejects(postern.system.info({ signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
  const controller = new AbortController();
  const aborted = assert.rejects(postern.system.info({ signal: controller.signal }), { name: "AbortError" });
  controller.abort();
  await aborted;
  const waiting = assert.rejects(postern.system.info(), ClientClosed);
  await postern.close();
  await waiting;
});

test("a close in onExit does not wait for the next start", async (t) => {
  const data = await temporaryFolder(t);
  const text = `
    import { Postern } from "postern-accounts";
    let report = () => {};
    const exited = new Promise((resolve) => (report = resolve));
    const backoff = { first: 60_000, max: 60_000 };
    const onExit = () => report(postern.close().then(() => "closed"));
    const postern = await Postern.open({ data: ${JSON.stringify(data)}, supervise: true, backoff, onExit });
    process.kill(postern.pid, "SIGKILL");
    await postern.system.info().catch(() => {});
    console.log(await exited);`;
  const options = { cwd: packageFolder, env: { ...process.env, POSTERN_BIN: binary }, timeout: 10_000 };
  const { code, stdout, stderr } = await run(process.execPath, ["--input-type=module", "--eval", text], options);
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "closed\n", stderr: "" });
});

test("an abort in onExit ends the call that was in flight", async (t) => {
  const controller = new AbortController();
  const onExit = () => controller.abort();
  const { postern } = await supervised(t, { backoff: { first: 60_000, max: 60_000 }, onExit });
  const call = postern.system.info({ signal: controller.signal }).catch((error) => error.name);
  kill(postern);
  assert.equal(await Promise.race([call, sleep(5_000, "waits", { ref: false })]), "AbortError");
});

test("the time-out of a repeated call began with the first request", async (t) => {
  const { path } = await wrapped(t, "[ $start = 1 ] || sleep 5");
  const { postern } = await supervised(t, { binary: path });
  const credentials = await session(postern);
  const calls = Array.from({ length: 20 }, () =>
    postern.operators.checkPassword({ ...credentials, current_password: "password" }, { timeout: 1_000 }),
  );
  await calls[0];
  kill(postern);
  const start = performance.now();
  const outcomes = await Promise.allSettled(calls);
  assert.equal(outcomes.at(-1).reason.name, "TimeoutError");
  assert.ok(performance.now() - start < 2_000);
});

test("events continue after the last one that arrived", async (t) => {
  const { postern } = await supervised(t, { eventsAfter: 0 });
  await session(postern);
  const seqs = [];
  const events = postern.events();
  for (let round = 0; round < 5; round++) {
    await postern.operators.signin(login);
    while (seqs.length < 2 + round) seqs.push((await events.next()).value.seq);
    kill(postern);
    // Sent again, so that the next call, which is not, finds the next process.
    await postern.system.info();
  }
  assert.deepEqual(seqs, seqs.map((_, index) => index + 1));
});

test("mails are delivered by the next process too", async (t) => {
  const mails = [];
  const options = { arguments: [], deliverMail: ({ to }) => void mails.push(to) };
  const { postern } = await supervised(t, options);
  kill(postern);
  await postern.operators.register({ user: clientInput(1).user, password: "password" });
  assert.ok(await until(() => mails.length === 1));
});

const unshowable = {
  [inspect.custom]() {
    throw new Error("not this");
  },
};

for (const [what, thrown] of [["an error", new Error("no")], ["a value whose inspection throws", unshowable]]) {
  test(`an onExit that throws ${what} does not stop the restarts, and close leaves no process`, async (t) => {
    const { postern } = await supervised(t, {
      onExit: () => {
        throw thrown;
      },
    });
    kill(postern);
    await postern.system.info({ timeout: 10_000 });
    const { pid } = postern;
    await postern.close();
    assert.ok(!isRunning(pid));
  });
}

test("a failure of the client between two processes is the error of all calls", async (t) => {
  const { postern } = await supervised(t, { events: true });
  const events = postern.events().next();
  const failure = new Error("no jitter");
  t.mock.method(Math, "random", () => {
    throw failure;
  });
  kill(postern);
  await assert.rejects(events, failure);
  await assert.rejects(postern.system.info({ timeout: 10_000 }), failure);
  await postern.close();
});

test("what onExit gets of a failed start does not contain the flags", async (t) => {
  const cwd = await temporaryFolder(t);
  const { postern, exits } = await supervised(t, { cwd, data: join(await temporaryFolder(t), "hunter2") });
  await rm(cwd, { recursive: true });
  kill(postern);
  assert.ok(await until(() => exits.length > 1));
  assert.equal(exits[1].error.cause.code, "ENOENT");
  assert.doesNotMatch(inspect(exits[1], { depth: Infinity, showHidden: true }), /hunter2/);
});

test("a close during a start ends that process", async (t) => {
  const { path, starts } = await wrapped(t, "[ $start = 1 ] || sleep 0.5");
  const { postern } = await supervised(t, { binary: path });
  kill(postern);
  await until(async () => (await starts()) === 2);
  await postern.close();
  await sleep(1_000);
  assert.equal(await starts(), 2);
});

test("a supervised client does not keep the host running, but a call that waits for a process does", async (t) => {
  const data = await temporaryFolder(t);
  const text = `
    import { Postern } from "postern-accounts";
    const backoff = { first: 400, max: 400 };
    const postern = await Postern.open({ data: ${JSON.stringify(data)}, supervise: true, backoff });
    process.kill(postern.pid, "SIGKILL");
    console.log((await postern.system.info()).name);`;
  const options = { cwd: packageFolder, env: { ...process.env, POSTERN_BIN: binary }, timeout: 20_000 };
  const { code, stdout, stderr } = await run(process.execPath, ["--input-type=module", "--eval", text], options);
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "postern\n", stderr: "" });
});

test("only numbers are waits", async (t) => {
  for (const backoff of [{ first: -1 }, { max: "5" + "s" }, { failedStartsMax: 0 }, { resetAfter: NaN }]) {
    await assert.rejects(Postern.open({ binary, data: await temporaryFolder(t), supervise: true, backoff }), RangeError);
  }
});

test("onExit and backoff need supervise", async () => {
  for (const options of [{ onExit: () => {} }, { backoff: quick }, { supervise: false, onExit: () => {} }]) {
    const refused = { name: "TypeError", message: /need `supervise: true`/ };
    await assert.rejects(Postern.open({ binary, data: ":memory:", ...options }), refused);
  }
  await (await Postern.open({ binary, data: ":memory:", onExit: undefined, backoff: undefined })).close();
});
