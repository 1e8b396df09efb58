import assert from "node:assert/strict";
import { test } from "node:test";
import * as client from "postern-accounts";
import { matches, methodNames, play, transcriptNames } from "../testing/transcripts.js";

const typed = new Set();

for (const name of transcriptNames) {
  test(`${name} gets the expected replies`, async () => {
    for await (const { line, method, reply, error, expected, isTyped } of play(name)) {
      const wanted = "error" in expected ? { error: expected.error } : { result: expected.result };
      assert.ok(matches(reply, wanted), `${name}:${line}: got ${JSON.stringify(reply)}`);
      if (isTyped) typed.add(method);
      if (error) checkError(method, error, expected.error);
    }
  });
}

test("every method is called in its typed form", () => {
  assert.deepEqual(methodNames.filter((name) => !typed.has(name)), []);
  assert.ok(methodNames.length > 0);
});

function checkError(method, error, { code, message, data = {} }) {
  const slug = data.errors?.[0];
  const apis = [client.errors[method.split(".")[0]] ?? {}, client.errors.service];
  const types = apis.flatMap((types) => Object.values(types));
  const type = slug ? types.find((type) => type.slug === slug) : client.CallError;
  assert.equal(error.constructor, type);
  assert.ok(error instanceof client.CallError && error instanceof client.PosternError);
  const shown = (({ name, code, slug, field }) => ({ name, code, slug, field }))(error);
  assert.deepEqual(shown, { name: type.name, code, slug, field: data.field });
  assert.ok(matches(error.message, message));
  assert.deepEqual(error.errors, data.errors ?? []);
  assert.ok(matches(error.retryAfter ?? null, data.retry_after ?? null));
}
