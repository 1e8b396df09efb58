import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { EventsLost, PosternError, ProcessEnded, ProtocolError } from "postern-accounts";
import { contractVersion } from "../lib/generated/limits.js";
import { binary, clientInput, open, openFake, run, session, temporaryFolder } from "../testing/support.js";

const [major] = contractVersion.split(".");
const email = "lasoren@bu.edu";
const credentials = { email, password: "password" };

/** The next events of an iterator. */
async function take(events, count) {
  const taken = [];
  while (taken.length < count) taken.push((await events.next()).value);
  return taken;
}

const numbers = (events) => events.map((event) => event.seq);
const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1);

/** Signs in with another process. */
async function signInElsewhere(data) {
  const { code } = await run(binary, ["call", "operators.signin", JSON.stringify(credentials), "--data", data, "--no-email-confirmation"]);
  assert.equal(code, 0);
}

/** Creates a store with so many events. */
async function fill(t, count) {
  const data = await temporaryFolder(t);
  const postern = await open(t, { data });
  const ids = await session(postern);
  await Promise.all(upTo(count - 1).map((number) => postern.operators.client.create({ ...ids, client: clientInput(number) })));
  await postern.close();
  return data;
}

test("an iterator has own events and those of other processes", async (t) => {
  const data = await temporaryFolder(t);
  const postern = await open(t, { data, events: true });
  await session(postern);
  await postern.operators.signin(credentials);
  await signInElsewhere(data);
  const events = await take(postern.events(), 3);
  assert.deepEqual(numbers(events), [1, 2, 3]);
  assert.deepEqual(events.map((event) => event.kind), ["registered", "signed_in", "signed_in"]);
  assert.ok(events.every((event) => event.account === 1 && event.api === "operators"));
  assert.equal(events[1].detail.session, 2);
  assert.equal((await postern.system.info()).events, true);
  await postern.close();
  // The cursor of the first of them: none is missing, and none comes twice.
  const next = await open(t, { data, eventsAfter: events[0].seq });
  const feed = next.events();
  assert.deepEqual(await take(feed, 2), events.slice(1));
  await signInElsewhere(data);
  assert.deepEqual(numbers(await take(feed, 1)), [4]);
  await next.close();
});

test("four clients get the events of all", async (t) => {
  const data = await temporaryFolder(t);
  const clients = await Promise.all(upTo(4).map(() => open(t, { data, events: true })));
  for (const [number, client] of clients.entries()) {
    const user = { first_name: "A", last_name: "B", email: `a${number}@b.co` };
    await client.operators.register({ user, password: "password" });
  }
  const lists = await Promise.all(clients.map((client) => take(client.events(), 4)));
  assert.deepEqual(numbers(lists[0]), [1, 2, 3, 4]);
  for (const events of lists) assert.deepEqual(events, lists[0]);
  await Promise.all(clients.map((client) => client.close()));
});

test("a client that takes no events gets its replies", async (t) => {
  const data = await fill(t, 5_000);
  const postern = await open(t, { data, eventsAfter: 0 });
  await sleep(200);
  for (let count = 0; count < 20; count++) assert.equal((await postern.system.info()).name, "postern");
  const events = postern.events();
  assert.deepEqual(numbers(await take(events, 5_000)), upTo(5_000));
  await postern.operators.signin(credentials);
  assert.equal((await events.next()).value.kind, "signed_in");
  await postern.close();
});

test("a client can be closed while events wait", async (t) => {
  const postern = await open(t, { data: await fill(t, 3_000), eventsAfter: 0 });
  const events = postern.events();
  assert.deepEqual(numbers(await take(events, 1)), [1]);
  await sleep(100);
  await postern.close();
  let last = 1;
  for await (const event of events) assert.equal(event.seq, ++last);
  assert.ok(last < 3_000);
});

test("closing ends a waiting iterator", async (t) => {
  const postern = await open(t, { events: true });
  const next = postern.events().next();
  await postern.close();
  assert.deepEqual(await next, { value: undefined, done: true });
});

test("the end of the process ends the iterator", async (t) => {
  const postern = await open(t, { events: true, onLog: () => {} });
  const next = postern.events().next();
  process.kill(postern.pid, "SIGKILL");
  await assert.rejects(next, ProcessEnded);
});

/** A script that answers each request after so many events. */
const stream = (count) => `
event='{"time":"2016-02-24T22:07:52.371513Z","api":"care","kind":"new_kind","by":"admin","seq":'
id=0
while read request; do
  id=$((id + 1))
  seq 1 ${count} | sed "s/.*/{\\"jsonrpc\\":\\"2.0\\",\\"method\\":\\"event\\",\\"params\\":$event&}}/"
  echo '{"jsonrpc":"2.0","id":'$id',"result":1}'
done`;

test("events that are never taken are dropped and reported", async (t) => {
  const postern = await openFake(t, stream(20_100), { eventsAfter: 0 });
  assert.equal(await postern.call("x"), 1);
  const events = postern.events();
  assert.deepEqual(numbers(await take(events, 20_000)), upTo(20_000));
  await assert.rejects(events.next(), (error) => error instanceof EventsLost && error.after === 20_000);
  assert.equal(await postern.call("y"), 1);
});

test("reading pauses while events are not taken and no call waits", async (t) => {
  const log = [];
  // The script ends only after all its events are read.
  const script = `read request; echo '{"jsonrpc":"2.0","id":1,"result":1}'; echo | (${stream(30_000)}); echo written >&2; cat > /dev/null`;
  const postern = await openFake(t, script, { eventsAfter: 0, onLog: (line) => log.push(line) });
  assert.equal(await postern.call("x"), 1);
  await sleep(500);
  assert.deepEqual(log, []);
  assert.deepEqual(numbers(await take(postern.events(), 30_000)), upTo(30_000));
});

test("a client without events has no iterator", async (t) => {
  const postern = await open(t);
  await assert.rejects(postern.events().next(), PosternError);
  assert.equal((await postern.system.info()).events, false);
});

test("a cursor that the trail does not have is refused", async (t) => {
  const refused = open(t, { eventsAfter: 7, onLog: () => {} });
  await assert.rejects(refused, (error) => error instanceof ProcessEnded && error.message.includes("has number 0"));
});

for (const [result, has] of [
  [{ contract: "0.9.12" }, "version 0.9.12"],
  [{}, "no version"],
  [{ contract: `${Number(major) + 1}.0.0` }, `version ${Number(major) + 1}.0.0`],
]) {
  test(`a service whose contract has ${has} is refused`, async (t) => {
    const script = `read request; echo '{"jsonrpc":"2.0","id":1,"result":${JSON.stringify(result)}}'; cat > /dev/null`;
    const expected = `The contract of this Postern has ${has}; this client needs ${contractVersion} or a later ${major}.x.`;
    await assert.rejects(
      openFake(t, script, { waitUntilReady: true }),
      (error) => error instanceof ProtocolError && error.message === expected,
    );
  });
}

test("a service with a newer contract of the same major version is accepted", async (t) => {
  const script = `read request; echo '{"jsonrpc":"2.0","id":1,"result":{"contract":"1.10.0"}}'; cat > /dev/null`;
  await openFake(t, script, { waitUntilReady: true });
});
