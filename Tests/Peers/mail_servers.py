"""Mail servers: aiosmtpd with STARTTLS, TLS and AUTH, and Postfix. The binary submits mails to them.

Each check has a store of its own. A mail is posted by a registration, and sent by `postern outbox deliver`.
"""

import base64
import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from checks import Checks, expect, require
from postfix import Postfix

BINARY = os.environ["POSTERN_BIN"]
RECIPES = pathlib.Path(__file__).parents[2] / "docs/mail.md"
SENDER = "accounts@example.com"
TOKEN = "ya29.a-token"
USER, PASSWORD = "me@example.com", 'se cret:"\\%@/'
DELIVER_SECONDS_MAX = 50
# How long the binary waits for a mail server that accepts a connection and says nothing, and for its program to end.
GREETING_SECONDS = 30


class Recorder:
    """Handles mails as the name of the recipient says, and keeps those that it accepts."""

    def __init__(self):
        self.mails, self.tries, self.commands = [], collections.Counter(), []

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        self.tries[name] += 1
        if name == "grey" and self.tries[name] == 1:
            return f"450 4.2.0 <{address}>: Recipient address rejected: Greylisted"
        if name == "unknown":
            return "550 5.1.1 User unknown"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        name = envelope.rcpt_tos[0].split("@")[0]
        self.commands += curl_commands()
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content.decode()))
        if name == "drop" and self.tries[name] == 1:
            server.transport.abort()
        if name == "full":
            return "552 5.2.2 Mailbox full"
        if name == "quoting":
            code = re.search(r"1-[0-9a-f]{32}", envelope.content.decode())[0]
            return f"554 5.7.1 Refused because of {code}"
        return "250 2.0.0 queued"


    async def auth_XOAUTH2(self, server, arguments):
        """The mechanism of Google and Microsoft."""
        given = base64.b64decode(arguments[1]) if len(arguments) > 1 else await server.challenge_auth("")
        return AuthResult(success=given == f"user={SENDER}\x01auth=Bearer {TOKEN}\x01\x01".encode(), handled=False)


def curl_commands():
    """The command lines of all running processes of curl."""
    lines = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if "curl" in line.split(" ")[0]:
                lines.append(line)
    return lines


def signs_in(server, session, envelope, mechanism, data):
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


class Servers:
    """The servers of aiosmtpd: `submission` with STARTTLS and AUTH, `smtps`, `plain`, and with wrong certificates."""

    def __init__(self, folder):
        authority, stranger = trustme.CA(), trustme.CA()
        self.authority = authority
        self.authority_file = str(folder / "authority.pem")
        authority.cert_pem.write_to_path(self.authority_file)
        self.recorder = Recorder()
        right = self.context(authority, "localhost")
        self.submission = self.start(tls_context=right, require_starttls=True, authenticator=signs_in, auth_required=True)
        self.smtps = self.start(ssl_context=right)
        self.tokens = self.start(
            tls_context=right, require_starttls=True, auth_required=True, auth_exclude_mechanism=["LOGIN", "PLAIN"]
        )
        self.plain = self.start(authenticator=signs_in, auth_require_tls=False)
        self.stranger = self.start(tls_context=self.context(stranger, "localhost"), require_starttls=True)
        self.misnamed = self.start(tls_context=self.context(authority, "elsewhere.example"), require_starttls=True)

    def start(self, **options):
        controller = Controller(self.recorder, hostname="localhost", port=free_port(), **options)
        controller.start()
        return controller.port

    @staticmethod
    def context(authority, name):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(name).configure_cert(context)
        return context


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Store:
    """A store with a mail to `name@example.com`, and the commands on it."""

    def __init__(self, servers, name, password=PASSWORD):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.flags = ["--data", str(self.folder / "store"), "--mail-from", f"Accounts <{SENDER}>"]
        self.secret = self.folder / "password"
        self.secret.write_text(password + "\n")
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("CURL_", "SSL_"))}
        self.environment["SSL_CERT_FILE"] = servers.authority_file
        person = {"first_name": "A", "last_name": "B", "email": f"{name}@example.com"}
        message = {"jsonrpc": "2.0", "id": 1, "method": "operators.register", "params": {"user": person, "password": "p"}}
        reply = self.run("serve", *self.flags, given=json.dumps(message) + "\n").stdout
        require("result" in json.loads(reply), reply)

    def run(self, *words, given=None):
        return subprocess.run(
            [BINARY, *words], input=given, capture_output=True, text=True, env=self.environment,
            timeout=DELIVER_SECONDS_MAX,
        )

    def deliver(self, route, with_password=True):
        """Sends the due mails. Returns the outcome of the command."""
        secret = ["--mail-password-file", str(self.secret)] if with_password else []
        return self.run("outbox", "deliver", *self.flags, "--mail", route, *secret)

    def retry(self):
        expect(self.run("outbox", "retry", "1", *self.flags[:2]).returncode, 0, "the exit code of retry")

    @property
    def mail(self):
        """The state, the number of attempts and the last error of the mail."""
        columns = self.run("outbox", "list", *self.flags[:2]).stdout.rstrip("\n").split("\t")
        return columns[2], int(columns[5]), columns[7]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        shutil.rmtree(self.folder)


def submission(servers):
    return f"smtp://{USER.replace('@', '%40')}@localhost:{servers.submission}"


def submits(servers, route, with_password):
    with Store(servers, "someone") as store:
        outcome = store.deliver(route, with_password)
        expect((outcome.returncode, outcome.stderr), (0, ""), "the outcome")
        expect(store.mail, ("delivered", 1, "-"), "the mail")
    sender, recipients, text = servers.recorder.mails[-1]
    expect((sender, recipients), (SENDER, ["someone@example.com"]), "the envelope")
    require('From: "Accounts" <accounts@example.com>\r\n' in text and "To: someone@example.com\r\n" in text, text)
    require(re.search(r"\r\n1-[0-9a-f]{32}\r\n", text), text)


def serves(servers):
    """A server sends mails in the background, several at once."""
    with Store(servers, "first") as store:
        messages = []
        for number in range(6):
            person = {"first_name": "A", "last_name": "B", "email": f"c{number}@example.com"}
            params = {"user": person, "password": "p"}
            messages.append(json.dumps({"jsonrpc": "2.0", "id": number, "method": "operators.register", "params": params}))
        route = ["--mail", submission(servers), "--mail-password-file", str(store.secret)]
        outcome = store.run("serve", *store.flags, *route, given="".join(f"{line}\n" for line in messages))
        expect(outcome.stderr, "", "stderr")
        states = [line.split("\t")[2] for line in store.run("outbox", "list", *store.flags[:2]).stdout.splitlines()]
        expect(states, ["delivered"] * 7, "the states")


def hides_secrets(servers):
    """Neither the command line of curl nor the dialogue has the password, the address or the text."""
    require(servers.recorder.commands, "no command line of curl was seen")
    for line in servers.recorder.commands:
        require("example.com" not in line and "secret" not in line and PASSWORD not in line, line)
    with Store(servers, "someone") as store:
        route = ["--mail", submission(servers), "--mail-password-file", str(store.secret)]
        outcome = store.run("mail", "test", "someone@example.com", "--mail-from", "a@example.com", *route)
    shown = outcome.stdout + outcome.stderr
    expect(outcome.returncode, 0, "the exit code")
    secrets = [PASSWORD, base64.b64encode(PASSWORD.encode()).decode()]
    secrets.append(base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode())
    require(not any(secret in shown for secret in secrets), shown)
    for line in ("> EHLO", "> STARTTLS", "> AUTH PLAIN", "> […]", "< 235 ", "> RCPT TO:<someone@example.com>", "< 250 2.0.0"):
        require(line in shown, f"{line} is not in {shown}")
    require(shown.endswith("\ndelivered to someone@example.com\n"), shown)
    text = servers.recorder.mails[-1][2]
    require("Subject: Test mail\r\n" in text, text)


def refuses(servers, name, route, reason, password=PASSWORD, with_password=True):
    """A failed attempt is recorded with its reason, and its log line names no person."""
    received = len(servers.recorder.mails)
    with Store(servers, name, password) as store:
        outcome = store.deliver(route, with_password)
        expect(outcome.returncode, 1, "the exit code")
        require(password not in outcome.stderr and "@" not in outcome.stderr, outcome.stderr)
        state, attempts, error = store.mail
        expect((state, attempts), ("waiting", 1), "the mail")
        require(re.search(reason, error), f"{error} does not match {reason}")
        require(not re.search(r"1-[0-9a-f]{32}", error), error)
    return servers.recorder.mails[received:]


def sends_nothing_without_tls(servers):
    route = f"smtp://me@localhost:{servers.plain}"
    expect(refuses(servers, "someone", route, "exit code 64: "), [], "the mails received")


def is_greylisted(servers):
    with Store(servers, "grey") as store:
        expect(store.deliver(submission(servers)).returncode, 1, "the exit code")
        state, attempts, error = store.mail
        expect((state, attempts), ("waiting", 1), "the mail")
        require("RCPT failed: 450: 450 4.2.0" in error and "Greylisted" in error, error)
        expect(store.deliver(submission(servers)).returncode, 0, "the exit code before the mail is due")
        expect(store.mail[0], "waiting", "the state before the mail is due")
        store.retry()
        expect(store.deliver(submission(servers)).returncode, 0, "the exit code")
        expect(store.mail[0], "delivered", "the state")


def loses_the_connection_after_data(servers):
    """The server has the mail, and its reply is lost: the mail is sent again, and is recognisable as the same."""
    received = len(servers.recorder.mails)
    with Store(servers, "drop") as store:
        expect(store.deliver(submission(servers)).returncode, 1, "the exit code")
        expect(store.mail[:2], ("waiting", 1), "the mail")
        store.retry()
        expect(store.deliver(submission(servers)).returncode, 0, "the exit code")
        expect(store.mail[0], "delivered", "the state")
    mails = [text for _, _, text in servers.recorder.mails[received:]]
    expect(len(mails), 2, "the mails received")
    expect(mails[0], mails[1], "the second mail")


def gives_up_on_a_silent_server(servers):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        refuses(servers, "someone", f"smtp://127.0.0.1:{silent.getsockname()[1]}", "exit code 28: ", with_password=False)
        seconds = time.monotonic() - start
    require(GREETING_SECONDS - 1 < seconds < GREETING_SECONDS + 10, f"{seconds} s")


def recipe(language):
    """The block of the documentation in a language."""
    return re.search(rf"^```{language}\n(.*?)^```$", RECIPES.read_text(), re.DOTALL | re.MULTILINE)[1]


def replaced(text, **values):
    """A recipe with other values, each of which it must have."""
    for old, new in values.items():
        require(old in text, f"the recipe has no {old}")
        text = text.replace(old, new)
    return text


def submits_by(servers, store, command):
    outcome = store.run("outbox", "deliver", *store.flags, "--mail", f"command:{command}")
    expect((outcome.returncode, outcome.stderr), (0, ""), "the outcome")
    expect(store.mail, ("delivered", 1, "-"), "the mail")
    sender, recipients, text = servers.recorder.mails[-1]
    expect((sender, recipients), (SENDER, ["someone@example.com"]), "the envelope")
    require(re.search(r"\r\n1-[0-9a-f]{32}\r\n", text), text)


def submits_by_msmtp(servers):
    with Store(servers, "someone") as store:
        settings = store.folder / "msmtprc"
        settings.write_text(replaced(recipe("ini"), **{
            "smtp.example.com": "localhost", "port 587": f"port {servers.submission}",
            "/etc/ssl/certs/ca-certificates.crt": servers.authority_file, f"user {SENDER}": f"user {USER}",
            "/etc/postern/mail-password": str(store.secret),
        }))
        submits_by(servers, store, f"msmtp --file={settings} --read-recipients")


def submits_with_a_token(servers):
    with Store(servers, "someone") as store:
        script, program = store.folder / "send-with-token", store.folder / "get-access-token"
        script.write_text(replaced(recipe("sh"), **{"smtp.example.com:587": f"localhost:{servers.tokens}"}))
        program.write_text(f"#!/bin/sh\necho {TOKEN}\n")
        for path in (script, program):
            path.chmod(0o700)
        store.environment["PATH"] = f"{store.folder}:{os.environ['PATH']}"
        submits_by(servers, store, str(script))
        program.write_text("#!/bin/sh\necho another\n")
        outcome = store.run("mail", "test", "someone@example.com", "--mail", f"command:{script}")
        require(outcome.returncode == 1 and "Login denied" in outcome.stdout, outcome.stdout + outcome.stderr)


def delivers_to_postfix(servers, postfix):
    with Store(servers, "someone") as store:
        outcome = store.deliver(f"smtp://localhost:{postfix.port}/mail.example.com", with_password=False)
        expect((outcome.returncode, outcome.stderr), (0, ""), "the outcome")
        expect(store.mail[0], "delivered", "the state")
    mail = postfix.received()
    expect(mail["To"], "someone@example.com", "the recipient")
    require(re.search(r"^1-[0-9a-f]{32}$", mail.get_content(), re.MULTILINE), mail.get_content())
    require("mail.example.com" in mail["Received"], mail["Received"])


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        servers = Servers(folder)
        # It takes as long as all others.
        thread = stack.enter_context(concurrent.futures.ThreadPoolExecutor())
        silence = thread.submit(gives_up_on_a_silent_server, servers)
        checks.run("a mail is submitted with STARTTLS and AUTH", submits, servers, submission(servers), True)
        checks.run("a mail is submitted with TLS", submits, servers, f"smtps://localhost:{servers.smtps}", False)
        route = f"smtps://localhost:{servers.smtps}/[127.0.0.1]"
        checks.run("the name in EHLO can be an address", submits, servers, route, False)
        checks.run("a server sends mails in the background", serves, servers)
        checks.run("a test mail shows the dialogue, and no secret", hides_secrets, servers)
        for what, name, route, reason, password in (
            ("a wrong password", "someone", submission(servers), "exit code 67: Login denied: 535 5.7.8 ", "wrong password"),
            ("an unknown recipient", "unknown", submission(servers), "RCPT failed: 550: 550 5.1.1 User unknown", PASSWORD),
            ("a full mailbox", "full", submission(servers), "552 5.2.2 Mailbox full", PASSWORD),
            ("a refusal that quotes the mail", "quoting", submission(servers), r"554 5\.7\.1 Refused because of \[…\]", PASSWORD),
        ):
            checks.run(f"{what} is a failed attempt", refuses, servers, name, route, reason, password)
        for what, port in (("of an unknown authority", servers.stranger), ("for another host", servers.misnamed)):
            route = f"smtp://localhost:{port}"
            checks.run(
                f"a certificate {what} is refused", lambda route=route: expect(
                    refuses(servers, "someone", route, "exit code 60: SSL", with_password=False), [], "the mails received"
                )
            )
        checks.run("a server without TLS gets nothing", sends_nothing_without_tls, servers)
        route = f"smtp://localhost:{free_port()}"
        checks.run(
            "a port without a server is a failed attempt", refuses, servers, "someone", route, "exit code 7: ", PASSWORD, False
        )
        checks.run("a greylisted mail is delivered later", is_greylisted, servers)
        checks.run("a lost connection is a failed attempt", loses_the_connection_after_data, servers)
        checks.run("the recipe for msmtp works", submits_by_msmtp, servers)
        checks.run("the recipe for tokens works", submits_with_a_token, servers)
        if os.geteuid() == 0:
            postfix = stack.enter_context(Postfix(folder / "postfix", servers.authority, free_port()))
            checks.run("Postfix delivers a mail", delivers_to_postfix, servers, postfix)
            checks.run(
                "Postfix refuses an unknown user", refuses, servers, "unknown",
                f"smtp://localhost:{postfix.port}/mail.example.com", "550 5.1.1 .*User unknown", PASSWORD, False,
            )
        checks.run("a silent server is given up", silence.result)
    checks.end()


main()
