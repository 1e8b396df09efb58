// @ts-check
"use strict";

const { Postern } = require("./postern.js");

/** The flags of deterministic mode: only `system.advance_clock` moves the clock, and mails stay in `system.outbox`. */
const deterministicFlags = Object.freeze(["--clock", "2016-02-24T22:07:52.371513Z", "--seed", "7"]);

/** A code, token or temporary password is alone on a line of a mail. */
const codeLine = /^[0-9a-f-]{16,}$/m;

/** @param {import("./postern.js").PosternOptions} options */
function deterministic(options = {}) {
  const flags = [...deterministicFlags, ...(options.arguments ?? [])];
  return Postern.open({ ...options, data: ":memory:", arguments: flags });
}

/**
 * @param {import("./postern.js").Postern} postern
 * @param {string} to
 */
async function mailedCode(postern, to) {
  const { messages } = await postern.system.outbox();
  for (const message of messages.reverse()) {
    const code = message.to === to ? codeLine.exec(message.text) : null;
    if (code) return code[0];
  }
  throw new RangeError(`no code was mailed to ${to}`);
}

module.exports = { deterministic, deterministicFlags, mailedCode };
