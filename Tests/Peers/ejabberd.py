"""ejabberd with external authentication, and slixmpp as the XMPP client of a person."""

import asyncio
import os
import subprocess

import slixmpp

from checks import Checks, Unexpected, expect
from sign_ins import PASSWORD, Store, free_port, listens, play, service, write

SIGN_IN_SECONDS_MAX = 20

CONFIGURATION = """
hosts: [b.co, xmpp.example]
loglevel: info
extauth_pool_size: 2
{documented}
listen:
  - {{port: {port}, ip: "127.0.0.1", module: ejabberd_c2s}}
acl: {{local: {{user_regexp: ""}}}}
access_rules: {{c2s: {{allow: all}}, register: {{allow: all}}}}
modules:
  mod_register: {{access: register}}
"""


class Client(slixmpp.ClientXMPP):
    """Signs in once, and keeps what the server answers."""

    def __init__(self, address, password):
        super().__init__(address, password, plugin_config={"feature_mechanisms": {"unencrypted_plain": True}})
        self.enable_direct_tls = self.enable_starttls = False
        self.enable_plaintext = True
        self.answer = asyncio.get_running_loop().create_future()
        self.add_event_handler("session_start", lambda _: self.decide(True))
        self.add_event_handler("failed_all_auth", lambda _: self.decide(False))
        self.add_event_handler("connection_failed", lambda reason: self.decide(Unexpected(f"connection: {reason}")))

    def decide(self, answer):
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


async def connect(port, address, password, work=None):
    client = Client(address, password)
    client.connect(host="127.0.0.1", port=port)
    try:
        is_accepted = await asyncio.wait_for(client.answer, SIGN_IN_SECONDS_MAX)
        return await work(client) if work else is_accepted
    finally:
        client.abort()


def main():
    checks, store, port = Checks(), Store(owner="ejabberd:ejabberd"), free_port()
    for name in ("spool", "logs"):
        os.mkdir(os.path.join(store.folder, name))
    text = CONFIGURATION.format(documented=store.documented("ejabberd"), port=port)
    path = write(os.path.join(store.folder, "ejabberd.yml"), text)
    write(os.path.join(store.folder, "inetrc"), '{lookup,["file","native"]}.\n')
    subprocess.run(["chown", "-R", "ejabberd:ejabberd", store.folder], check=True)
    folders = ["--spool", os.path.join(store.folder, "spool"), "--logs", os.path.join(store.folder, "logs")]
    command = ["/usr/sbin/ejabberdctl", *folders, "--config", path, "--config-dir", store.folder, "foreground"]
    # Without the port mapper of Erlang, which would stay after the node. HOME gets the node's cookie.
    environment = os.environ | {"ERL_DIST_PORT": str(free_port()), "HOME": store.folder}

    def signs_in(email, password):
        return asyncio.run(connect(port, email, password))

    async def change_password(client):
        query = client.make_iq_set(ito="b.co")
        query.append(slixmpp.xmlstream.ET.fromstring(
            "<query xmlns='jabber:iq:register'><username>ann</username><password>new</password></query>"
        ))
        # ejabberd reports success for every answer of the helper.
        await query.send()

    def keeps_the_password():
        asyncio.run(connect(port, "ann@b.co", PASSWORD, change_password))
        expect(signs_in("ann@b.co", "new"), False, "the answer for the new password")
        expect(signs_in("ann@b.co", PASSWORD), True, "the answer for the old password")

    log = os.path.join(store.folder, "logs", "ejabberd.log")
    with service(command, lambda: listens(port), log, env=environment, user="ejabberd", group="ejabberd"):
        # ejabberd states no address.
        play(checks, store, signs_in, "ejabberd", None)
        checks.run(
            "an escaped address is the email on any server",
            lambda: expect(signs_in("ann\\40b.co@xmpp.example", PASSWORD), True, "the answer"),
        )
        checks.run(
            "another server is another email",
            lambda: expect(signs_in("ann@xmpp.example", PASSWORD), False, "the answer"),
        )
        checks.run("a client cannot change the password", keeps_the_password)
    store.close()
    checks.end()


main()
