// Measures the cost of a call through the client and through a bare loop on a pipe, and prints a line of JSON.
import { spawn } from "node:child_process";
import { Postern } from "postern-accounts";
import { binary, clientInput, session } from "./testing/support.js";

const callCount = 5_000;
const batchCount = 50;
const taskCount = 50;
const openingCount = 50;
const concurrentCount = 10_000;
const flags = ["--no-email-confirmation"];
const rawFlags = ["--data", ":memory:", "--replies", "as-completed", "--framing", "line", ...flags];

/** A Postern process without a client: requests are prepared bytes, and replies are not parsed. */
class RawPostern {
  #child = spawn(binary, rawFlags, { stdio: ["pipe", "pipe", "inherit"] });
  #onLine = () => {};
  #line = "";

  constructor() {
    this.#child.stdout.on("data", (chunk) => {
      this.#line += chunk.toString("latin1");
      if (!this.#line.endsWith("\n")) return;
      const line = this.#line;
      this.#line = "";
      this.#onLine(line);
    });
  }

  exchange(bytes) {
    return new Promise((resolve) => {
      this.#onLine = resolve;
      this.#child.stdin.write(bytes);
    });
  }

  close() {
    this.#child.stdin.end();
  }
}

/** Makes a batch of calls, one after another, and adds the microseconds of each to `times`. */
async function time(call, times) {
  for (let index = 0; index < callCount / batchCount; index++) {
    const start = performance.now();
    await call();
    times.push((performance.now() - start) * 1_000);
  }
}

function median(times) {
  return times.sort((left, right) => left - right)[times.length >> 1];
}

function request(method, params) {
  return Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) + "\n");
}

const rounded = (number, digits = 1) => Number(number.toFixed(digits));

if (process.argv[2] === "opening") await measureOpening();
else await measureCalls();

/** Measures opening, with and without the wait for a first reply. */
async function measureOpening() {
  const times = { true: [], false: [] };
  for (let index = 0; index < openingCount; index++) {
    for (const waitUntilReady of [true, false]) {
      const start = performance.now();
      const postern = await Postern.open({ binary, data: ":memory:", waitUntilReady });
      times[waitUntilReady].push(performance.now() - start);
      await postern.close();
    }
  }
  const [open_ms, unready_ms] = [rounded(median(times.true), 2), rounded(median(times.false), 2)];
  console.log(JSON.stringify({ client: "node", open_ms, unready_ms }));
}

async function measureCalls() {
  const raw = new RawPostern();
  const user = { first_name: "Luke", last_name: "Sorenson", email: "lasoren@bu.edu" };
  const registered = JSON.parse(await raw.exchange(request("operators.register", { user, password: "password" }))).result;
  const rawSession = { user_id: registered.id, session_id: registered.session_id };
  const rawRequest = request("operators.clients.get", { ...rawSession, provision: 1 });

  const postern = await Postern.open({ binary, data: ":memory:", arguments: flags });
  const own = await session(postern);

  const rawTimes = [];
  const clientTimes = [];
  for (let batch = 0; batch < batchCount; batch++) {
    await time(() => raw.exchange(rawRequest), rawTimes);
    await time(() => postern.operators.clients.get({ ...own, provision: 1 }), clientTimes);
  }

  let next = 0;
  async function task() {
    while (next < concurrentCount) await postern.operators.client.create({ ...own, client: clientInput(next++) });
  }
  const start = performance.now();
  await Promise.all(Array.from({ length: taskCount }, task));
  const seconds = (performance.now() - start) / 1_000;

  raw.close();
  await postern.close();
  console.log(
    JSON.stringify({
      client: "node",
      raw_us: rounded(median(rawTimes)),
      client_us: rounded(median(clientTimes)),
      overhead_us: rounded(median(clientTimes) - median(rawTimes)),
      concurrent_calls_per_second: Math.round(concurrentCount / seconds),
    }),
  );
}
