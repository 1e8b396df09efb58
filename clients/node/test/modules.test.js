import assert from "node:assert/strict";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { binary, packageFolder, run, temporaryFolder } from "../testing/support.js";

/** A program's folder in which the package is installed with the files that npm would install. */
async function installed(t) {
  const folder = await temporaryFolder(t);
  const target = join(folder, "node_modules/postern-accounts");
  const { files } = JSON.parse(await readFile(join(packageFolder, "package.json"), "utf8"));
  await mkdir(target, { recursive: true });
  for (const file of ["package.json", ...files]) await cp(join(packageFolder, file), join(target, file), { recursive: true });
  return folder;
}

/** Runs a program in a folder; its name determines its module system. */
async function runProgram(folder, name, text, environment = {}) {
  await writeFile(join(folder, name), text);
  const options = { cwd: folder, env: { ...process.env, POSTERN_BIN: binary, ...environment }, timeout: 20_000 };
  const { stdout, stderr } = await run(process.execPath, [name], options);
  return stdout + stderr;
}

const calling = `
  const postern = await Postern.open({ data: ":memory:" });
  const error = await postern.operators.signin({ email: "a@b.co", password: "p" }).catch((error) => error);
  console.log(error instanceof errors.operators.AccountInvalidOrUnconfirmed && error instanceof PosternError);
  await postern.close();`;

test("the package can be imported and required", async (t) => {
  const folder = await installed(t);
  const names = "{ Postern, PosternError, errors }";
  const imported = `import ${names} from "postern-accounts";\n${calling}`;
  const required = `const ${names} = require("postern-accounts");\n(async () => {${calling}})();`;
  assert.equal(await runProgram(folder, "program.mjs", imported), "true\n");
  assert.equal(await runProgram(folder, "program.cjs", required), "true\n");
});

test("an error is an instance of the classes of both module systems", async (t) => {
  const folder = await installed(t);
  const both = `
    import { createRequire } from "node:module";
    import { Postern } from "postern-accounts";
    import { deterministic } from "postern-accounts/testing";
    const { PosternError, errors, ...rest } = createRequire(import.meta.url)("postern-accounts");
    const testing = createRequire(import.meta.url)("postern-accounts/testing");
    ${calling}
    console.log(rest.Postern === Postern, testing.deterministic === deterministic);`;
  assert.equal(await runProgram(folder, "program.mjs", both), "true\ntrue true\n");
});

test("the binary of the platform's package is found, after POSTERN_BIN and before PATH", async (t) => {
  const folder = await installed(t);
  const name = `postern-accounts-${process.platform}-${process.arch}`;
  const { optionalDependencies, version } = JSON.parse(await readFile(join(packageFolder, "package.json"), "utf8"));
  assert.equal(optionalDependencies[name], version);
  await mkdir(join(folder, "node_modules", name, "bin"), { recursive: true });
  await writeFile(join(folder, "node_modules", name, "package.json"), JSON.stringify({ name, version }));
  const other = join(folder, "other");
  await mkdir(other);
  const places = { package: join(folder, "node_modules", name, "bin/postern"), other: join(other, "postern") };
  for (const [place, path] of Object.entries(places)) {
    await writeFile(path, `#!/bin/sh\necho ${place} >&2\nexec ${binary} "$@"\n`, { mode: 0o755 });
  }
  const program = `require("postern-accounts").Postern.open({ data: ":memory:" }).then((postern) => postern.close());`;
  const found = (environment) => runProgram(folder, "program.cjs", program, environment);
  assert.equal(await found({ POSTERN_BIN: "", PATH: `${other}:${process.env.PATH}` }), "package\n");
  assert.equal(await found({ POSTERN_BIN: places.other }), "other\n");
  await writeFile(places.package, "", { mode: 0o644 });
  await run("chmod", ["644", places.package]);
  assert.equal(await found({ POSTERN_BIN: "", PATH: `${other}:${process.env.PATH}` }), "other\n");
});

test("the test helper starts a deterministic Postern, and reads the mailed codes", async (t) => {
  const folder = await installed(t);
  const program = `
    import { deterministic, mailedCode } from "postern-accounts/testing";
    for (let round = 0; round < 2; round++) {
      const postern = await deterministic({ arguments: ["--public-url", "https://example.com"] });
      const user = { first_name: "Luke", last_name: "Sorenson", email: "lasoren@bu.edu" };
      const { created } = await postern.operators.register({ user, password: "a long password" });
      const code = await mailedCode(postern, user.email);
      const { email } = await postern.operators.confirmEmail({ code });
      const missing = await mailedCode(postern, "no@bu.edu").catch((error) => error.message);
      console.log(created.toISOString(), code, email, missing);
      await postern.close();
    }`;
  const [first, second] = (await runProgram(folder, "program.mjs", program)).trimEnd().split("\n");
  assert.equal(first, second);
  assert.match(first, /^2016-02-24T22:07:52.371Z [0-9a-f-]{16,} lasoren@bu.edu no code was mailed to no@bu.edu$/);
});

const hasCompiler = await run("tsc", ["--version"]).then(() => true, () => false);
const skip = !hasCompiler && "tsc is not installed";

// What arethetypeswrong.github.io examines: each entry point, for both module systems and for the older resolution.
test("the types are found in both module systems, and without the exports of package.json", { skip }, async (t) => {
  const folder = await installed(t);
  const text = `
    import { Postern, errors, type Event } from "postern-accounts";
    import { mailedCode } from "postern-accounts/testing";
    export const seq = (event: Event): number => event.seq;
    export const opens = (): Promise<Postern> => Postern.open();
    export const code: Promise<string> = opens().then((postern) => mailedCode(postern, "a@b.co"));
    export const isWrong = (error: unknown): boolean => error instanceof errors.operators.WrongPassword;
    // @ts-expect-error: no such name.
    import { Client } from "postern-accounts";`;
  const cases = [
    ["program.mts", text, { module: "Node16" }],
    ["program.cts", text, { module: "Node16" }],
    ["older.ts", text, { module: "CommonJS", moduleResolution: "Node" }],
  ];
  for (const [name, program, options] of cases) {
    const compilerOptions = { target: "ES2022", strict: true, noEmit: true, types: [], ...options };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [name] }));
    await writeFile(join(folder, name), program);
    assert.deepEqual(await run("tsc", ["-p", folder]), { code: 0, signal: null, stdout: "", stderr: "" }, name);
  }
});
