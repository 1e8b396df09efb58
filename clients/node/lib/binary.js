// @ts-check
"use strict";

const { access, constants, stat } = require("node:fs/promises");
const { delimiter, resolve } = require("node:path");
const { BinaryNotFound } = require("./errors.js");

/** The optional package that has the binary for this machine: `postern-accounts-linux-x64`. */
const platformPackage = `postern-accounts-${process.platform}-${process.arch}`;

/**
 * The path of the binary: the one that the host names, or else the one that POSTERN_BIN names, or else the one of the
 * platform's package, or else `postern` on PATH. A name without a slash is looked up on PATH.
 *
 * @param {string} [given]
 * @throws {BinaryNotFound}
 */
async function findBinary(given) {
  const name = given || process.env.POSTERN_BIN;
  const places = name ? placesOf(name) : [packagedBinary(), ...placesOf("postern")];
  for (const place of places) {
    if (await isExecutable(place)) return place;
  }
  throw new BinaryNotFound(places);
}

/** @param {string} name */
function placesOf(name) {
  return name.includes("/") ? [resolve(name)] : foldersOfPath().map((folder) => resolve(folder, name));
}

/** The path of the binary in the platform's package, or where npm would install the package. */
function packagedBinary() {
  const binary = `${platformPackage}/bin/postern`;
  try {
    return require.resolve(binary);
  } catch {
    return resolve(__dirname, "../..", binary);
  }
}

function foldersOfPath() {
  return process.env.PATH ? [...new Set(process.env.PATH.split(delimiter))] : [];
}

/** @param {string} path */
async function isExecutable(path) {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

module.exports = { findBinary };
