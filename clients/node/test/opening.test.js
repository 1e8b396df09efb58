import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { BinaryNotFound, Postern, PosternError } from "postern-accounts";
import { binary, open, openFake, packageFolder, run, temporaryFolder, until } from "../testing/support.js";

/** Runs a body with other environment variables. */
async function withEnvironment(variables, body) {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    return await body();
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

test("the error for a missing binary lists all places", async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "plain"), "");
  for (const path of [join(folder, "none"), join(folder, "plain"), folder]) {
    await assert.rejects(Postern.open({ binary: path }), (error) => {
      assert.ok(error instanceof BinaryNotFound && error instanceof PosternError && error.name === "BinaryNotFound");
      assert.deepEqual(error.places, [path]);
      return error.message.includes(path);
    });
    await withEnvironment({ POSTERN_BIN: path }, () => assert.rejects(Postern.open(), { places: [path] }));
  }
  const packaged = join(packageFolder, `../postern-accounts-${process.platform}-${process.arch}/bin/postern`);
  await withEnvironment({ POSTERN_BIN: "", PATH: `${folder}:/nowhere` }, () =>
    assert.rejects(Postern.open(), { places: [packaged, join(folder, "postern"), "/nowhere/postern"] }),
  );
});

test("the binary is found on PATH, by POSTERN_BIN, and by a relative path regardless of cwd", async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, "bin"));
  await symlink(binary, join(folder, "bin/postern"));
  const opens = async (options) => {
    const postern = await Postern.open({ data: ":memory:", ...options });
    await postern.system.info();
    await postern.close();
  };
  await withEnvironment({ POSTERN_BIN: "", PATH: `/nowhere:${join(folder, "bin")}` }, () => opens({}));
  await withEnvironment({ POSTERN_BIN: join(folder, "bin/postern") }, () => opens({}));
  const before = process.cwd();
  process.chdir(folder);
  try {
    await opens({ binary: "bin/postern", cwd: "/" });
  } finally {
    process.chdir(before);
  }
});

test("a data directory can have any name", async (t) => {
  const cwd = await temporaryFolder(t);
  for (const data of ["-accounts", "--help", "two words", "ünïcode"]) {
    const postern = await open(t, { data, cwd });
    await postern.system.info();
    assert.ok((await readdir(join(cwd, data))).includes("manifest.json"));
  }
});

test("the client's flags override the environment", async (t) => {
  const variables = { POSTERN_REPLIES: "in-order", POSTERN_FRAMING: "header", POSTERN_DATA: "/nowhere" };
  const postern = await withEnvironment(variables, () => open(t));
  assert.equal((await postern.system.info()).store.kind, "memory");
});

test("clients that failed to open or were closed leave no descriptors", async (t) => {
  const descriptors = async () => (await readdir("/proc/self/fd")).length;
  await (await open(t)).close();
  const before = await descriptors();
  for (let round = 0; round < 10; round++) {
    await assert.rejects(Postern.open({ binary, cwd: "/nowhere" }), PosternError);
    const postern = await open(t);
    await postern.system.info();
    await postern.close();
  }
  assert.ok(await until(async () => (await descriptors()) <= before));
});

test("a failed start is a PosternError with its cause", async (t) => {
  const path = join(await temporaryFolder(t), "no-program");
  await writeFile(path, "#!/nowhere/sh\n");
  await chmod(path, 0o755);
  for (const options of [{ binary: path }, { binary, cwd: "/nowhere" }]) {
    await assert.rejects(Postern.open(options), (error) => {
      assert.equal(error.constructor, PosternError);
      assert.equal(error.cause.code, "ENOENT");
      return error.message.includes("could not be started");
    });
  }
});

test("the error of a failed start does not contain the flags, which can have a password", async (t) => {
  const data = "postgres://app:hunter2@db/x";
  const path = join(await temporaryFolder(t), "no-program");
  await writeFile(path, "#!/nowhere/sh\n", { mode: 0o755 });
  for (const [name, options] of [
    ["PosternError", { binary, data, cwd: "/nowhere" }],
    ["PosternError", { binary: path, data }],
    ["PosternError", { binary, data, arguments: ["x".repeat(1 << 20)] }],
    ["TypeError", { binary, data: data + "\0" }],
    ["TypeError", { binary, env: { POSTERN_DATA: data + "\0" } }],
  ]) {
    const error = await Postern.open(options).catch((error) => error);
    assert.equal(error.name, name);
    assert.doesNotMatch(inspect(error, { depth: Infinity, showHidden: true }), /hunter2/);
  }
});

test("the process gets the given flags, environment and working directory", async (t) => {
  const folder = await temporaryFolder(t);
  const script = `pwd >&2; echo "$* $ADDED $HOME $TAKEN" >&2; read request`;
  const options = { data: "d", arguments: ["--x", "a b"], cwd: folder, env: { ADDED: "added", TAKEN: undefined } };
  await withEnvironment({ TAKEN: "taken", HOME: "/home" }, async () => {
    const postern = await openFake(t, script, options);
    const error = await postern.call("a").catch((error) => error);
    const flags = "--data d --replies as-completed --framing line --x a b added /home ";
    assert.deepEqual(error.stderr, [folder, flags]);
  });
});

test("the data are stored in the directory", async (t) => {
  const folder = await temporaryFolder(t);
  const first = await open(t, { data: "accounts", cwd: folder });
  const user = { first_name: "Luke", last_name: "Sorenson", email: "lasoren@bu.edu" };
  await first.operators.register({ user, password: "password" });
  await first.close();
  assert.ok((await readdir(join(folder, "accounts"))).includes("manifest.json"));
  const second = await open(t, { data: join(folder, "accounts") });
  assert.equal((await second.operators.signin({ email: user.email, password: "password" })).id, 1);
});

test("opening fails if the program cannot serve, with its last lines", async (t) => {
  const file = join(await temporaryFolder(t), "data");
  await writeFile(file, "");
  for (const [part, options] of [
    ["--no-such-flag", { data: ":memory:", arguments: ["--no-such-flag"] }],
    [file, { data: file }],
  ]) {
    await assert.rejects(Postern.open({ binary, onLog: () => {}, ...options }), (error) => {
      assert.equal(error.name, "ProcessEnded");
      return error.stderr.at(-1) !== undefined && error.message.includes(part);
    });
  }
});

test("opening a damaged store fails, and the error names the file", async (t) => {
  const data = await temporaryFolder(t);
  await (await open(t, { data })).close();
  await writeFile(join(data, "manifest.json"), "no manifest\n");
  await assert.rejects(open(t, { data, onLog: () => {} }), { name: "ProcessEnded", message: /manifest\.json/ });
});

test("opening a store fails while a stopped process holds its lock", async (t) => {
  const data = await temporaryFolder(t);
  await (await open(t, { data })).close();
  const holding = ["--no-fork", join(data, "lock"), "sh", "-c", "echo held; kill -STOP $$"];
  const holder = spawn("flock", holding, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(holder.stdout, "data");
    const options = { data, arguments: ["--lock-wait", "1"], onLog: () => {} };
    await assert.rejects(open(t, options), { name: "ProcessEnded", message: /is in use by process/ });
  } finally {
    holder.kill("SIGKILL");
  }
  await once(holder, "exit");
  await (await open(t, { data })).close();
});

test("an error that spawn throws is a PosternError too", async () => {
  const options = { binary, data: ":memory:", arguments: ["x".repeat(1 << 20)] };
  await assert.rejects(Postern.open(options), (error) => {
    assert.equal(error.constructor, PosternError);
    assert.equal(error.cause.code, "E2BIG");
    return error.message.includes("could not be started");
  });
  await assert.rejects(Postern.open({ binary, data: "a\0b" }), TypeError);
});

test("opening without enough descriptors is a PosternError, and leaks none", async () => {
  const text = `
    import { closeSync, openSync } from "node:fs";
    import { setTimeout as sleep } from "node:timers/promises";
    import { Postern, PosternError } from "postern-accounts";
    const held = [];
    const hold = () => {
      try { for (;;) held.push(openSync("/dev/null")); } catch {}
    };
    const open = async () => {
      try {
        await (await Postern.open({ data: ":memory:", onLog: () => {} })).close();
        return "opened";
      } catch (error) {
        return error instanceof PosternError ? "refused" : String(error);
      }
    };
    await open();
    const outcomes = new Set();
    hold();
    const most = held.length;
    for (let free = 0; free < 16; free++) {
      for (const descriptor of held.splice(0, free)) closeSync(descriptor);
      outcomes.add(await open());
      for (let round = 0; round < 100 && held.length < most; round++) {
        await sleep(10);
        hold();
      }
      if (held.length !== most) outcomes.add("with " + free + " free, " + (most - held.length) + " are lost");
    }
    console.log([...outcomes].join("; "));`;
  const shell = ["-c", 'ulimit -n 64; exec "$@"', "bash", process.execPath, "--input-type=module", "--eval", text];
  const environment = { ...process.env, POSTERN_BIN: binary };
  const { stdout, stderr } = await run("bash", shell, { cwd: packageFolder, env: environment, timeout: 30_000 });
  assert.deepEqual([stdout, stderr], ["refused; opened\n", ""]);
});
