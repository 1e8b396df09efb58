"""A session: random requests to one process, and the checks of each reply."""

import collections
import copy
import json
import os
import random
import re
import shutil
import subprocess
import tempfile

from process import Broken, Process

FRAMINGS = ["line", "header", "tools"]
OUR_ERRORS = {-32700, -32600, -32601, -32602, -32000, -32001, -32022}
SECRETS = {"password", "current_password", "session_id", "access_token", "api_key"}
STRANGE = [
    None, True, False, 0, -1, 1.5, 2**53 + 1, -(2**70), "", " ", "\0", "x\r\ny", "\u2028", "é" * 201, "x" * 5000, "a@b.co",
    [], {}, [None], {"a": {"b": []}}, "1", "\U0001F600", "0" * 64, "1-" + "0" * 32,
]


class Session:
    """One process, the requests that it was sent, and the credentials and codes that it returned."""

    def __init__(self, contract, binary, seed, number, is_shown):
        self.contract, self.binary = contract, binary
        self.random = random.Random(f"{seed}/{number}")
        self.framing = self.random.choice(FRAMINGS)
        self.is_shown = is_shown
        self.folder = tempfile.mkdtemp(prefix="postern-sessions-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.data = os.path.join(self.folder, "data")
        self.mails = os.path.join(self.folder, "mails")
        self.known = collections.defaultdict(list)
        self.secrets = set()
        self.last_id = 0
        self.counts = collections.Counter()

    def play(self, requests):
        self.known["referral_code"].append(self.invite())
        flags = ["--admin", "--mail", f"directory:{self.mails}", "--log-level", "info"]
        flags += self.random.choice([[], ["--no-email-confirmation"]]) + self.random.choice([[], ["--replies", "in-order"]])
        process = Process(self.binary, self.data, self.framing, flags)
        try:
            if self.framing == "tools":
                self.ask(process, [self.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}})])
            while self.last_id < requests:
                self.burst(process)
                self.read_mails()
            code, rest = process.end()
            if code != 0 or rest:
                raise Broken(f"the process ended with {code}, after {rest[:300]}: {process.complaint()[-500:]}")
            self.hold_quiet(process.complaint())
        finally:
            process.kill()
        self.check()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments):
        outcome = subprocess.run([self.binary, *arguments, "--data", self.data], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        if outcome.returncode != 0:
            raise Broken(f"postern {arguments[0]} ended with {outcome.returncode}: {outcome.stdout} {outcome.stderr}")
        return outcome.stdout

    def invite(self):
        # Only a server creates a store.
        self.run("serve")
        return re.findall(r"[0-9a-f]{32}", self.run("invite", "--role", "admin", "--uses", "1000000"))[-1]

    def check(self):
        if not self.run("check").startswith("sound"):
            raise Broken("postern check finds a fault in the store")

    # Requests

    def burst(self, process):
        """Sends a few requests at the same time, or a malformed message, and reads the replies."""
        kind = self.random.random()
        if kind < 0.06:
            self.malformed(process)
        elif kind < 0.12 and self.framing != "tools":
            self.batch(process)
        else:
            self.ask(process, [self.planned() for _ in range(self.random.choice([1, 1, 1, 2, 5]))])

    def planned(self):
        """A message of a session: a request, or sometimes a notification."""
        name = self.random.choice(self.contract.names)
        params = self.params(name)
        if self.framing == "tools":
            return self.request("tools/call", {"name": name.replace(".", "_"), "arguments": params}, of=name)
        message = self.request(name, params, of=name)
        if self.random.random() < 0.04:
            del message[0]["id"]
        return message

    def request(self, method, params, of=None):
        self.last_id += 1
        number = self.random.choice([self.last_id, self.last_id, str(self.last_id), f"é{self.last_id}"])
        return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}, of

    def params(self, name):
        params = self.contract.example(name)
        self.fill(params)
        if self.random.random() < 0.4:
            for _ in range(self.random.choice([1, 1, 2])):
                self.mutate(params)
        for key in SECRETS:
            self.record_secret(params.get(key))
        return params

    def fill(self, params):
        """Replaces an example's credentials, codes, numbers and addresses with known ones."""
        for key, value in params.items():
            if isinstance(value, dict):
                self.fill(value)
            elif key == "account":
                name = self.random.choice([f"{self.random.choice('abcdef')}@b.co", str(self.random.randint(1, 4))])
                params[key] = f"{self.random.choice(['operators', 'care', 'sales'])}:{name}"
            elif key == "email":
                params[key] = f"{self.random.choice('abcdef')}@b.co"
            elif key == "password":
                params[key] = self.random.choice(["a password of this session", "another password of it"])
            elif key in ("code", "token") and self.known["code"]:
                params[key] = self.random.choice(self.known["code"][-6:])
            elif self.known[key] and self.random.random() < 0.95:
                params[key] = self.random.choice(self.known[key][-4:])

    def mutate(self, params):
        """Changes one property somewhere in an object."""
        place = params
        while inner := [value for value in place.values() if isinstance(value, dict)]:
            if self.random.random() < 0.5:
                break
            place = self.random.choice(inner)
        kind = self.random.choice(["value", "value", "value", "drop", "add", "rename"])
        key = self.random.choice(sorted(place)) if place else None
        if kind == "add" or key is None:
            place[self.random.choice(["extra", "Email", "limit", "offset", "id", "role"])] = copy.deepcopy(self.random.choice(STRANGE))
        elif kind == "drop":
            del place[key]
        elif kind == "rename":
            place[key.upper()] = place.pop(key)
        else:
            place[key] = copy.deepcopy(self.random.choice(STRANGE))

    def malformed(self, process):
        """Sends a malformed message, which gets one error without an id."""
        message, _ = self.planned()
        text = json.dumps(message)
        choice = self.random.randrange(5)
        if choice == 0:
            text = text[: self.random.randrange(1, len(text))]
        elif choice == 1:
            text += " x"
        elif choice == 2:
            text = "[]"
        elif choice == 3:
            text = json.dumps({**message, "jsonrpc": "1.0", "id": [1]})
        else:
            text = b'{"jsonrpc":"2.0","id":"\xff","method":"x"}'
        self.show(">", text)
        process.send(text)
        reply = process.receive()
        self.show("<", reply)
        if reply.get("id", 0) is not None or reply.get("error", {}).get("code") not in (-32700, -32600):
            raise Broken(f"{text!r} is answered with {reply}")
        self.counts["malformed"] += 1

    def batch(self, process):
        messages = [self.planned() for _ in range(self.random.randint(1, 6))]
        text = json.dumps([message for message, _ in messages])
        self.show(">", text)
        process.send(text)
        due = [(message, of) for message, of in messages if "id" in message]
        if not due:
            return
        replies = process.receive()
        self.show("<", replies)
        if not isinstance(replies, list) or [reply.get("id") for reply in replies] != [message["id"] for message, _ in due]:
            raise Broken(f"{text} is answered with {replies}")
        for reply, (message, of) in zip(replies, due):
            self.hold(message, of, reply)

    def ask(self, process, messages):
        due = {}
        for message, of in messages:
            text = json.dumps(message, ensure_ascii=self.random.random() < 0.5)
            self.show(">", text)
            process.send(text)
            if "id" in message:
                due[message["id"]] = (message, of)
        while due:
            reply = process.receive()
            self.show("<", reply)
            number = reply.get("id") if isinstance(reply, dict) else None
            if number not in due:
                raise Broken(f"an unexpected reply: {json.dumps(reply)[:500]}, where {list(due)} are due")
            self.hold(*due.pop(number), reply)

    # Replies

    def hold(self, message, of, reply):
        """Checks a reply, and keeps the credentials and numbers that it returns."""
        if reply.get("jsonrpc") != "2.0" or ("result" in reply) == ("error" in reply) or len(reply) != 3:
            raise Broken(f"not a valid response: {json.dumps(reply)[:500]}")
        if of is None:
            return
        if self.framing == "tools":
            return self.hold_tool(message, of, reply)
        if "error" in reply:
            return self.hold_error(message, of, reply["error"])
        self.counts["results"] += 1
        self.hold_result(message, of, reply["result"])

    def hold_tool(self, message, of, reply):
        if "error" in reply:
            # The tool may be unknown, as those of deterministic mode and of administration are.
            if reply["error"]["code"] != -32602 or self.contract.methods[of]["tags"][0]["name"] not in ("service", "admin"):
                raise Broken(f"{json.dumps(message)} is answered with {reply}")
            return
        result = reply["result"]
        text = result["content"][0]["text"]
        if result.get("isError"):
            self.counts["errors"] += 1
            if "-32603" in text:
                raise Broken(f"{json.dumps(message)} is answered with {text}")
            try:
                error = json.loads(text)
            except ValueError:
                return
            if isinstance(error, dict) and "code" in error:
                self.hold_error(message, of, error, counts=False)
            return
        self.counts["results"] += 1
        if "structuredContent" in result:
            if json.loads(text) != result["structuredContent"]:
                raise Broken(f"the text of a result differs from its content: {text}")
            self.hold_result(message, of, result["structuredContent"])

    def hold_error(self, message, of, error, counts=True):
        self.counts["errors"] += counts
        code, slugs = error["code"], (error.get("data") or {}).get("errors", [])
        if not error.get("message"):
            raise Broken(f"an error without a message: {error}")
        if not slugs and code in OUR_ERRORS:
            return
        unknown = [slug for slug in slugs if (code, slug) not in self.contract.slugs[of]]
        if unknown or not slugs:
            raise Broken(f"{json.dumps(message)} is answered with {error}, which {of} does not declare")

    def hold_result(self, message, of, result):
        for fault in self.contract.results[of].iter_errors(result):
            raise Broken(f"{json.dumps(message)} is answered with {result}: {fault.message}")
        self.keep(of, result)

    def keep(self, of, result):
        """Keeps the credentials and numbers of a result for later requests."""
        if not isinstance(result, dict):
            return
        for key in ("session_id", "access_token", "api_key", "referral_code"):
            if isinstance(result.get(key), str):
                self.known[key].append(result[key])
                self.record_secret(result[key])
        if "id" in result and not of.startswith("admin."):
            kinds = {"operators.client": "client_id", "care.patients.share": "share_id", "care.patients": "patient_id"}
            key = next((key for prefix, key in kinds.items() if of.startswith(prefix)), "user_id")
            self.known[key].append(result["id"])

    def read_mails(self):
        """Keeps the codes of delivered mails."""
        for name in sorted(os.listdir(self.mails)) if os.path.isdir(self.mails) else []:
            path = os.path.join(self.mails, name)
            try:
                with open(path, encoding="utf-8", errors="replace") as file:
                    text = file.read()
                os.unlink(path)
            except FileNotFoundError:
                continue
            for code in re.findall(r"^((?:\d+-)?[0-9a-f]{32})\r?$", text, re.MULTILINE):
                self.known["code"].append(code)
                self.record_secret(code)

    # Secrets

    def record_secret(self, secret):
        if isinstance(secret, str) and len(secret) > 15:
            self.secrets.add(secret)

    def hold_quiet(self, complaint):
        leaked = [secret for secret in self.secrets if secret in complaint]
        if leaked:
            raise Broken(f"stderr contains {leaked[0]!r}")
        if "unexpected" in complaint or "-32603" in complaint:
            raise Broken(f"stderr reports an internal error: {complaint[-500:]}")

    def show(self, direction, text):
        if self.is_shown:
            print(direction, text if isinstance(text, (str, bytes)) else json.dumps(text), flush=True)
