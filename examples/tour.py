"""Writes tour.jsonl, the requests of a transcript of all three APIs, and tour.replies.jsonl, their replies.

In deterministic mode ids, times and tokens repeat, so later requests contain the tokens of earlier replies literally.

Usage: tour.py BINARY
"""

import json
import pathlib
import re
import subprocess
import sys

FLAGS = (pathlib.Path(__file__).resolve().parents[1] / "schema/cases/flags.txt").read_text().split()


class Story:
    def __init__(self, binary):
        self.process = subprocess.Popen(
            [binary, *FLAGS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.requests = []
        self.replies = []

    def call(self, method, **params):
        number = len(self.requests) + 1
        line = json.dumps(
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}, ensure_ascii=False, separators=(",", ":")
        )
        self.process.stdin.write(line + "\n")
        self.requests.append(line)
        self.replies.append(self.process.stdout.readline())
        return json.loads(self.replies[-1]).get("result")

    def mailed(self, pattern):
        """The code in the latest mail."""
        return re.search(pattern, self.call("system.outbox")["messages"][-1]["text"]).group(1)


def tell(story):
    # A field operator registers, confirms the email, and keeps a client list that devices follow.
    person = {"first_name": "Luke", "last_name": "Sorenson", "email": "lasoren@bu.edu"}
    story.call("operators.register", user=person, password="password")
    story.call("operators.signin", email="lasoren@bu.edu", password="password")
    story.call("operators.confirm_email", code=story.mailed(r"code=(\S+)"))
    signed_in = story.call("operators.signin", email="LaSoren@BU.edu", password="password")
    session = {"user_id": signed_in["id"], "session_id": signed_in["session_id"]}
    story.call("system.advance_clock", seconds=73)
    michael = {"first_name": "Michael", "last_name": "Sorenson", "email": "msoren@bu.edu"}
    story.call("operators.client.create", **session, client={"user": michael, "address": "14 Barnesdale Rd. Natick, MA 01760"})
    story.call("operators.clients.get", **session, provision=0)
    story.call("operators.client.update", **session, client_id=1, client={"address": "1 Silber Way, Boston, MA 02215"})
    story.call("operators.clients.get", **session, provision=2)

    # A clinician sees the patient that a user shares, and no other.
    story.call("care.user.register", email="foo@bar.com", password="foobar", first_name="Foo", last_name="Bar", role="user")
    story.call("care.user.register", email="doc@bar.com", password="foobar", role="clinician")
    user = story.call("care.auth.token", email="foo@bar.com", password="foobar")["access_token"]
    doctor = story.call("care.auth.token", email="doc@bar.com", password="foobar")["access_token"]
    story.call("care.user.confirm_email", access_token=doctor, code=story.mailed(r"code=([0-9a-f-]+)"))
    story.call("care.user.change", access_token=doctor, npi="1245319599")
    story.call("care.patients.view", access_token=doctor, patient_id=1)
    story.call("care.patients.share", access_token=user, patient_id=1, email="doc@bar.com", access="read", group="anyone")
    story.call("care.patients.view", access_token=doctor, patient_id=1)
    story.call("care.patients.update", access_token=doctor, patient_id=1, phone="6177140000")

    # An internal user invites a customer, who verifies the email.
    code = story.call("system.invite", role="admin")["referral_code"]
    name = {"first": "Foo", "last": "Bar"}
    internal = story.call("sales.user.create_internal", email="it@bar.com", password="someSecret", referral_code=code, name=name)
    own = story.call("sales.user.me", api_key=internal["api_key"])["referral_code"]
    story.call("sales.user.create_customer", email="foo@bar.com", password="someSecret", referral_code=own, source="IT", name=name)
    story.call("sales.user.authenticate", email="foo@bar.com", password="someSecret")
    story.call("sales.user.verify", token=story.mailed(r"token=(\S+)"))
    story.call("sales.user.authenticate", email="foo@bar.com", password="someSecret")


story = Story(sys.argv[1])
tell(story)
folder = pathlib.Path(__file__).parent
(folder / "tour.jsonl").write_text("".join(line + "\n" for line in story.requests))
(folder / "tour.replies.jsonl").write_text("".join(story.replies))
