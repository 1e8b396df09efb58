// @ts-check
import { access, constants, stat } from "node:fs/promises";
import { delimiter, resolve } from "node:path";
import { BinaryNotFound } from "./errors.js";

/**
 * The path of the binary: the one that the host names, or else the one that POSTERN_BIN names, or else `postern`. A
 * name without a slash is looked up on PATH.
 *
 * @param {string} [given]
 * @throws {BinaryNotFound}
 */
export async function findBinary(given) {
  const name = given || process.env.POSTERN_BIN || "postern";
  const places = name.includes("/") ? [resolve(name)] : foldersOfPath().map((folder) => resolve(folder, name));
  for (const place of places) {
    if (await isExecutable(place)) return place;
  }
  throw new BinaryNotFound(places);
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
