// A worker thread that opens a client and does not close it.
import { parentPort } from "node:worker_threads";
import { Postern } from "postern-accounts";
import { binary } from "./support.js";

const postern = await Postern.open({ binary, data: ":memory:" });
parentPort.postMessage({ pid: postern.pid, name: (await postern.system.info()).name });
