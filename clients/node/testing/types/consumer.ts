// Uses all declarations of the package, without Node's types and without the DOM's. It is type-checked and not run.
import {
  BinaryNotFound,
  CallError,
  ClientClosed,
  EventsLost,
  MessageTooLong,
  Postern,
  PosternError,
  ProcessEnded,
  ProtocolError,
  errors,
} from "postern-accounts";
import { deterministic, deterministicFlags, mailedCode } from "postern-accounts/testing";
import type {
  AbortSignalLike,
  Backoff,
  CalendarDate,
  CallOptions,
  CarePatientList,
  CloseOptions,
  Epoch,
  OperatorsClient,
  OperatorsClientChanges,
  OperatorsClientInput,
  OperatorsClientsGetParams,
  PosternOptions,
  Event,
  Logger,
  ProcessExit,
  ServiceMail,
} from "postern-accounts";

declare global {
  // The declaration of TypeScript's libraries since 5.2, and of Node's types; the package's must merge with it.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

interface Disposable {
  [Symbol.asyncDispose](): PromiseLike<void>;
}

export async function opens(): Promise<Postern> {
  const options: PosternOptions = {
    data: ":memory:",
    binary: "/usr/bin/postern",
    arguments: ["--no-email-confirmation"],
    cwd: "/",
    env: { POSTERN_LOG_LEVEL: "info", HOME: undefined },
    onLog: (line) => line.toUpperCase(),
    deliverMail: async ({ to, subject, text, code }: ServiceMail) => {
      await Promise.resolve([to.length, subject.length, text.length, code?.length]);
    },
  };
  await Postern.open({ deliverMail: (mail) => void mail.kind });
  // @ts-expect-error: a mail has no such property.
  await Postern.open({ deliverMail: (mail) => void mail.recipient });
  await Postern.open();
  // @ts-expect-error: no such option.
  await Postern.open({ date: ":memory:" });
  // @ts-expect-error: flags are a list.
  await Postern.open({ arguments: "--no-email-confirmation" });
  // @ts-expect-error: only `open` creates a client.
  new Postern();
  return Postern.open(options);
}

export async function supervises(logger: Logger): Promise<Postern> {
  const backoff: Backoff = { first: 100, max: 5_000, resetAfter: 10_000, failedStartsMax: 10 };
  const onExit = ({ error, failedStarts, delay }: ProcessExit): void => {
    logger.warn(`${error.message}; ${failedStarts} failed; ${delay?.toFixed() ?? "given up"}`);
  };
  // @ts-expect-error: no such part of the backoff.
  await Postern.open({ supervise: true, backoff: { last: 1 } });
  return Postern.open({ data: "accounts", supervise: true, onExit, backoff, logger });
}

export async function tests(): Promise<string> {
  const postern = await deterministic({ arguments: deterministicFlags.slice(2) });
  // @ts-expect-error: its data are in memory.
  await deterministic({ data: "accounts" });
  return mailedCode(postern, "lasoren@bu.edu");
}

export async function closes(postern: Postern): Promise<void> {
  const disposable: Disposable = postern;
  await disposable[Symbol.asyncDispose]();
  const options: CloseOptions = { timeout: 1_000 };
  await postern.close(options);
  await postern.close();
  // @ts-expect-error: milliseconds are a number.
  await postern.close({ timeout: "1s" });
  const pid: number = postern.pid;
  // @ts-expect-error: the process id is read-only.
  postern.pid = pid + 1;
  // @ts-expect-error: the groups are read-only.
  postern.operators = postern.operators;
}

export async function calls(postern: Postern, signal: AbortSignalLike): Promise<void> {
  const session = { user_id: 1, session_id: "x" };
  const user = { first_name: "Mary", last_name: "Major", email: "mary@example.com" };
  const input: OperatorsClientInput = { user, address: "12 Grimmauld Place, London" };
  const options: CallOptions = { signal, timeout: 100 };

  const client: OperatorsClient = await postern.operators.client.create({ ...session, client: input }, options);
  const created: Date = client.created;
  const deleted: Date | null = client.deleted;
  // @ts-expect-error: it may be null.
  client.deleted.getTime();
  // @ts-expect-error: times are Dates.
  const date: string = client.created;
  // @ts-expect-error: no such property.
  client.name;

  const changes: OperatorsClientChanges = { user: { email: "m@example.com" }, address: undefined };
  await postern.operators.client.update({ ...session, client_id: 1, client: changes });
  // @ts-expect-error: creating a client requires all properties.
  await postern.operators.client.create({ ...session, client: changes });
  // @ts-expect-error: a param is missing.
  await postern.operators.signin({ email: "a@b.c" });
  // @ts-expect-error: a param is misspelt.
  await postern.operators.signin({ email: "a@b.c", pasword: "x" });
  // @ts-expect-error: a param has the wrong type.
  await postern.operators.clients.get({ ...session, provision: "0" });
  // @ts-expect-error: no such method.
  await postern.operators.sign_in({ email: "a@b.c", password: "x" });

  const params: OperatorsClientsGetParams = { ...session, provision: 0 };
  const { clients, provision } = await postern.operators.clients.get(params);
  const names: string[] = clients.map((each) => each.user.first_name);
  const next: number = provision;

  const patients: CarePatientList = await postern.care.patients.list({ access_token: "x", limit: 5 });
  const birthdates: Array<CalendarDate | null> = patients.patients.map((patient) => patient.birthdate);
  const day: CalendarDate = "1970-01-31";
  // @ts-expect-error: not a date.
  const noDay: CalendarDate = "yesterday";
  await postern.care.user.change({ access_token: "x", phone: null });
  // @ts-expect-error: the password is optional and not nullable.
  await postern.care.user.change({ access_token: "x", password: null });
  const npi: string | undefined = (await postern.care.user.view({ access_token: "x" })).npi;

  const since: Epoch = (await postern.sales.user.createCustomer({
    email: user.email,
    password: "x",
    referral_code: "x",
    source: "x",
    name: { first: "Mary", last: "Major" },
  })).created;
  const nothing: void = await postern.operators.signout(session);
  const methods: string[] = (await postern.system.info({ timeout: 5 })).methods;
  const document: Record<string, unknown> = await postern.rpc.discover();
  await postern.system.invite({ role: "admin" });
  // @ts-expect-error: no such role.
  await postern.system.invite({ role: "owner" });

  const raw: unknown = await postern.call("operators.newer", { any: ["thing"] }, options);
  await postern.call("system.info");
  // @ts-expect-error: the result of `call` is unknown.
  raw.name;
  // @ts-expect-error: the method name is a string.
  await postern.call(1);
  console(day, noDay, created, deleted, date, names, next, birthdates, npi, since, nothing, methods, document);
}

export function tells(error: unknown): string {
  if (error instanceof errors.operators.WrongPassword) {
    const slug: "wrong_password" = error.slug;
    return slug + errors.operators.WrongPassword.slug + error.code.toFixed() + error.message;
  }
  if (error instanceof errors.sales.TooManyAttempts) return `${error.retryAfter ?? 0} s`;
  if (error instanceof CallError) {
    const { errors: slugs, field, data }: CallError = error;
    // @ts-expect-error: it is not known what else there is.
    data.more;
    return `${slugs.join()} ${field?.length} ${error.slug?.length}`;
  }
  if (error instanceof ProcessEnded) return `${error.exitCode} ${error.signal} ${error.stderr.join("\n")}`;
  if (error instanceof MessageTooLong) return `${error.bytes - error.bytesMax}`;
  if (error instanceof BinaryNotFound) return error.places.join();
  if (error instanceof ClientClosed || error instanceof ProtocolError) return error.name;
  if (error instanceof PosternError) return `${error.name} ${error.stack} ${error.cause}`;
  // @ts-expect-error: not an error of the package.
  return error.message;
}

/** An error that a fake service can throw in a host's tests. */
export const fake: Error = new errors.operators.WrongPassword({ code: -9, message: "Password is incorrect for this account." });
// @ts-expect-error: one slug is not another.
export const other: errors.operators.WrongPassword = new errors.operators.TooManyAttempts({ code: 1, message: "" });

declare function console(...values: unknown[]): void;

export async function follows(): Promise<number | undefined> {
  const postern = await Postern.open({ events: true, eventsAfter: 17 });
  // @ts-expect-error: a cursor is a number
  await Postern.open({ eventsAfter: "17" });
  try {
    for await (const event of postern.events()) {
      const taken: Event = event;
      const session: number | undefined = taken.detail?.session;
      if (session === 1) return taken.seq;
    }
  } catch (error) {
    if (error instanceof EventsLost) return error.after;
    throw error;
  }
  return undefined;
}
