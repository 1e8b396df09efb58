import { Methods } from "./generated/methods.js";

declare global {
  // Node has it since 18.18; TypeScript's own libraries since 5.2, in the same words.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** How the process is spawned. */
export interface PosternOptions {
  /** The binary: a path, or a name to look up on PATH. Without it POSTERN_BIN says, and then it is `postern`. */
  binary?: string | undefined;
  /** The directory where the data live, or `:memory:`. Without it the program's own default holds. */
  data?: string | undefined;
  /** Further flags, such as `--no-email-confirmation`. */
  arguments?: readonly string[] | undefined;
  /** The process's working directory, which `data` is relative to; the host's if not given. */
  cwd?: string | undefined;
  /** Variables beside those of the host's environment, or instead of them; undefined takes one away. */
  env?: { readonly [name: string]: string | undefined } | undefined;
  /** Takes each line that the process writes to stderr; if not given, they go to the host's stderr. */
  onLog?: ((line: string) => void) | undefined;
  /**
   * Whether `open` waits for the reply to a `system.info`, so that it rejects where the process cannot serve; true if
   * not given. Otherwise the first call rejects.
   */
  waitUntilReady?: boolean | undefined;
}

/** What an AbortSignal has that a call uses, so that neither the DOM's types nor Node's are needed. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** How long a call waits. One that is given up ends at once, and may still take effect. */
export interface CallOptions {
  /** An AbortSignal; when it aborts, the call rejects with its reason. */
  signal?: AbortSignalLike | undefined;
  /** Milliseconds, after which the call rejects with a DOMException whose name is `TimeoutError`. */
  timeout?: number | undefined;
}

/** How long `close` waits. */
export interface CloseOptions {
  /** Milliseconds until the process is sent SIGTERM, and SIGKILL five seconds later; 30,000 if not given. */
  timeout?: number | undefined;
}

/**
 * A Postern process and its methods: `postern.operators.client.create(…)`.
 *
 * Calls may be made in any number at a time; each is a promise of its own. They reject with a `CallError` where the
 * service answers with an error, and with another `PosternError` where there is no answer. A client belongs to the
 * thread that opened it.
 */
export class Postern extends Methods {
  private constructor();

  /**
   * Spawns the process.
   *
   * @throws BinaryNotFound; a plain PosternError, with its cause, where the system does not start it
   */
  static open(options?: PosternOptions): Promise<Postern>;

  /** The process's id. */
  readonly pid: number;

  /**
   * Calls any method by its name on the wire, also one that is newer than this client.
   *
   * @param params - left out where undefined
   * @returns the result as it came, unchecked
   * @throws CallError, ProcessEnded, ClientClosed, MessageTooLong, ProtocolError; a TypeError for params that no JSON
   * text can hold; the signal's reason
   */
  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown>;

  /**
   * Takes no more calls, lets those in flight be answered, and waits for the process to end. May be called again, and
   * gives the same promise then.
   */
  close(options?: CloseOptions): Promise<void>;

  /** Closes the client at the end of an `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
