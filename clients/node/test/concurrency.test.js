import assert from "node:assert/strict";
import { test } from "node:test";
import { clientInput, open, session } from "../testing/support.js";

const callCount = 10_000;
const taskCount = 50;

test("each of 10,000 calls of 50 tasks gets its own reply, and a reply of several MiB is read", async (t) => {
  const postern = await open(t);
  const own = await session(postern);
  const ids = new Map();
  let next = 0;
  async function task() {
    while (next < callCount) {
      const number = next++;
      const input = clientInput(number);
      const client = await postern.operators.client.create({ ...own, client: input });
      assert.equal(client.address, input.address);
      assert.equal(client.user.email, input.user.email);
      assert.ok(!ids.has(client.id));
      ids.set(client.id, number);
    }
  }
  await Promise.all(Array.from({ length: taskCount }, task));

  const { clients, provision } = await postern.operators.clients.get({ ...own, provision: 0 });
  assert.ok(JSON.stringify(clients).length > 1024 * 1024);
  assert.equal(clients.length, callCount);
  assert.equal(provision, callCount + 1);
  for (const client of clients) {
    assert.equal(client.address, clientInput(ids.get(client.id)).address);
    ids.delete(client.id);
  }
  assert.equal(ids.size, 0);
});

test("20,000 concurrent calls, some of them long, are written while the replies are read", async (t) => {
  const postern = await open(t);
  const text = "x".repeat(2_000);
  const calls = Array.from({ length: 20_000 }, () => postern.call("system.info", { text }));
  for (const info of await Promise.all(calls)) assert.equal(info.name, "postern");
});

test("replies arrive in the order in which they are ready", async (t) => {
  const postern = await open(t);
  await session(postern);
  const order = [];
  const email = "lasoren@bu.edu";
  await Promise.all([
    postern.operators.signin({ email, password: "password" }).then(() => order.push("signin")),
    postern.system.info().then(() => order.push("info")),
  ]);
  assert.deepEqual(order, ["info", "signin"]);
});

test("the result of rpc.discover is read", async (t) => {
  const postern = await open(t);
  const document = await postern.rpc.discover();
  const names = document.methods.map((method) => method.name);
  assert.deepEqual(names.sort(), (await postern.system.info()).methods.sort());
});
