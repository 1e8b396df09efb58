"""Users of other programs: imports them, signs them in, and counts the replaced hashes."""

import json
import subprocess


class Store:
    """A store in a directory, used through the binary."""

    def __init__(self, binary, path):
        self.binary, self.path = binary, path
        subprocess.run([binary, "--data", path], stdin=subprocess.DEVNULL, check=True)

    def import_users(self, form, file, *flags):
        """Imports an export into the operators API. Returns stdout and stderr."""
        command = [self.binary, "import", "--data", self.path, "--from", form, file, "--api", "operators"]
        done = subprocess.run([*command, "--confirmed", "yes", *flags], capture_output=True, text=True, check=True)
        return done.stdout, done.stderr

    def sign_in(self, users):
        """Signs each user, an email and a password, in twice: the first sign-in replaces the hash. Every tenth user tries
        a wrong password before. A user whose password is None must not be able to sign in. Returns the number of wrong
        answers."""
        program = subprocess.Popen(
            [self.binary, "--data", self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        mistakes = 0
        for number, (email, password) in enumerate(users, 1):
            tries = [(password, True), (password, True)] if password else [("", False), ("!", False)]
            if password and number % 10 == 0:
                tries.insert(0, (password + "!", False))
            for word, is_right in tries:
                request = {
                    "jsonrpc": "2.0", "id": number, "method": "operators.signin",
                    "params": {"email": email, "password": word},
                }
                program.stdin.write(json.dumps(request) + "\n")
                program.stdin.flush()
                mistakes += ("result" in json.loads(program.stdout.readline())) != is_right
        program.stdin.close()
        return mistakes + (program.wait() != 0)

    def rehashed(self):
        """The number of accounts whose hash has the service's own parameters, after a check of the store."""
        subprocess.run([self.binary, "check", "--data", self.path], stdout=subprocess.DEVNULL, check=True)
        export = subprocess.run([self.binary, "export", "--data", self.path], stdout=subprocess.PIPE, text=True, check=True)
        records = [json.loads(line).get("record", {}) for line in export.stdout.splitlines()]
        return sum(record.get("password_hash", "").startswith("$argon2id$v=19$m=19456,t=2,p=1$") for record in records)
