import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { binary, isRunning, open, openFake, packageFolder, run, temporaryFolder, until } from "../testing/support.js";

const environment = { ...process.env, POSTERN_BIN: binary };

/** The arguments with which Node runs a program that can import the package. */
function program(text) {
  return ["--input-type=module", "--eval", `import { Postern } from "postern-accounts";\n${text}`];
}

const inHost = { cwd: packageFolder, env: environment };
const openHere = `const postern = await Postern.open({ data: ":memory:", arguments: ["--no-email-confirmation"] });`;
const signIn = `postern.operators.signin({ email: "lasoren@bu.edu", password: "password" })`;

for (const [state, more] of [["idle", ""], ["calling", `setInterval(() => ${signIn}.catch(() => {}), 1);`]]) {
  test(`a host that is killed while it is ${state} leaves no process behind`, async () => {
    const text = `
      import { spawn } from "node:child_process";
      ${openHere}
      await postern.system.info();
      const sleeper = spawn("sleep", ["60"], { stdio: "ignore", detached: true });
      ${more}
      setInterval(() => {}, 1000);
      console.log(JSON.stringify([postern.pid, sleeper.pid]));`;
    const host = spawn(process.execPath, program(text), { ...inHost, stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(createInterface({ input: host.stdout }), "line");
    const [posternID, sleeperID] = JSON.parse(line);
    assert.ok(isRunning(posternID));
    host.kill("SIGKILL");
    try {
      assert.ok(await until(() => !isRunning(posternID)));
      assert.ok(isRunning(sleeperID));
    } finally {
      process.kill(sleeperID);
    }
  });
}

test("a host that does not close its client can exit, and its process ends too", async () => {
  const text = `${openHere}\nawait postern.system.info();\nconsole.log(postern.pid);`;
  const { code, stdout, stderr } = await run(process.execPath, program(text), { ...inHost, timeout: 10_000 });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.ok(await until(() => !isRunning(Number(stdout))));
});

test("a host keeps running while calls are in flight, and while it closes", async () => {
  const text = `
    ${openHere}
    const user = { first_name: "L", last_name: "S", email: "lasoren@bu.edu" };
    const registering = postern.operators.register({ user, password: "password" });
    registering.then(() => ${signIn}).then(() => {
      console.log("signed in");
      postern.close().then(() => console.log("closed"));
    });`;
  const { stdout, stderr } = await run(process.execPath, program(text), { ...inHost, timeout: 10_000 });
  assert.deepEqual([stdout, stderr], ["signed in\nclosed\n", ""]);
});

test("a host with only a call in flight gets the error when its process ends", async () => {
  const text = `
    ${openHere}
    const user = { first_name: "L", last_name: "S", email: "lasoren@bu.edu" };
    await postern.operators.register({ user, password: "password" });
    const calls = Array.from({ length: 20 }, () => ${signIn});
    process.kill(postern.pid, "SIGKILL");
    const outcomes = await Promise.allSettled(calls);
    console.log(outcomes.at(-1).reason.name);`;
  const { stdout } = await run(process.execPath, program(text), { ...inHost, timeout: 10_000 });
  assert.equal(stdout, "ProcessEnded\n");
});

test("lines of stderr go to the host's stderr", async () => {
  const text = `
    const postern = await Postern.open({ data: ":memory:", arguments: ["--log-level", "info"] });
    await postern.close();`;
  const { stderr } = await run(process.execPath, program(text), inHost);
  assert.match(stderr, /^time=\S+ level=info /m);
});

test("an onLog that throws gets all lines, and the host continues with them on its stderr", async (t) => {
  const path = join(await temporaryFolder(t), "loud-postern");
  await writeFile(path, "#!/bin/sh\nread request; printf 'one\\ntwo\\nthree' >&2\n", { mode: 0o755 });
  const text = `
    const heard = [], uncaught = [];
    process.on("uncaughtException", (error) => uncaught.push(error.message));
    process.on("unhandledRejection", (error) => uncaught.push(error.message));
    const fails = [() => { throw new Error("no"); }, () => Promise.reject(new Error("no")), () => {}];
    const onLog = (line) => { heard.push(line); return fails[heard.length - 1](); };
    const postern = await Postern.open({ binary: ${JSON.stringify(path)}, onLog, waitUntilReady: false });
    const { stderr } = await postern.call("a").catch((error) => error);
    await postern.close();
    console.log(JSON.stringify([heard, uncaught, stderr]));`;
  const { stdout, stderr } = await run(process.execPath, program(text), { ...inHost, timeout: 10_000 });
  const lines = ["one", "two", "three"];
  assert.deepEqual(JSON.parse(stdout), [lines, [], lines]);
  const shown = stderr.split("\n").filter((line) => lines.includes(line) || line.startsWith("postern: "));
  const failed = "postern: a function of the host failed: Error: no";
  assert.deepEqual(shown, ["one", failed, "two", failed]);
});

test("a logger gets the messages of the log at their levels, and other lines as errors", async (t) => {
  const script = String.raw`read request; printf '%s\n' 'time=T level=error message="a \"b\""' \
    'time=T level=warning message="c"' 'time=T level=info message="d"' 'time=T level=newer message="e"' 'f' \
    'time=T level=info message="\g"' >&2`;
  const heard = [];
  const heardAt = (level) => (message) => void heard.push([level, message]);
  const logger = { error: heardAt("error"), warn: heardAt("warn"), info: heardAt("info") };
  const postern = await openFake(t, script, { logger, onLog: undefined });
  await assert.rejects(postern.call("a"), { name: "ProcessEnded" });
  assert.deepEqual(heard, [
    ["error", 'a "b"'],
    ["warn", "c"],
    ["info", "d"],
    ["error", "e"],
    ["error", "f"],
    // No JSON string, so not a line of the log.
    ["error", String.raw`time=T level=info message="\g"`],
  ]);
});

test("a message of the real log reaches the logger", async (t) => {
  const messages = [];
  const logger = { error: () => {}, warn: () => {}, info: (message) => messages.push(message) };
  const postern = await open(t, { arguments: ["--log-level", "info"], logger });
  await postern.close();
  assert.ok(messages.some((message) => message.startsWith("serving ")), messages.join());
});

test("all kinds of lines of stderr are passed on", async (t) => {
  const bytes = String.raw`printf 'bad \377 byte\r\n'; printf '%1048576s\n\nno line feed' x`;
  const heard = [];
  const postern = await openFake(t, `read request; { ${bytes}; } >&2`, { onLog: (line) => heard.push(line) });
  await assert.rejects(postern.call("a"), { name: "ProcessEnded" });
  await postern.close();
  assert.deepEqual(heard, ["bad \ufffd byte\r", "x".padStart(1 << 20), "", "no line feed"]);
});

test("a worker can have its own client, and leaves no process behind", async () => {
  const worker = new Worker(new URL("../testing/worker.js", import.meta.url));
  const [[{ pid, name }], [code]] = await Promise.all([once(worker, "message"), once(worker, "exit")]);
  assert.deepEqual([name, code], ["postern", 0]);
  assert.ok(await until(() => !isRunning(pid)));
});

for (const [state, redirection] of [["closed", "2>&-"], ["full", "2>/dev/full"], ["unread", "2> >(exec 0<&-; sleep 1)"]]) {
  test(`a log line does not end a host whose stderr is ${state}`, async (t) => {
    const path = join(await temporaryFolder(t), "loud-postern");
    const answer = `{"jsonrpc":"2.0","id":'$id',"result":1}`;
    const script = `#!/bin/sh\nid=0\nwhile read request; do id=$((id + 1)); echo a line >&2; echo '${answer}'; done\n`;
    await writeFile(path, script, { mode: 0o755 });
    const text = `
      const postern = await Postern.open({ binary: ${JSON.stringify(path)} });
      for (let number = 0; number < 20; number++) {
        await postern.call("any");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await postern.close();
      console.log("the end");`;
    const shell = ["-c", `exec "$@" ${redirection}`, "bash", process.execPath, ...program(text)];
    const { code, stdout } = await run("bash", shell, { ...inHost, timeout: 10_000 });
    assert.deepEqual([code, stdout], [0, "the end\n"]);
  });
}

/** A host whose process writes much more than the capacity of a pipe to stderr before each of five replies. */
async function loudHost(t, more = "") {
  const path = join(await temporaryFolder(t), "loud-postern");
  const answer = `{"jsonrpc":"2.0","id":'$id',"result":1}`;
  const lines = `head -c 200000 /dev/zero | tr '\\0' x | fold -w 99 >&2; echo >&2`;
  const script = `#!/bin/sh\nid=0\nwhile read request; do id=$((id + 1)); ${lines}; echo '${answer}'; done\n`;
  await writeFile(path, script, { mode: 0o755 });
  return `
    const postern = await Postern.open({ binary: ${JSON.stringify(path)} });
    for (let number = 0; number < 5; number++) await postern.call("any", undefined, { timeout: 5000 });
    await postern.close();
    ${more}
    console.log("the end");`;
}

test("a host whose stderr is a full pipe is not blocked", async (t) => {
  const text = await loudHost(t);
  const shell = ["-c", `exec "$@" 2> >(exec sleep 10 >&-)`, "bash", process.execPath, ...program(text)];
  const { code, stdout } = await run("bash", shell, { ...inHost, timeout: 8_000 });
  assert.deepEqual([code, stdout], [0, "the end\n"]);
});

/** The same host in a worker, whose process.stderr is the host's or, if it is captured, another stream. */
function inWorker(text, isCaptured) {
  const index = new URL("../lib/index.js", import.meta.url);
  const body = `(async () => { const { Postern } = await import("${index}"); ${text} })()`;
  return `
    import { Worker } from "node:worker_threads";
    void Postern;
    new Worker(${JSON.stringify(body)}, { eval: true, stderr: ${isCaptured} });`;
}

const threads = [
  ["the main thread", (text) => text],
  ["a worker", (text) => inWorker(text, false)],
  // No thread uses process.stderr, so that the descriptor is not set to not block before.
  ["a worker whose stderr is captured", (text) => inWorker(text, true)],
];

for (const [thread, programIn] of threads) {
  for (const state of ["a full socket", "a socket without a reader"]) {
    test(`in ${thread}, a host whose stderr is ${state} is not blocked`, async (t) => {
      const text = programIn(await loudHost(t));
      const host = spawn(process.execPath, program(text), { ...inHost, stdio: ["ignore", "pipe", "pipe"] });
      if (state !== "a full socket") host.stderr.destroy();
      const timer = setTimeout(() => host.kill(), 8_000);
      const ended = once(host, "exit");
      const [output] = await Promise.race([once(host.stdout.setEncoding("utf8"), "data"), ended]);
      const [code] = await ended;
      clearTimeout(timer);
      host.stderr.destroy();
      assert.deepEqual([code, output], [0, "the end\n"]);
    });
  }
}

test("the host's stderr works after the end of a worker that wrote to it", async (t) => {
  const path = join(await temporaryFolder(t), "loud-postern");
  const script = `#!/bin/sh\nread request; echo a line >&2; echo '{"jsonrpc":"2.0","id":1,"result":1}'; read request\n`;
  await writeFile(path, script, { mode: 0o755 });
  const calling = `
    const postern = await Postern.open({ binary: ${JSON.stringify(path)}, waitUntilReady: false });
    await postern.call("any");
    await postern.close();`;
  // spawn() gives a socket for stderr.
  const text = inWorker(calling, true).replace("new Worker", "const worker = new Worker")
    + `worker.once("exit", () => console.error("behind the worker"));`;
  const { code, stderr } = await run(process.execPath, program(text), { ...inHost, timeout: 10_000 });
  assert.deepEqual([code, stderr], [0, "a line\nbehind the worker\n"]);
});

test("a slow reader of stderr gets the buffered lines, and the number of dropped ones", async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, "stderr");
  const flood = `
    const { writeToStderr } = await import("${new URL("../lib/stderr.js", import.meta.url)}");
    for (let number = 0; number < 200_000; number++) writeToStderr("y".repeat(99));`;
  // Each retry writes one full pipe, so the buffered lines take at least five seconds.
  const text = await loudHost(t, `${flood}\nawait new Promise((resolve) => setTimeout(resolve, 12_000));`);
  // With a pipe, the shell also waits for the reader, so that the file is complete.
  const pipeline = `set -o pipefail; { "$@" 2>&1 >&3 3>&- | { exec 3>&-; sleep 1; cat >"$0"; }; } 3>&1`;
  const shell = ["-c", pipeline, file, process.execPath, ...program(text)];
  const { code, stdout } = await run("bash", shell, { ...inHost, timeout: 40_000 });
  assert.deepEqual([code, stdout], [0, "the end\n"]);
  const lines = (await readFile(file, "utf8")).split("\n");
  const [last] = lines.filter((line) => line.startsWith("postern: "));
  const taken = lines.filter((line) => line === "y".repeat(99)).length;
  const leftOut = Number(/^postern: (\d+) lines of its stderr are left out, because stderr is full$/.exec(last)[1]);
  assert.equal(taken + leftOut, 200_000);
  assert.ok(leftOut > 10_000 && taken > 100_000);
  // The lines of five calls, and of the first request of `open`.
  assert.equal(lines.join("").match(/x/g).length, 6 * 200_000);
});
