import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { binary, open, openFake, packageFolder, run, temporaryFolder, until } from "../testing/support.js";

const user = { first_name: "Luke", last_name: "Sorenson", email: "lasoren@bu.edu" };
const registration = { user, password: "password" };
const mail = { id: 1, to: "a@b.co", subject: "s", text: "t", kind: "k" };

/** The columns of `postern outbox list`, for each mail. */
async function outbox(data) {
  const { stdout } = await run(binary, ["outbox", "list", "--data", data]);
  return stdout.trimEnd().split("\n").map((line) => line.split("\t"));
}

test("a function delivers mails", async (t) => {
  const data = await temporaryFolder(t);
  const mails = [];
  const more = ["--public-url", "https://x.co"];
  const postern = await open(t, { data, arguments: more, deliverMail: (mail) => mails.push(mail) });
  await postern.operators.register(registration);
  assert.ok(await until(() => mails.length === 1));
  const [{ to, kind, text, code, link }] = mails;
  assert.deepEqual({ to, kind }, { to: user.email, kind: "operators-confirmation" });
  assert.ok(text.split("\n").includes(code));
  assert.equal(link, `https://x.co/operators/confirm?code=${code}`);
  assert.ok(!inspect(mails[0]).includes(code));
  assert.deepEqual(await postern.operators.confirmEmail({ code }), { email: user.email });
  await postern.close();
  assert.deepEqual((await outbox(data)).map((row) => row[2]), ["delivered"]);
});

const failures = {
  "an error": () => {
    throw new RangeError("relay says no");
  },
  "a rejection": async () => {
    await sleep(1);
    throw new RangeError("relay says no");
  },
  "a value that is no error": () => Promise.reject({ relay: "no" }),
  "a value with an inspection that throws": () => {
    throw {
      [inspect.custom]() {
        throw new Error("not this");
      },
    };
  },
  "an error with a message that throws": () => {
    throw Object.defineProperty(new Error(), "message", {
      get() {
        throw new Error("not this");
      },
    });
  },
  "an error that the process could not read": () => {
    throw new RangeError("\ud800" + "x".repeat(10_000_000));
  },
};

for (const [what, deliverMail] of Object.entries(failures)) {
  test(`${what} of the function is a failed attempt`, async (t) => {
    const data = await temporaryFolder(t);
    const postern = await open(t, { data, arguments: [], deliverMail, onLog: () => {} });
    await postern.operators.register(registration);
    assert.ok(await until(async () => (await outbox(data))[0][5] === "1"));
    assert.equal((await postern.system.info()).name, "postern");
    await postern.close();
    const [row] = await outbox(data);
    assert.equal(row[2], "waiting");
    assert.match(row[7], /^the host answered with error -32000: |x{400}$/);
    if (/ that throws$/.test(what)) assert.match(row[7], /: an error that cannot be shown$/);
    if (what === "a rejection") assert.match(row[7], /RangeError: relay says no$/);
  });
}

test("calls do not wait for deliveries", async (t) => {
  const mails = [];
  let letGo = () => {};
  const mayEnd = new Promise((resolve) => (letGo = resolve));
  const deliverMail = async (mail) => {
    mails.push(mail);
    await mayEnd;
  };
  const postern = await open(t, { arguments: [], deliverMail });
  for (let number = 0; number < 6; number++) {
    await postern.operators.register({ ...registration, user: { ...user, email: `luke${number}@bu.edu` } });
  }
  assert.ok(await until(() => mails.length === 4));
  assert.equal((await postern.system.info()).name, "postern");
  letGo();
  assert.ok(await until(() => mails.length === 6));
});

test("closing waits for a delivery", async (t) => {
  const data = await temporaryFolder(t);
  let hasBegun = false;
  const deliverMail = async () => {
    hasBegun = true;
    await sleep(500);
  };
  const postern = await open(t, { data, arguments: [], deliverMail });
  await postern.operators.register(registration);
  assert.ok(await until(() => hasBegun));
  await postern.close();
  assert.deepEqual((await outbox(data)).map((row) => row[2]), ["delivered"]);
});

test("closing does not wait for ever for a delivery", async (t) => {
  let hasBegun = false;
  const deliverMail = () => {
    hasBegun = true;
    return new Promise(() => {});
  };
  const postern = await open(t, { arguments: [], deliverMail });
  await postern.operators.register(registration);
  assert.ok(await until(() => hasBegun));
  const start = Date.now();
  await postern.close({ timeout: 200 });
  assert.ok(Date.now() - start < 10_000);
});

/** A delivery keeps the host running until the process has its response. */
test("a host that waits for nothing else ends after its delivery", async (t) => {
  const data = await temporaryFolder(t);
  const text = `
    import { Postern } from "postern-accounts";
    let hasBegun = false;
    const deliverMail = async () => {
      hasBegun = true;
      await new Promise((resolve) => setTimeout(resolve, 300).unref());
    };
    const postern = await Postern.open({ data: ${JSON.stringify(data)}, deliverMail });
    await postern.operators.register(${JSON.stringify(registration)});
    while (!hasBegun) await new Promise((resolve) => setTimeout(resolve, 10));`;
  const environment = { ...process.env, POSTERN_BIN: binary };
  const host = await run(process.execPath, ["--input-type=module", "--eval", text], {
    cwd: packageFolder,
    env: environment,
  });
  assert.deepEqual({ code: host.code, stderr: host.stderr }, { code: 0, stderr: "" });
  assert.deepEqual((await outbox(data)).map((row) => row[2]), ["delivered"]);
});

/** A script that sends these lines at the first request, and writes the lines that it then gets to its stderr. */
function sender(lines, responses) {
  const sends = lines.map((line) => `echo '${JSON.stringify({ jsonrpc: "2.0", ...line })}'`).join("; ");
  const reads = "read response; echo \"$response\" >&2; ".repeat(responses);
  return `read request; ${sends}; ${reads} echo '{"jsonrpc":"2.0","id":1,"result":1}'; cat > /dev/null`;
}

async function answers(t, lines, responses, options) {
  const log = [];
  const postern = await openFake(t, sender(lines, responses), { ...options, onLog: (line) => log.push(line) });
  assert.equal(await postern.call("a"), 1);
  assert.ok(await until(() => log.length === responses));
  return log.map((line) => JSON.parse(line));
}

test("an unknown notification is dropped, and an unknown request is refused", async (t) => {
  const lines = [
    { method: "event", params: { seq: 1 } },
    { method: "weather", params: {} },
    { method: "mail.deliver", params: mail },
    { id: "postern:1", method: "coffee.make", params: {} },
    { id: "postern:2", method: "mail.deliver", params: mail },
  ];
  const refusal = (id, method) => ({
    jsonrpc: "2.0",
    id,
    error: { code: -32601, message: `Method not found: ${method}` },
  });
  assert.deepEqual(await answers(t, lines, 2), [
    refusal("postern:1", "coffee.make"),
    refusal("postern:2", "mail.deliver"),
  ]);
});

for (const params of [undefined, null, [], {}, { ...mail, to: 1 }, { ...mail, code: null }]) {
  test(`the params ${JSON.stringify(params)} are no mail`, async (t) => {
    const mails = [];
    const line = { id: "postern:1", method: "mail.deliver", params };
    const [{ error }] = await answers(t, [line], 1, { deliverMail: (mail) => mails.push(mail) });
    assert.match(error.message, /params of mail\.deliver are not as agreed/);
    assert.deepEqual(mails, []);
  });
}

test("more deliveries than the process opens are refused", async (t) => {
  const begun = [];
  let letGo = () => {};
  const mayEnd = new Promise((resolve) => (letGo = resolve));
  const deliverMail = async ({ id }) => {
    begun.push(id);
    await mayEnd;
  };
  const lines = [1, 2, 3, 4, 5].map((id) => ({ id: `postern:${id}`, method: "mail.deliver", params: { ...mail, id } }));
  const [response] = await answers(t, lines, 1, { deliverMail });
  assert.deepEqual(response.id, "postern:5");
  assert.deepEqual(response.error, { code: -32000, message: "4 mails are being delivered" });
  assert.deepEqual(begun, [1, 2, 3, 4]);
  letGo();
});
