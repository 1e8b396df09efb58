"""OpenVPN with auth-user-pass-verify: a server and clients on the loopback interface."""

import os
import re
import subprocess

from checks import Checks, Unexpected, expect
from sign_ins import PASSWORD, Store, free_port, play, service, write

CLIENT = "127.0.0.1"
CONNECT_SECONDS_MAX = 20

SERVER = """
local 127.0.0.1
port {port}
proto udp
dev postern-peer
dev-type tun
server 10.250.250.0 255.255.255.0
ifconfig-noexec
route-noexec
dh none
ca {folder}/certificate
cert {folder}/certificate
key {folder}/key
verify-client-cert none
username-as-common-name
verb 3
"""


def main():
    checks = Checks()
    for language in ("openvpn", "openvpn-env"):
        store, port = Store(), free_port()
        make_certificate(store.folder)
        text = SERVER.format(port=port, folder=store.folder) + store.documented(language)
        path = write(os.path.join(store.folder, "server.conf"), text)
        log = os.path.join(store.folder, "log")

        def is_ready(log=log):
            return os.path.exists(log) and "Initialization Sequence Completed" in open(log, errors="replace").read()

        def signs_in(email, password, store=store, port=port):
            return connects(store.folder, port, email, password)

        with service(["/usr/sbin/openvpn", "--config", path, "--log", log], is_ready, log):
            play(checks, store, signs_in, "OpenVPN", CLIENT)
            if language == "openvpn":
                os.rename(store.data, store.data + ".away")
                checks.run(
                    "a store that is missing refuses",
                    lambda signs_in=signs_in: expect(signs_in("ann@b.co", PASSWORD), False, "the answer"),
                )
        store.close()
    checks.end()


def make_certificate(folder):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", os.path.join(folder, "key"), "-out", os.path.join(folder, "certificate")]
    subprocess.run([*command, *files, "-days", "2", "-subj", "/CN=server"], check=True, capture_output=True)


def connects(folder, port, email, password):
    """Connects a client, and tells whether the server accepted it."""
    credentials = write(os.path.join(folder, "credentials"), f"{email}\n{password}\n")
    os.chmod(credentials, 0o600)
    client = subprocess.Popen(
        [
            "/usr/sbin/openvpn", "--client", "--dev", "null", "--proto", "udp", "--remote", "127.0.0.1", str(port),
            "--ca", os.path.join(folder, "certificate"), "--auth-user-pass", credentials, "--auth-nocache", "--nobind",
            "--auth-retry", "none", "--verb", "3", "--connect-timeout", str(CONNECT_SECONDS_MAX),
            "--connect-retry-max", "1", "--pull-filter", "ignore", "route", "--pull-filter", "ignore", "ifconfig",
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    )
    lines = []
    try:
        for line in client.stdout:
            lines.append(line)
            if "Initialization Sequence Completed" in line:
                return True
            if re.search(r"AUTH: Received control message: AUTH_FAILED", line):
                return False
    finally:
        client.terminate()
        client.wait()
        client.stdout.close()
    raise Unexpected("the client ended: " + " ".join("".join(lines).split())[-600:])


main()
