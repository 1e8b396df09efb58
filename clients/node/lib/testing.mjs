import testing from "./testing.js";

export const { deterministic, deterministicFlags, mailedCode } = testing;
