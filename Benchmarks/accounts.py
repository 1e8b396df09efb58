"""Writes an export of so many operators, each with an open session, for `postern import`.

Usage: accounts.py NUMBER > accounts.jsonl. It needs Python's standard library alone.
"""

import hashlib
import sys

# Of the password "password".
PASSWORD_HASH = "$argon2id$v=19$m=19456,t=2,p=1$rfXwGTg6uD1LH+BOJr+X2A$S98uyks84HrxAmr27cNC5Lx2AvfVQsCsCas6DQhlHo8"
CREATED = "2026-01-01T00:00:00.000000Z"
EXPIRES = "2099-01-01T00:00:00.000000Z"


def token(number):
    """The session token of an operator: 64 bytes, in hexadecimal."""
    return hashlib.sha512(str(number).encode()).hexdigest()


def email(number):
    return f"operator{number}@example.com"


def lines(count):
    yield '{"export":1}'
    for counter in ("operators", "operators.persons", "sessions"):
        yield f'{{"counter":"{counter}","value":{count}}}'
    for number in range(1, count + 1):
        person = f'{{"id":{number},"created":"{CREATED}","first_name":"Ada","last_name":"Byron","email":"{email(number)}"}}'
        yield (
            f'{{"collection":"operators","record":{{"id":{number},"created":"{CREATED}","person":{person},'
            f'"password_hash":"{PASSWORD_HASH}","is_confirmed":true,"last_change":0}}}}'
        )
        hashed = hashlib.blake2b(token(number).encode(), digest_size=32).hexdigest()
        yield (
            f'{{"collection":"sessions","record":{{"realm":"operators","hash":"{hashed}","account":{number},'
            f'"number":{number},"created":"{CREATED}","expires":"{EXPIRES}"}}}}'
        )
    yield '{"end":true}'


if __name__ == "__main__":
    for line in lines(int(sys.argv[1])):
        print(line)
