/** The base of every error of this package. */
export class PosternError extends Error {
  readonly name: string;
  readonly cause?: unknown;
}

/**
 * The service answered with an error. There is a class for each slug that this client knows; any other error, and one
 * without slugs, is of this class itself.
 */
export class CallError extends PosternError {
  /** The error's number, as JSON-RPC has it. */
  readonly code: number;
  /** The first of `errors`. */
  readonly slug: string | undefined;
  /** All that is wrong, as fixed words. */
  readonly errors: readonly string[];
  /** The path of the param at fault: `client.user.email`. */
  readonly field: string | undefined;
  /** After how many seconds it may be worth trying again. */
  readonly retryAfter: number | undefined;
  /** The error's `data`, as it came. */
  readonly data: unknown;

  constructor(error: { code: number; message: string; data?: unknown });
}

/** The process ended, or was killed, while it was needed. Whether calls in flight took effect is not known. */
export class ProcessEnded extends PosternError {
  readonly name: "ProcessEnded";
  /** Its exit code, or null where a signal killed it. */
  readonly exitCode: number | null;
  /** The name of the signal that killed it, or null. */
  readonly signal: string | null;
  /** The last lines that it wrote to stderr, 20 at most. */
  readonly stderr: readonly string[];

  constructor(exitCode: number | null, signal: string | null, stderr: readonly string[]);
}

/** A call after `close`. */
export class ClientClosed extends PosternError {
  readonly name: "ClientClosed";

  constructor();
}

/** There is no binary to spawn. */
export class BinaryNotFound extends PosternError {
  readonly name: "BinaryNotFound";
  /** Every path that was looked at. */
  readonly places: readonly string[];

  constructor(places: readonly string[]);
}

/** A request is longer than the service reads. Nothing of it was sent. */
export class MessageTooLong extends PosternError {
  readonly name: "MessageTooLong";
  /** How many bytes the request has. */
  readonly bytes: number;
  /** How many it may have. */
  readonly bytesMax: number;

  constructor(bytes: number, bytesMax: number);
}

/**
 * What came from the process is not what was agreed on: either no JSON-RPC, which ends the client, or a result that
 * lacks a member or has one of another type, which is told of the one call.
 */
export class ProtocolError extends PosternError {
  readonly name: "ProtocolError";
}
