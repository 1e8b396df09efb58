/// The limits of the store and its engines. Each name ends with its unit. Limits that are part of the contract are
/// generated from schema/limits.json; an engine adds its own.
package enum Limits {}
