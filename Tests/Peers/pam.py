"""PAM with pam_exec, and pamtester as the program that signs people in."""

import os
import subprocess

from checks import Checks, expect
from sign_ins import PASSWORD, Store, play, write

CLIENT = "192.0.2.7"
SERVICE = f"postern-peer-{os.getpid()}"

# Without a delay of two seconds after each failure.
CONFIGURATION = """
auth optional pam_faildelay.so delay=1
{documented}
# The same in another phase.
{account}
"""


def main():
    checks, store = Checks(), Store()
    documented = store.documented("pam")
    account = documented.replace("auth required", "account required")
    path = write(f"/etc/pam.d/{SERVICE}", CONFIGURATION.format(documented=documented, account=account))

    def authenticate(email, password, operation="authenticate", host=CLIENT):
        outcome = subprocess.run(
            ["pamtester", "-I", f"rhost={host}", SERVICE, email, operation], input=password + "\n",
            capture_output=True, text=True,
        )
        if outcome.returncode == 0:
            return True
        expect(outcome.returncode, 1, "the exit code of pamtester")
        return False

    def drops_the_name_of_a_host():
        before = store.events()[-1]["seq"]
        expect(authenticate("ann@b.co", PASSWORD, host="client.example"), True, "the answer")
        (event,) = store.events(before)
        expect((event["kind"], event.get("ip")), ("signed_in", None), "kind and address of the event")

    try:
        play(checks, store, authenticate, f"pam_exec {SERVICE}", CLIENT)
        checks.run("the name of a host is no address", drops_the_name_of_a_host)
        checks.run(
            "the phase account is refused",
            lambda: expect(authenticate("ann@b.co", PASSWORD, "acct_mgmt"), False, "the answer"),
        )
        checks.run(
            "an empty password is refused", lambda: expect(authenticate("ann@b.co", ""), False, "the answer")
        )
        os.rename(store.data, store.data + ".away")
        checks.run(
            "a store that is missing refuses", lambda: expect(authenticate("ann@b.co", PASSWORD), False, "the answer")
        )
    finally:
        os.remove(path)
    store.close()
    checks.end()


main()
