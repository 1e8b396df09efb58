import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { open, session } from "../testing/support.js";

test("an inspected result has no secrets, and a serialised one has", async (t) => {
  const postern = await open(t);
  await session(postern);
  const operator = await postern.operators.signin({ email: "lasoren@bu.edu", password: "password" });
  const secret = operator.session_id;
  for (const shown of [inspect(operator), inspect({ held: [operator] }, { depth: 9 })]) {
    assert.ok(!shown.includes(secret));
    assert.match(shown, /session_id: '\[redacted\]'/);
    assert.match(shown, /first_name: 'Luke'/);
  }
  assert.equal(JSON.parse(JSON.stringify(operator)).session_id, secret);
  assert.equal({ ...operator }.session_id, secret);
  assert.deepEqual(Object.keys(operator).sort(), ["created", "id", "session_id", "user"]);
  assert.equal(structuredClone(operator).session_id, secret);
});
