// A minimal hand-written host: parse, look up, answer, without authentication.

const results = { "operators.clients.get": { clients: [], provision: 1 } };
let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (piece) => {
  const lines = (rest + piece).split("\n");
  rest = lines.pop();
  let replies = "";
  for (const line of lines) {
    const message = JSON.parse(line);
    replies += JSON.stringify({ jsonrpc: "2.0", id: message.id, result: results[message.method] }) + "\n";
  }
  process.stdout.write(replies);
});
