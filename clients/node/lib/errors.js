// @ts-check

export class PosternError extends Error {
  get name() {
    return "PosternError";
  }
}

export class CallError extends PosternError {
  /** @param {{ code: number, message: string, data?: any }} error - the `error` of a JSON-RPC reply */
  constructor({ code, message, data }) {
    super(message);
    this.code = code;
    /** @type {readonly string[]} */
    this.errors = Array.isArray(data?.errors) ? data.errors : [];
    this.slug = this.errors[0];
    this.field = data?.field;
    this.retryAfter = data?.retry_after;
    this.data = data;
  }

  get name() {
    return "CallError";
  }
}

export class ProcessEnded extends PosternError {
  /**
   * @param {number | null} exitCode
   * @param {string | null} signal
   * @param {readonly string[]} stderr - the last lines of stderr
   */
  constructor(exitCode, signal, stderr) {
    const how = signal === null ? `ended with exit code ${exitCode}` : `was killed by ${signal}`;
    const said = stderr.length === 0 ? "Its stderr is empty." : `Its last lines on stderr:\n${stderr.join("\n")}`;
    super(`Postern ${how}. Whether the calls in flight took effect is not known. ${said}`);
    this.exitCode = exitCode;
    this.signal = signal;
    this.stderr = stderr;
  }

  get name() {
    return "ProcessEnded";
  }
}

export class EventsLost extends PosternError {
  /** @param {number | undefined} after - the number of the last event that was delivered */
  constructor(after) {
    super(`Events were dropped after number ${after}, because the program did not take them.`);
    this.after = after;
  }

  get name() {
    return "EventsLost";
  }
}

export class ClientClosed extends PosternError {
  constructor() {
    super("This client was closed.");
  }

  get name() {
    return "ClientClosed";
  }
}

export class BinaryNotFound extends PosternError {
  /** @param {readonly string[]} places */
  constructor(places) {
    const looked = places.length === 0 ? "PATH names no folder" : `looked at ${places.join(", ")}`;
    super(`The postern binary was not found: ${looked}. Set the option \`binary\` or POSTERN_BIN.`);
    this.places = places;
  }

  get name() {
    return "BinaryNotFound";
  }
}

export class MessageTooLong extends PosternError {
  /**
   * @param {number} bytes
   * @param {number} bytesMax
   */
  constructor(bytes, bytesMax) {
    super(`The request has ${bytes} bytes; Postern accepts at most ${bytesMax}.`);
    this.bytes = bytes;
    this.bytesMax = bytesMax;
  }

  get name() {
    return "MessageTooLong";
  }
}

export class ProtocolError extends PosternError {
  get name() {
    return "ProtocolError";
  }
}
