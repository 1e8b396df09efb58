// Replays all transcripts, and prints each reply as a line of JSON with sorted properties, so that the output can be
// compared with that of the other clients: node testing/replay.js
import { play, transcriptNames } from "./transcripts.js";

for (const name of transcriptNames) {
  for await (const { line, reply } of play(name)) {
    console.log(JSON.stringify(sorted({ case: name, line, reply })));
  }
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]));
}
