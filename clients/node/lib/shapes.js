// @ts-check
import { inspect } from "node:util";

/**
 * The required form of an object: its properties by name. An object may have other properties too.
 *
 * @typedef {{ [name: string]: Property }} Shape
 */

/**
 * @typedef {{
 *   type: "string" | "integer" | "boolean" | "object" | Shape,
 *   list?: boolean,
 *   nullable?: boolean,
 *   optional?: boolean,
 *   secret?: boolean
 * }} Property
 */

/**
 * The first fault of a value, with its path: `.clients[3].user.id is missing`. Undefined if the value has the shape.
 *
 * @param {any} value
 * @param {Shape} shape
 * @returns {string | undefined}
 */
export function misfit(value, shape) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return " is not an object";
  for (const name in shape) {
    const problem = propertyMisfit(value[name], shape[name]);
    if (problem !== undefined) return `.${name}${problem}`;
  }
  return undefined;
}

/**
 * @param {any} value
 * @param {Property} property
 */
function propertyMisfit(value, property) {
  if (value === undefined) return property.optional ? undefined : " is missing";
  if (value === null && property.nullable) return undefined;
  if (!property.list) return elementMisfit(value, property.type);
  if (!Array.isArray(value)) return " is not a list";
  for (let index = 0; index < value.length; index++) {
    const problem = elementMisfit(value[index], property.type);
    if (problem !== undefined) return `[${index}]${problem}`;
  }
  return undefined;
}

/**
 * @param {any} value
 * @param {Property["type"]} type
 */
function elementMisfit(value, type) {
  switch (type) {
    case "string":
      return typeof value === "string" ? undefined : " is not a string";
    case "integer":
      return Number.isSafeInteger(value) ? undefined : " is not an integer";
    case "boolean":
      return typeof value === "boolean" ? undefined : " is not a boolean";
    case "object":
      return misfit(value, {});
    default:
      return misfit(value, type);
  }
}

const hidden = "<redacted>";
/** By shape: the names of its secret properties, and the properties whose shapes have secrets. */
const secretsOfShapes = /** @type {WeakMap<Shape, { names: string[], inner: [string, Shape][] }>} */ (new WeakMap());

/**
 * Makes `console.log` and `util.inspect` show a result without its secrets. The properties and the JSON of the result
 * do not change.
 *
 * @param {any} value - a value that has the shape
 * @param {Shape} shape
 */
export function hideSecrets(value, shape) {
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
