// A thread with a client of its own, which it leaves open.
import { parentPort } from "node:worker_threads";
import { Postern } from "postern-client";
import { binary } from "./support.js";

const postern = await Postern.open({ binary, data: ":memory:" });
parentPort.postMessage({ pid: postern.pid, name: (await postern.system.info()).name });
