import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Postern, errors } from "postern-accounts";

const data = process.argv[2] ?? join(await mkdtemp(join(tmpdir(), "postern-")), "accounts");
const postern = await Postern.open({ data, arguments: ["--no-email-confirmation"] });
try {
  const email = "lasoren@bu.edu";
  const password = "a long password";

  const person = { first_name: "Luke", last_name: "Sorenson", email };
  const { user } = await postern.operators.register({ user: person, password });
  console.log(`registered ${user.first_name} ${user.last_name}`);

  try {
    await postern.operators.signin({ email, password: "a wrong password" });
  } catch (error) {
    if (!(error instanceof errors.operators.WrongPassword)) throw error;
    console.log(`${error.slug}: ${error.message}`);
  }
  const operator = await postern.operators.signin({ email, password });
  console.log(`signed in as operator ${operator.id}`);

  const session = { user_id: operator.id, session_id: operator.session_id };
  const mary = { first_name: "Mary", last_name: "Major", email: "mary@example.com" };
  const client = { user: mary, address: "12 Grimmauld Place, London" };
  const created = await postern.operators.client.create({ ...session, client });
  console.log(`created ${created.user.first_name} ${created.user.last_name}`);

  const { clients, provision } = await postern.operators.clients.get({ ...session, provision: 0 });
  console.log(`${clients.length} client${clients.length === 1 ? "" : "s"}, next provision ${provision}`);
} finally {
  await postern.close();
}
