// @ts-check
"use strict";

const { PosternError, ProtocolError } = require("./errors.js");
const { contractVersion } = require("./generated/limits.js");

/**
 * Throws if a client must not use the service: another contract, or a store in memory of a supervised client.
 *
 * @param {any} info - the result of the first call
 * @param {boolean} isSupervised
 */
function checkService(info, isSupervised) {
  if (typeof info !== "object" || info === null) return;
  checkContract(info.contract);
  if (isSupervised && info.store?.kind === "memory") {
    throw new PosternError("A store in memory cannot be supervised: a restart would lose all accounts.");
  }
}

/**
 * Throws unless client and service fit: the service has at least the contract of this client, and the same major
 * version, because a new one may have changed what this client uses.
 *
 * @param {unknown} version
 */
function checkContract(version) {
  const [major] = partsOf(contractVersion);
  if (typeof version === "string" && !isOlder(version, contractVersion) && partsOf(version)[0] === major) return;
  const has = typeof version === "string" ? `version ${version}` : "no version";
  const needs = `${contractVersion} or a later ${major}.x`;
  throw new ProtocolError(`The contract of this Postern has ${has}; this client needs ${needs}.`);
}

/** @param {string} version */
function partsOf(version) {
  return version.split(".").map(Number);
}

/**
 * @param {string} version
 * @param {string} other
 */
function isOlder(version, other) {
  const [left, right] = [partsOf(version), partsOf(other)];
  const index = right.findIndex((part, index) => left[index] !== part);
  return index >= 0 && !(left[index] > right[index]);
}

module.exports = { checkService };
