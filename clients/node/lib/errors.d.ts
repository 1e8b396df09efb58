/** The base class of all errors of this package. */
export class PosternError extends Error {
  readonly name: string;
  readonly cause?: unknown;
}

/**
 * The service replied with an error. Each slug that this client knows has a subclass; an error with another slug, or
 * without slugs, is a plain CallError.
 */
export class CallError extends PosternError {
  /** The JSON-RPC error code. */
  readonly code: number;
  /** The first of `errors`. */
  readonly slug: string | undefined;
  /** All slugs of the error. */
  readonly errors: readonly string[];
  /** The path of the invalid param: `client.user.email`. */
  readonly field: string | undefined;
  /** How many seconds to wait before a retry. */
  readonly retryAfter: number | undefined;
  /** The error's `data`, unchecked. */
  readonly data: unknown;

  constructor(error: { code: number; message: string; data?: unknown });
}

/** The process ended before the client was closed. Whether the calls in flight took effect is not known. */
export class ProcessEnded extends PosternError {
  readonly name: "ProcessEnded";
  /** The exit code, or null if a signal killed the process. */
  readonly exitCode: number | null;
  /** The name of the signal that killed the process, or null. */
  readonly signal: string | null;
  /** The last lines that the process wrote to stderr, at most 20. */
  readonly stderr: readonly string[];

  constructor(exitCode: number | null, signal: string | null, stderr: readonly string[]);
}

/**
 * The program took events so slowly that later ones were dropped. All before them were delivered. A new client with
 * `eventsAfter` gets the others.
 */
export class EventsLost extends PosternError {
  readonly name: "EventsLost";
  /** The number of the last event that was delivered; undefined if there was none. */
  readonly after: number | undefined;

  constructor(after: number | undefined);
}

/** A call after `close`. */
export class ClientClosed extends PosternError {
  readonly name: "ClientClosed";

  constructor();
}

/** The binary was not found. */
export class BinaryNotFound extends PosternError {
  readonly name: "BinaryNotFound";
  /** All paths where the client looked. */
  readonly places: readonly string[];

  constructor(places: readonly string[]);
}

/** A request is longer than the service accepts. Nothing was sent. */
export class MessageTooLong extends PosternError {
  readonly name: "MessageTooLong";
  /** How many bytes the request has. */
  readonly bytes: number;
  /** How many bytes a request may have. */
  readonly bytesMax: number;

  constructor(bytes: number, bytesMax: number);
}

/**
 * The output of the process is not JSON-RPC, which ends the client; or a result lacks a property or has one of another
 * type, which fails only its call.
 */
export class ProtocolError extends PosternError {
  readonly name: "ProtocolError";
}
