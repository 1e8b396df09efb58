// @ts-check

/**
 * What an object must look like: its members by name. Others may stand beside them.
 *
 * @typedef {{ [name: string]: Member }} Shape
 */

/**
 * @typedef {{
 *   type: "string" | "integer" | "boolean" | Shape,
 *   list?: boolean,
 *   nullable?: boolean,
 *   optional?: boolean
 * }} Member
 */

/**
 * Where a value is not as it must be, and why: `.clients[3].user.id is missing`. Undefined where all is well.
 *
 * @param {any} value
 * @param {Shape} shape
 * @returns {string | undefined}
 */
export function misfit(value, shape) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return " is not an object";
  for (const name in shape) {
    const problem = memberMisfit(value[name], shape[name]);
    if (problem !== undefined) return `.${name}${problem}`;
  }
  return undefined;
}

/**
 * @param {any} value
 * @param {Member} member
 */
function memberMisfit(value, member) {
  if (value === undefined) return member.optional ? undefined : " is missing";
  if (value === null && member.nullable) return undefined;
  if (!member.list) return elementMisfit(value, member.type);
  if (!Array.isArray(value)) return " is not a list";
  for (let index = 0; index < value.length; index++) {
    const problem = elementMisfit(value[index], member.type);
    if (problem !== undefined) return `[${index}]${problem}`;
  }
  return undefined;
}

/**
 * @param {any} value
 * @param {Member["type"]} type
 */
function elementMisfit(value, type) {
  switch (type) {
    case "string":
      return typeof value === "string" ? undefined : " is not a string";
    case "integer":
      return Number.isSafeInteger(value) ? undefined : " is not an integer";
    case "boolean":
      return typeof value === "boolean" ? undefined : " is not a boolean";
    default:
      return misfit(value, type);
  }
}
