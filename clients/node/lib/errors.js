// @ts-check
"use strict";

class PosternError extends Error {
  get name() {
    return "PosternError";
  }
}

class CallError extends PosternError {
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

class ProcessEnded extends PosternError {
  /**
   * @param {number | null} exitCode
   * @param {string | null} signal
   * @param {readonly string[]} stderr - the last lines of stderr
   */
  constructor(exitCode, signal, stderr) {
    const how = signal === null ? `ended with exit code ${exitCode}` : `was killed by ${signal}`;
    const said = stderr.length === 0 ? "Its stderr is empty." : `Its last lines on stderr:\n${stderr.join("\n")}`;
    super(`Postern ${how}. If a call was in flight, the outcome is unknown. ${said}`);
    this.exitCode = exitCode;
    this.signal = signal;
    this.stderr = stderr;
  }

  get name() {
    return "ProcessEnded";
  }
}

class EventsLost extends PosternError {
  /** @param {number | undefined} after - the number of the last event that was delivered */
  constructor(after) {
    super(`Events were dropped after number ${after}, because the program did not take them.`);
    this.after = after;
  }

  get name() {
    return "EventsLost";
  }
}

class ClientClosed extends PosternError {
  constructor() {
    super("This client was closed.");
  }

  get name() {
    return "ClientClosed";
  }
}

class BinaryNotFound extends PosternError {
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

class MessageTooLong extends PosternError {
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

class ProtocolError extends PosternError {
  get name() {
    return "ProtocolError";
  }
}

module.exports = {
  PosternError,
  CallError,
  ProcessEnded,
  EventsLost,
  ClientClosed,
  BinaryNotFound,
  MessageTooLong,
  ProtocolError,
};
