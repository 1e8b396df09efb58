import { Postern, PosternOptions } from "./postern.js";

/** The flags of deterministic mode: only `system.advance_clock` moves the clock, and mails stay in `system.outbox`. */
export const deterministicFlags: readonly string[];

/**
 * Starts a Postern in memory in deterministic mode: times, ids and codes repeat.
 *
 *     const postern = await deterministic({ arguments: ["--no-email-confirmation"] });
 */
export function deterministic(options?: Omit<PosternOptions, "data" | "supervise">): Promise<Postern>;

/**
 * The code, token or temporary password in the last mail to an address.
 *
 * @throws RangeError if no code was mailed to it
 */
export function mailedCode(postern: Postern, to: string): Promise<string>;
