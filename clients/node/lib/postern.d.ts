import { Methods } from "./generated/methods.js";
import { Event, ServiceMail } from "./generated/types.js";

declare global {
  // Node has it since 18.18; TypeScript's libraries declare it since 5.2, in the same way.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** How the process is spawned. */
export interface PosternOptions {
  /**
   * The binary: a path, or a name to look up on PATH. By default the one that POSTERN_BIN names, or else the one of the
   * optional package for this platform, or else `postern` on PATH.
   */
  binary?: string | undefined;
  /** The directory of the data, or `:memory:`. By default the program's default. */
  data?: string | undefined;
  /** Further flags, such as `--no-email-confirmation`. */
  arguments?: readonly string[] | undefined;
  /** The working directory of the process, to which `data` is relative; by default the host's. */
  cwd?: string | undefined;
  /** Variables that are added to the host's environment, or replace some of it; undefined removes a variable. */
  env?: { readonly [name: string]: string | undefined } | undefined;
  /**
   * Is called with each line that the process writes to stderr. Without it and `logger`, the lines go to the host's
   * stderr. If it throws, the line goes there too, and the host continues.
   */
  onLog?: ((line: string) => void) | undefined;
  /** Gets the messages of the program's log at their levels, such as `console`, or a logger of pino or winston. */
  logger?: Logger | undefined;
  /**
   * Delivers each mail; the flag `--mail host` is added. If it throws or rejects, or takes longer than 30 seconds, the
   * process tries again later. Up to four mails are delivered at the same time.
   */
  deliverMail?: ((mail: ServiceMail) => void | PromiseLike<void>) | undefined;
  /** Whether the process sends the events of the audit trail, from now on; the flag `--events` is added. */
  events?: boolean | undefined;
  /** The same, but from the event after the one with this number, or with 0 from the earliest that is kept. */
  eventsAfter?: number | undefined;
  /**
   * Whether `open` waits for the reply to a `system.info`, so that it rejects if the process cannot serve; true by
   * default. If false, the first call rejects instead. A supervised client always waits.
   */
  waitUntilReady?: boolean | undefined;
  /**
   * Whether the process is started again after it has ended; false by default. Calls wait for the next process. A call
   * in flight is sent once more if its method is idempotent, and otherwise rejects with ProcessEnded. Refused for
   * `:memory:`.
   */
  supervise?: boolean | undefined;
  /**
   * Is called each time that a supervised process has ended or could not be started, before the wait. Refused without
   * `supervise`.
   */
  onExit?: ((exit: ProcessExit) => void) | undefined;
  /** How long a supervised client waits before each start. Refused without `supervise`. */
  backoff?: Backoff | undefined;
}

/** The part of a logger that a client uses. */
export interface Logger {
  error(message: string): unknown;
  warn(message: string): unknown;
  info(message: string): unknown;
}

/** The end of a supervised process. */
export interface ProcessExit {
  /** How it ended, or why it could not be started. */
  readonly error: Error;
  /** How many starts have failed since the last process that has served. */
  readonly failedStarts: number;
  /** The milliseconds until the next start; undefined if there is none, and all calls reject from now on. */
  readonly delay: number | undefined;
}

/** The waits before the starts of a supervised process. Each varies by a fifth. */
export interface Backoff {
  /** The first wait in milliseconds, which doubles with each start; 100 by default. */
  first?: number | undefined;
  /** The longest wait in milliseconds; 5,000 by default. */
  max?: number | undefined;
  /** The milliseconds that a process must serve until the next wait is the first again; 10,000 by default. */
  resetAfter?: number | undefined;
  /** How many starts in a row may fail before the client gives up, at least 1; 10 by default. */
  failedStartsMax?: number | undefined;
}

/** The part of AbortSignal that a call uses, so that neither the DOM's types nor Node's are needed. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** How long a call waits. A call that is cancelled or times out rejects at once, and may still take effect. */
export interface CallOptions {
  /** An AbortSignal; when it aborts, the call rejects with its reason. */
  signal?: AbortSignalLike | undefined;
  /** The milliseconds after which the call rejects with a DOMException whose name is `TimeoutError`. */
  timeout?: number | undefined;
}

/** How long `close` waits. */
export interface CloseOptions {
  /** The milliseconds after which the process gets SIGTERM, and SIGKILL five seconds later; by default 30,000. */
  timeout?: number | undefined;
}

/**
 * A Postern process and its methods: `postern.operators.client.create(…)`.
 *
 * Any number of calls can be in flight. A call rejects with a `CallError` if the service replies with an error, and
 * with another `PosternError` if there is no reply. A client belongs to the thread that opened it.
 */
export class Postern extends Methods {
  private constructor();

  /**
   * Spawns the process.
   *
   * @throws BinaryNotFound; ProtocolError if the contract of the service is older than that of this client, or of
   * another major version; a plain PosternError, with its cause, if the system does not start the process; TypeError or
   * RangeError if the options are wrong
   */
  static open(options?: PosternOptions): Promise<Postern>;

  /** The process id; of a supervised client, that of the last process that has served. */
  readonly pid: number;

  /**
   * Calls any method by its name in the protocol, even one that is newer than this client.
   *
   * @param params - left out if undefined
   * @returns the result, unchecked
   * @throws CallError, ProcessEnded, ClientClosed, MessageTooLong, ProtocolError; a TypeError for params that JSON
   * cannot represent; the signal's reason
   */
  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown>;

  /**
   * The events of the audit trail, each after it is durable and in the order of `seq`. The iterator waits for the next
   * one, and ends when the client is closed.
   *
   * Keep the `seq` of the last event that was processed, and open the next client with it as `eventsAfter`: no event is
   * missed. An event can come again, always with the same `seq`. Each event comes from one of the iterators.
   *
   *     for await (const event of postern.events()) console.log(event.kind, event.account);
   *
   * While 1,000 events are not taken and no call is in flight, the client reads nothing, and the process holds the
   * others back. With `deliverMail`, mails wait too then. Calls get their replies all the same; the events that come
   * between these are kept up to 20,000.
   *
   * @throws EventsLost if more events were not taken, and later ones were dropped; ProcessEnded; a plain PosternError
   * if the client was opened without `events` and `eventsAfter`
   */
  events(): AsyncGenerator<Event, void, void>;

  /**
   * Refuses new calls, waits for the replies of the calls in flight and for the deliveries, and waits until the process
   * has ended. A second call returns the same promise.
   */
  close(options?: CloseOptions): Promise<void>;

  /** Closes the client at the end of an `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
