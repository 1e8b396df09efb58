// @ts-check
"use strict";

const { inspect } = require("node:util");
const { ServiceMail } = require("./generated/results.js");
const { shown } = require("./log.js");
const { hideSecrets, read } = require("./shapes.js");

/** @typedef {import("./replies.js").HostMessage} HostMessage */
/** @typedef {import("./postern.js").PosternOptions["deliverMail"]} DeliverMail */

/**
 * How many mails are delivered at the same time. The process opens as many requests, and may open others while a
 * handler hangs.
 */
const deliveriesMax = 4;
const mailShape = /** @type {import("./shapes.js").Shape} */ (ServiceMail);
/** The characters of an error's message that are sent. The process keeps less of it. */
const messageCharactersMax = 2_000;
const methodNotFound = -32601;
const failed = -32000;

/** Answers the requests that the process sends on its own. */
class Deliveries {
  #deliverMail;
  #write;
  #count = 0;
  #isEnding = false;
  #onIdle = /** @type {(() => void) | undefined} */ (undefined);

  /**
   * @param {DeliverMail} deliverMail - undefined if the client delivers no mails
   * @param {(line: string) => void} write - sends a line to the process
   */
  constructor(deliverMail, write) {
    this.#deliverMail = deliverMail;
    this.#write = write;
  }

  /**
   * Starts the delivery of a mail, refuses another request, and drops a notification.
   *
   * @param {HostMessage} message
   * @returns {Promise<void> | undefined} resolves when the delivery that it started has ended
   */
  take(message) {
    // A notification of a newer service; `Connection` takes the known ones.
    if (!("id" in message)) return undefined;
    if (message.method !== "mail.deliver" || !this.#deliverMail) {
      this.#refuse(message.id, methodNotFound, `Method not found: ${message.method}`);
    } else if (this.#count === deliveriesMax) {
      // Some of the requests were given up by the process. To keep others waiting would deliver them late.
      this.#refuse(message.id, failed, `${deliveriesMax} mails are being delivered`);
    } else if (!this.#isEnding) {
      this.#count += 1;
      return this.#deliver(message, this.#deliverMail);
    }
    return undefined;
  }

  /**
   * Starts no new delivery, and calls `onIdle` once all have ended.
   *
   * @param {() => void} onIdle
   */
  end(onIdle) {
    this.#isEnding = true;
    if (this.#count === 0) onIdle();
    else this.#onIdle = onIdle;
  }

  /**
   * @param {HostMessage} request
   * @param {NonNullable<DeliverMail>} deliverMail
   */
  async #deliver({ id, params }, deliverMail) {
    try {
      const problem = read(params, mailShape);
      if (problem !== undefined) throw new TypeError(`The params of mail.deliver are not as agreed: params${problem}.`);
      hideSecrets(params, mailShape);
      await deliverMail(/** @type {any} */ (params));
      this.#respond({ id, result: null });
    } catch (error) {
      this.#refuse(id, failed, textOf(error));
    }
    this.#count -= 1;
    if (this.#count === 0) this.#onIdle?.();
  }

  /**
   * @param {unknown} id
   * @param {number} code
   * @param {string} message
   */
  #refuse(id, code, message) {
    this.#respond({ id, error: { code, message } });
  }

  /** @param {object} response */
  #respond(response) {
    this.#write(JSON.stringify({ jsonrpc: "2.0", ...response }));
  }
}

/**
 * What a handler has thrown, as the message of an error response: cut, and with lone surrogates replaced, because the
 * process refuses a line that is too long or that is not UTF-8.
 *
 * @param {unknown} error
 */
function textOf(error) {
  const text = shown(error, () => (error instanceof Error ? `${error.name}: ${error.message}` : inspect(error)));
  return text.slice(0, messageCharactersMax).replace(/\p{Surrogate}/gu, "\uFFFD");
}

module.exports = { Deliveries };
