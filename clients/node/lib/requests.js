// @ts-check
"use strict";

const { Buffer } = require("node:buffer");
const { MessageTooLong } = require("./errors.js");
const { messageBytesMax, messageDepthMax } = require("./generated/limits.js");

/**
 * A request as a line of JSON. Requests that the service cannot parse are refused here: the service would reply without
 * an id, so that no call would get the reply.
 *
 * @param {number} id
 * @param {string} method
 * @param {unknown} params - left out if undefined
 * @throws {MessageTooLong}
 * @throws {TypeError} if JSON cannot represent the params, if they have a lone surrogate, or are nested too deep
 */
function requestLine(id, method, params) {
  const line = JSON.stringify({ jsonrpc: "2.0", id, method, params });
  // A UTF-16 code unit has at most three bytes in UTF-8.
  const bytes = line.length * 3 > messageBytesMax ? Buffer.byteLength(line) : 0;
  if (bytes > messageBytesMax) throw new MessageTooLong(bytes, messageBytesMax);
  // JSON.stringify escapes only lone surrogates.
  if (line.includes("\\ud") && /(?<!\\)(?:\\\\)*\\ud/.test(line)) {
    throw new TypeError("A string of the request has a lone surrogate, which is not a character.");
  }
  if (line.length > 2 * messageDepthMax && depth(line) > messageDepthMax) {
    throw new TypeError(`The request is nested deeper than ${messageDepthMax} levels, which Postern does not accept.`);
  }
  return line;
}

const [quote, backslash] = codes('"\\');
const [openBracket, closeBracket, openBrace, closeBrace] = codes("[]{}");

/** @param {string} characters */
function codes(characters) {
  return Array.from(characters, (character) => character.charCodeAt(0));
}

/**
 * The nesting depth of objects and arrays.
 *
 * @param {string} json
 */
function depth(json) {
  let depth = 0;
  let deepest = 0;
  for (let index = 0; index < json.length; index++) {
    const character = json.charCodeAt(index);
    if (character === quote) {
      index = endOfString(json, index);
    } else if (character === openBrace || character === openBracket) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (character === closeBrace || character === closeBracket) {
      depth -= 1;
    }
  }
  return deepest;
}

/**
 * The index of the closing quote of the string that starts at an index.
 *
 * @param {string} json
 * @param {number} start
 */
function endOfString(json, start) {
  let index = start + 1;
  for (; json.charCodeAt(index) !== quote; index++) {
    if (json.charCodeAt(index) === backslash) index += 1;
  }
  return index;
}

module.exports = { requestLine };
