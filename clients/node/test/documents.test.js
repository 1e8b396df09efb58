import assert from "node:assert/strict";
import { mkdir, readFile, readdir, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import * as client from "postern-accounts";
import { binary, packageFolder, run, temporaryFolder } from "../testing/support.js";

const readme = await readFile(join(packageFolder, "README.md"), "utf8");
const options = { env: { ...process.env, POSTERN_BIN: binary }, timeout: 30_000 };

const session = `registered Luke Sorenson
wrong_password: Password is incorrect for this account.
signed in as operator 1
created Mary Major
1 client, next provision 2
`;

/** The code blocks of the README in a language. */
function blocks(language) {
  const all = readme.matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...all].flatMap(([, name, text]) => (name === language ? [text] : []));
}

/** A folder for a program, with the package installed. */
async function programFolder(test) {
  const folder = await temporaryFolder(test);
  await mkdir(join(folder, "node_modules"));
  await symlink(packageFolder, join(folder, "node_modules/postern-accounts"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  return folder;
}

test("the example prints the session, and the README shows it", async (t) => {
  const data = join(await temporaryFolder(t), "accounts");
  const { code, stdout, stderr } = await run(process.execPath, [join(packageFolder, "example.js"), data], options);
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: session, stderr: "" });
  assert.equal(blocks("js")[0], await readFile(join(packageFolder, "example.js"), "utf8"));
  assert.ok(readme.includes(session.replace(/^(?=.)/gm, "    ")));
});

test("the programs of the README print the expected lines", async (t) => {
  const folder = await programFolder(t);
  const expected = [
    session,
    "Please look at email.\n",
    "AbortError\nstring\n",
    "lasoren@bu.edu Confirm your email true\n",
    "1 registered\n2 signed_in\n",
    "SIGKILL true\npostern\n",
    "SIGKILL\npostern\n",
    "2016-02-24T22:07:52.371Z lasoren@bu.edu\n",
  ];
  const programs = blocks("js");
  assert.equal(programs.length, expected.length);
  for (const [index, program] of programs.entries()) {
    await writeFile(join(folder, "program.js"), program);
    const { stdout, stderr } = await run(process.execPath, [join(folder, "program.js"), join(folder, "data")], options);
    assert.deepEqual({ stdout, stderr }, { stdout: expected[index], stderr: "" });
  }
});

const hasCompiler = await run("tsc", ["--version"]).then(() => true, () => false);

test("the TypeScript of the README compiles", { skip: !hasCompiler && "tsc is not installed" }, async (t) => {
  const folder = await programFolder(t);
  const compilerOptions = { target: "ES2022", module: "Node16", strict: true, noEmit: true, types: [] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  const programs = blocks("ts");
  assert.equal(programs.length, 1);
  await writeFile(join(folder, "program.ts"), programs[0]);
  assert.deepEqual(await run("tsc", ["-p", folder]), { code: 0, signal: null, stdout: "", stderr: "" });
});

test("the declared classes are the exported ones", async () => {
  const declared = async (file) => {
    const text = await readFile(join(packageFolder, "lib", file), "utf8");
    return [...text.matchAll(/^export (?:class|\* as) (\w+)/gm)].map((match) => match[1]);
  };
  const names = await Promise.all(["postern.d.ts", "errors.d.ts"].map(declared));
  assert.deepEqual(Object.keys(client).sort(), Object.keys(createRequire(import.meta.url)("postern-accounts")).sort());
  assert.deepEqual([...names.flat(), "errors"].sort(), Object.keys(client).sort());
  assert.deepEqual((await declared("generated/errors.d.ts")).sort(), Object.keys(client.errors).sort());
  for (const [api, types] of Object.entries(client.errors)) {
    assert.deepEqual((await declared(`generated/errors/${api}.d.ts`)).sort(), Object.keys(types).sort());
  }
});

test("the core contains no method names", async () => {
  const files = (await readdir(join(packageFolder, "lib"))).filter((file) => /(?<!testing)\.js$/.test(file));
  for (const file of files) {
    const text = await readFile(join(packageFolder, "lib", file), "utf8");
    assert.doesNotMatch(text, /\b(operators|care|sales|system)\b/);
  }
});
