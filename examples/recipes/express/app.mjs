// Accounts in an Express application.
//
//     node app.mjs
//
// The process has its own Postern process; any number of them use the directory that POSTERN_DATA names.

import express from "express";
import { CallError, ClientClosed, Postern, ProcessEnded, errors } from "postern-accounts";

const FORMS = {
  "/sign-up": ["Create an account", ["first_name", "last_name", "email", "password"]],
  "/sign-in": ["Sign in", ["email", "password"]],
  "/forgotten": ["Mail me a link to set a new password", ["email"]],
  // The links in mails. Opening one changes nothing, because programs that scan mails open links too.
  "/operators/confirm": ["Confirm your email", ["code"]],
  "/operators/reset": ["Set a new password", ["code", "password"]],
};

// Only to try it without TLS.
const SECURE_COOKIES = process.env.SECURE_COOKIES !== "0";

const escaped = (text) => String(text ?? "").replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

function form(path, code = "") {
  const [title, names] = FORMS[path];
  const inputs = names.map((name) => `<input name=${name} placeholder=${name} value="${name === "code" ? escaped(code) : ""}">`);
  return `<form method=post action=${path}><h2>${title}</h2>${inputs.join("")}<button>${title}</button></form>`;
}

function page(message, content = "") {
  return `<!doctype html><title>Accounts</title><p>${escaped(message)}</p>${content}`;
}

let opening;

/** The client, opened by the first request, and again after its process has died. */
function postern(request) {
  opening ??= Postern.open();
  request.opening = opening;
  return opening;
}

/** Where the request comes from: failures count for this address, and the list of sessions shows it. */
const origin = (request) => ({ ip: request.ip, agent: request.get("user-agent") ?? "" });

/** The credential in the cookie; undefined without one. */
function session(request) {
  const found = /(?:^|; )session=(\d+)\.([0-9a-f]*)/.exec(request.get("cookie") ?? "");
  return found ? { user_id: Number(found[1]), session_id: found[2] } : undefined;
}

const app = express();
app.use(express.urlencoded({ extended: false }));

/** Express 4 does not wait for promises: a rejection goes to its error handler. */
const handled = (action) => (request, response, next) => action(request, response).catch(next);

app.get("/", handled(async (request, response) => {
  const credential = session(request);
  if (!credential) {
    return response.send(page("You are not signed in.", Object.keys(FORMS).slice(0, 3).map((path) => form(path)).join("")));
  }
  const { operators } = await postern(request);
  const [account, { sessions }] = await Promise.all([operators.account(credential), operators.sessions(credential)]);
  const items = sessions.map((open) => `<li>${escaped(open.agent)} ${open.current ? "(this one)" : ""}
    <form method=post action=/sessions/end><button name=id value=${open.id}>End</button></form>`);
  const end = "<form method=post action=/sign-out><button>Sign out</button></form>";
  response.send(page(`You are ${account.user.email}.`, `<ul>${items.join("")}</ul>${end}`));
}));

for (const path of Object.keys(FORMS)) {
  app.get(path, (request, response) => response.send(page("", form(path, request.query.code))));
}

app.post("/sign-up", handled(async (request, response) => {
  const { first_name, last_name, email, password } = request.body;
  const user = { first_name, last_name, email };
  await (await postern(request)).operators.register({ user, password, client: origin(request) });
  response.send(page("A mail with a link is on its way."));
}));

app.post("/operators/confirm", handled(async (request, response) => {
  await (await postern(request)).operators.confirmEmail({ code: request.body.code });
  response.redirect("/");
}));

app.post("/sign-in", handled(async (request, response) => {
  const { email, password } = request.body;
  const operator = await (await postern(request)).operators.signin({ email, password, client: origin(request) });
  // With SameSite, other sites cannot send forms in the name of the user.
  const options = { httpOnly: true, sameSite: "lax", secure: SECURE_COOKIES };
  response.cookie("session", `${operator.id}.${operator.session_id}`, options).redirect("/");
}));

app.post("/sign-out", handled(async (request, response) => {
  await (await postern(request)).operators.signout(session(request) ?? { user_id: 0, session_id: "" });
  response.clearCookie("session").redirect("/");
}));

app.post("/sessions/end", handled(async (request, response) => {
  const credential = session(request) ?? { user_id: 0, session_id: "" };
  await (await postern(request)).operators.endSession({ ...credential, id: Number(request.body.id) });
  response.redirect("/");
}));

app.post("/forgotten", handled(async (request, response) => {
  await (await postern(request)).operators.resetPassword({ email: request.body.email, client: origin(request) });
  response.send(page("A mail with a link is on its way."));
}));

app.post("/operators/reset", handled(async (request, response) => {
  const { code, password } = request.body;
  await (await postern(request)).operators.completeReset({ code, password, client: origin(request) });
  response.redirect("/");
}));

// Express recognises an error handler by its four parameters.
app.use((error, request, response, next) => {
  // The session has expired, or was ended elsewhere.
  if (error instanceof errors.operators.AuthenticationFailed) return response.clearCookie("session").redirect("/");
  if (error instanceof CallError) return response.status(400).send(page(error.message));
  if (!(error instanceof ProcessEnded || error instanceof ClientClosed)) return next(error);
  // What was acknowledged is in the directory, and the next request opens a new client.
  // Another request may have opened the next one already.
  if (opening === request.opening) opening = undefined;
  response.status(503).send(page("Please try again."));
});

const server = app.listen(Number(process.env.PORT ?? 8000), "127.0.0.1");

// Requests in flight are answered, then the client waits for its process.
process.on("SIGTERM", () => {
  server.close(async () => (await opening)?.close());
  server.closeIdleConnections();
});
