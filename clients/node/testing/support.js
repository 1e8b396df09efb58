// What several tests need.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Postern } from "postern-client";

/** The folder of the package. */
export const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** The folder of the whole project. */
export const projectFolder = join(packageFolder, "../..");

/** The binary that the tests run. */
export const binary = process.env.POSTERN_BIN || join(projectFolder, ".build/release/postern");

const noConfirmation = ["--no-email-confirmation"];

/** Opens a client of a Postern in memory, which the test closes at its end. */
export function open(test, options = {}) {
  return opened(test, { binary, data: ":memory:", arguments: noConfirmation, ...options });
}

/** Opens a client of a program that plays Postern: a shell script. */
export async function openFake(test, script, options = {}) {
  const path = join(await temporaryFolder(test), "fake-postern");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  // A fake answers what the test asks, and not whether it serves.
  return opened(test, { binary: path, onLog: () => {}, waitUntilReady: false, ...options });
}

async function opened(test, options) {
  const postern = await Postern.open(options);
  test.after(() => postern.close({ timeout: 1 }));
  return postern;
}

/** A folder that is gone after the test. */
export async function temporaryFolder(test) {
  const folder = await mkdtemp(join(tmpdir(), "postern-client-"));
  test.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Registers an operator and gives what its calls begin with. */
export async function session(postern) {
  const user = { first_name: "Luke", last_name: "Sorenson", email: "lasoren@bu.edu" };
  const operator = await postern.operators.register({ user, password: "password" });
  return { user_id: operator.id, session_id: operator.session_id };
}

/** What a client of that number is made of. */
export function clientInput(number) {
  const user = { first_name: "Mary", last_name: "Major", email: `mary${number}@example.com` };
  return { user, address: `${number} Grimmauld Place, London` };
}

/** Waits until something holds, for five seconds at most. */
export async function until(condition) {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await condition()) return true;
    await sleep(10);
  }
  return false;
}

/** Whether a process runs. One that has ended and waits to be collected does not. */
export function isRunning(pid) {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "");
    return !/^[ZX]/.test(fields);
  } catch {
    return false;
  }
}

/** Runs a program to its end and gives its exit code, or signal, and what it wrote. */
export async function run(command, arguments_, options = {}) {
  const child = spawn(command, arguments_, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (output[name] += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...output }));
  });
}
