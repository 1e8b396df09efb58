#!/usr/bin/env python3
"""Imports the users of a Django project, and signs each of them in: django_users.py BINARY [COUNT]

Django creates COUNT (1,000) users in a database of SQLite with its default hasher. Their records are imported. Each user
signs in twice: the first sign-in replaces the hash of Django. Every tenth user tries a wrong password before.
"""

import json
import os
import subprocess
import sys
import tempfile

import django
from django.conf import settings


def create(count, folder):
    """Creates the users, and returns their emails and hashes."""
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(folder, "db.sqlite3")}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    )
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for number in range(1, count + 1):
        User.objects.create_user(f"user{number}", f"user{number}@example.org", password(number), first_name="A", last_name="B")
    return list(User.objects.order_by("pk").values_list("email", "password"))


def password(number):
    return f"pässword {number}"


def lines(users):
    """The users as the lines of an export."""
    created = "2026-01-01T00:00:00.000000Z"
    yield {"export": 1}
    for counter in ("operators", "operators.persons"):
        yield {"counter": counter, "value": len(users)}
    for number, (email, hash) in enumerate(users, 1):
        person = {"id": number, "created": created, "first_name": "A", "last_name": "B", "email": email}
        yield {
            "collection": "operators",
            "record": {
                "id": number, "created": created, "person": person, "password_hash": hash, "is_confirmed": True,
                "last_change": 0,
            },
        }
    yield {"end": True}


def sign_in(binary, store, users):
    """Signs each user in with a wrong and with the right password. Returns the number of wrong answers."""
    program = subprocess.Popen(
        [binary, "--data", store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    mistakes = 0
    for number, (email, _) in enumerate(users, 1):
        tries = [(password(number), True), (password(number), True)]
        if number % 10 == 0:
            tries.insert(0, (password(number) + "!", False))
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


def main():
    binary, count = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    with tempfile.TemporaryDirectory() as folder:
        users, store = create(count, folder), os.path.join(folder, "store")
        text = "".join(json.dumps(line) + "\n" for line in lines(users))
        subprocess.run([binary, "import", "--data", store], input=text, text=True, check=True)
        mistakes = sign_in(binary, store, users)
        export = subprocess.run([binary, "export", "--data", store], stdout=subprocess.PIPE, text=True, check=True).stdout
        hashes = [json.loads(line).get("record", {}).get("password_hash", "") for line in export.splitlines()]
        rehashed = sum(hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for hash in hashes)
    print(f"{count} users of Django {django.get_version()}, the first with {users[0][1].split('$')[0]}: "
          f"{mistakes} wrong answers, {rehashed} rehashed")
    sys.exit(mistakes != 0 or rehashed != count)


main()
