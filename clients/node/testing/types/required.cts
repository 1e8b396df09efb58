// Uses the package from a CommonJS module. It is type-checked and not run.
import client = require("postern-accounts");
import testing = require("postern-accounts/testing");
import { Postern, errors, type OperatorsClient } from "postern-accounts";

export async function opens(): Promise<OperatorsClient[]> {
  const postern: Postern = await client.Postern.open({ data: ":memory:" });
  const other: client.Postern = await testing.deterministic();
  await other.close();
  // @ts-expect-error: only `open` creates a client.
  new Postern();
  try {
    return (await postern.operators.clients.get({ user_id: 1, session_id: "x", provision: 0 })).clients;
  } catch (error) {
    if (error instanceof errors.operators.AuthenticationFailed) return [];
    throw error;
  }
}
