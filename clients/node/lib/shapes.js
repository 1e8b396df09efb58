// @ts-check
"use strict";

const { inspect } = require("node:util");

/**
 * The required form of an object: its properties by name. An object may have other properties too.
 *
 * @typedef {{ [name: string]: Property }} Shape
 */

/**
 * @typedef {{
 *   type: "string" | "integer" | "boolean" | "time" | "object" | Shape,
 *   list?: boolean,
 *   nullable?: boolean,
 *   optional?: boolean,
 *   secret?: boolean
 * }} Property
 */

/** UTC, as the service writes it. `Date` also reads other forms, but differently from engine to engine. */
const timeFormat = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/**
 * Replaces the times in a value by Dates, and returns its first fault, with its path: `.clients[3].user.id is missing`.
 * Undefined if the value has the shape.
 *
 * @param {any} value
 * @param {Shape} shape
 * @returns {string | undefined}
 */
function read(value, shape) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return " is not an object";
  for (const name in shape) {
    const problem = readProperty(value, name, shape[name]);
    if (problem !== undefined) return `.${name}${problem}`;
  }
  return undefined;
}

/**
 * @param {any} holder
 * @param {string} name
 * @param {Property} property
 */
function readProperty(holder, name, property) {
  const value = holder[name];
  if (value === undefined) return property.optional ? undefined : " is missing";
  if (value === null && property.nullable) return undefined;
  if (!property.list) return readElement(holder, name, property.type);
  if (!Array.isArray(value)) return " is not a list";
  for (let index = 0; index < value.length; index++) {
    const problem = readElement(value, index, property.type);
    if (problem !== undefined) return `[${index}]${problem}`;
  }
  return undefined;
}

/**
 * @param {any} holder - the object or list that has the element
 * @param {string | number} place
 * @param {Property["type"]} type
 */
function readElement(holder, place, type) {
  const value = holder[place];
  switch (type) {
    case "string":
      return typeof value === "string" ? undefined : " is not a string";
    case "integer":
      return Number.isSafeInteger(value) ? undefined : " is not an integer";
    case "boolean":
      return typeof value === "boolean" ? undefined : " is not a boolean";
    case "time":
      if (typeof value !== "string" || !timeFormat.test(value)) return " is not a time";
      holder[place] = new Date(value);
      return Number.isNaN(holder[place].getTime()) ? " is not a time" : undefined;
    case "object":
      return read(value, {});
    default:
      return read(value, type);
  }
}

const hidden = "[redacted]";
/** By shape: the names of its secret properties, and the properties whose shapes have secrets. */
const secretsOfShapes = /** @type {WeakMap<Shape, { names: string[], inner: [string, Shape][] }>} */ (new WeakMap());

/**
 * Makes `console.log` and `util.inspect` show a result without its secrets. The properties and the JSON of the result
 * do not change.
 *
 * @param {any} value - a value that has the shape
 * @param {Shape} shape
 */
function hideSecrets(value, shape) {
  const { names, inner } = secretsOf(shape);
  if (names.length > 0) {
    Object.defineProperty(value, inspect.custom, {
      /**
       * @param {number} depth
       * @param {import("node:util").InspectOptions} options
       */
      value(depth, options) {
        const shown = { ...this };
        for (const name of names) if (shown[name] !== undefined) shown[name] = hidden;
        return inspect(shown, { ...options, depth });
      },
    });
  }
  for (const [name, innerShape] of inner) {
    const held = value[name];
    if (Array.isArray(held)) for (const element of held) hideSecrets(element, innerShape);
    else if (held) hideSecrets(held, innerShape);
  }
}

/** @param {Shape} shape */
function secretsOf(shape) {
  let secrets = secretsOfShapes.get(shape);
  if (secrets === undefined) {
    const names = Object.keys(shape).filter((name) => shape[name].secret);
    /** @type {[string, Shape][]} */
    const inner = [];
    for (const [name, { type }] of Object.entries(shape)) {
      if (typeof type === "object" && hasSecrets(type)) inner.push([name, type]);
    }
    secrets = { names, inner };
    secretsOfShapes.set(shape, secrets);
  }
  return secrets;
}

/** @param {Shape} shape */
function hasSecrets(shape) {
  const { names, inner } = secretsOf(shape);
  return names.length > 0 || inner.length > 0;
}

module.exports = { hideSecrets, read };
