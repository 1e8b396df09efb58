// Functions that several tests use.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Postern } from "postern-accounts";

/** The folder of the package. */
export const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** The folder of the whole project. */
export const projectFolder = join(packageFolder, "../..");

/** The binary that the tests run. */
export const binary = process.env.POSTERN_BIN || join(projectFolder, ".build/release/postern");

const noConfirmation = ["--no-email-confirmation"];

/** Opens a client with a store in memory, which is closed at the end of the test. */
export function open(test, options = {}) {
  return opened(test, { binary, data: ":memory:", arguments: noConfirmation, ...options });
}

/** Opens a client of a shell script that replaces the binary. */
export async function openFake(test, script, options = {}) {
  const path = join(await temporaryFolder(test), "fake-postern");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  // A fake does not expect the first request of `open`.
  return opened(test, { binary: path, onLog: () => {}, waitUntilReady: false, ...options });
}

async function opened(test, options) {
  const postern = await Postern.open(options);
  test.after(() => postern.close({ timeout: 1 }));
  return postern;
}

/** A folder that is removed after the test. */
export async function temporaryFolder(test) {
  const folder = await mkdtemp(join(tmpdir(), "postern-accounts-"));
  test.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Registers an operator and returns the session params of its calls. */
export async function session(postern) {
  const user = { first_name: "Luke", last_name: "Sorenson", email: "lasoren@bu.edu" };
  const operator = await postern.operators.register({ user, password: "password" });
  return { user_id: operator.id, session_id: operator.session_id };
}

/** The params of a new client with that number. */
export function clientInput(number) {
  const user = { first_name: "Mary", last_name: "Major", email: `mary${number}@example.com` };
  return { user, address: `${number} Grimmauld Place, London` };
}

/** Waits up to five seconds until a condition is true; returns whether it is. */
export async function until(condition) {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await condition()) return true;
    await sleep(10);
  }
  return false;
}

/** Whether a process runs. A zombie does not. */
export function isRunning(pid) {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "");
    return !/^[ZX]/.test(fields);
  } catch {
    return false;
  }
}

/** Runs a program to its end and returns its exit code or signal, and its output. */
export async function run(command, arguments_, options = {}) {
  const child = spawn(command, arguments_, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (output[name] += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...output }));
  });
}
