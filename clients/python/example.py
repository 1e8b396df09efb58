"""A first session: an operator registers, signs in, adds a client and lists what has changed.

The argument is the directory for the accounts; by default it is `accounts` in a temporary directory.
"""

import os
import sys
import tempfile

from postern_accounts import Postern, errors


def session(accounts: str) -> None:
    """Runs the session on a directory."""
    with Postern(accounts, arguments=["--no-email-confirmation"]) as postern:
        operators = postern.operators
        luke = operators.register(
            user={"first_name": "Luke", "last_name": "Sorenson", "email": "lasoren@bu.edu"},
            password="a long password",
        )
        print(f"registered {luke.user.first_name} {luke.user.last_name}")

        try:
            operators.signin(email="lasoren@bu.edu", password="a wrong password")
        except errors.operators.WrongPassword as error:
            print(f"{error.slug}: {error.message}")
        operator = operators.signin(email="lasoren@bu.edu", password="a long password")
        print(f"signed in as operator {operator.id}")

        client = operators.client.create(
            user_id=operator.id,
            session_id=operator.session_id,
            client={
                "user": {"first_name": "Mary", "last_name": "Major", "email": "mary@example.com"},
                "address": "12 Grimmauld Place, London",
            },
        )
        print(f"created {client.user.first_name} {client.user.last_name}")

        changed = operators.clients.get(user_id=operator.id, session_id=operator.session_id, provision=0)
        count = "1 client" if len(changed.clients) == 1 else f"{len(changed.clients)} clients"
        print(f"{count}, next provision {changed.provision}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        session(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as folder:
            session(os.path.join(folder, "accounts"))
