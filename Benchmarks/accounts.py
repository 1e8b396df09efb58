"""Writes an export of operators, each with an open session, for `postern import`.

Usage: accounts.py OPERATORS [CLIENTS] > accounts.jsonl. The first operator gets the clients. The script needs only Python's
standard library.
"""

import datetime
import hashlib
import itertools
import sys

# The hash of the password "password".
PASSWORD_HASH = "$argon2id$v=19$m=19456,t=2,p=1$rfXwGTg6uD1LH+BOJr+X2A$S98uyks84HrxAmr27cNC5Lx2AvfVQsCsCas6DQhlHo8"
# The maximum lifetime of a session is 90 days.
CREATED = f"{datetime.datetime.now(datetime.timezone.utc).date()}T00:00:00.000000Z"
EXPIRES = f"{datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=90)}T00:00:00.000000Z"


def token(number):
    """The bearer token of an operator's session: 64 bytes, in hexadecimal."""
    return hashlib.sha512(str(number).encode()).hexdigest()


def email(number):
    return f"operator{number}@example.com"


def person(number, first, last, email):
    return f'{{"id":{number},"created":"{CREATED}","first_name":"{first}","last_name":"{last}","email":"{email}"}}'


def lines(count, clients=0, each=0):
    """The lines of an export. The first operator has `clients` clients, and then each operator `each` more."""
    total = clients + count * each
    yield '{"export":1}'
    numbered = {"operators": count, "operators.clients": total, "operators.persons": count + total, "sessions": count}
    for counter, value in numbered.items():
        if value:
            yield f'{{"counter":"{counter}","value":{value}}}'
    for number in range(1, count + 1):
        yield (
            f'{{"collection":"operators","record":{{"id":{number},"created":"{CREATED}",'
            f'"person":{person(number, "Ada", "Byron", email(number))},"password_hash":"{PASSWORD_HASH}",'
            f'"is_confirmed":true,"last_change":{(clients if number == 1 else 0) + each}}}}}'
        )
        hashed = hashlib.blake2b(token(number).encode(), digest_size=32).hexdigest()
        yield (
            f'{{"collection":"sessions","record":{{"realm":"operators","hash":"{hashed}","account":{number},'
            f'"number":{number},"created":"{CREATED}","expires":"{EXPIRES}"}}}}'
        )
    owned = ((1, change) for change in range(1, clients + 1))
    later = ((number, change) for number in range(1, count + 1) for change in range(1, each + 1))
    owned = itertools.chain(owned, ((number, change + (clients if number == 1 else 0)) for number, change in later))
    for number, (operator, change) in enumerate(owned, 1):
        of = person(count + number, "Michael", "Sorenson", f"client{number}@example.com")
        yield (
            f'{{"collection":"operators.clients","record":{{"id":{number},"operator_id":{operator},"created":"{CREATED}",'
            f'"person":{of},"address":"14 Barnesdale Rd. Natick, MA 01760","change":{change},"deleted":null}}}}'
        )
    yield '{"end":true}'


if __name__ == "__main__":
    for line in lines(*map(int, sys.argv[1:])):
        print(line)
