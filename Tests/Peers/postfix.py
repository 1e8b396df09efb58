"""A private Postfix: it takes mails to someone@example.com, and refuses all others. It needs root."""

import contextlib
import email
import email.policy
import os
import pathlib
import shutil
import subprocess
import time

START_SECONDS_MAX = 20
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
maillog_file = /dev/stdout
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = localhost
mydestination =
smtpd_tls_security_level = may
smtpd_tls_chain_files = {folder}/chain.pem
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_non_fqdn_helo_hostname
virtual_mailbox_domains = example.com
virtual_mailbox_base = {folder}/mails
virtual_mailbox_maps = inline:{{ someone@example.com=someone/ }}
virtual_uid_maps = static:{user}
virtual_gid_maps = static:{user}
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""
NOBODY = 65534


class Postfix:
    def __init__(self, folder, authority, port):
        self.folder, self.port = folder, port
        for name in ("configuration", "queue", "data", "mails"):
            (folder / name).mkdir(parents=True)
        # The daemons, which are other users, must reach their folders.
        for parent in (folder, folder.parent):
            parent.chmod(0o755)
        shutil.chown(folder / "data", "postfix")
        os.chown(folder / "mails", NOBODY, NOBODY)
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(folder / "chain.pem")
        (folder / "configuration/main.cf").write_text(MAIN.format(folder=folder, user=NOBODY))
        (folder / "configuration/master.cf").write_text(MASTER.format(port=port))
        for name in ("postfix-files", "dynamicmaps.cf", "postfix-script", "post-install"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(pathlib.Path("/etc/postfix") / name, folder / "configuration")
        self.call("start")

    def call(self, command):
        outcome = subprocess.run(
            ["/usr/sbin/postfix", "-c", str(self.folder / "configuration"), command],
            capture_output=True, text=True, timeout=START_SECONDS_MAX,
        )
        if outcome.returncode:
            raise RuntimeError(f"postfix {command}: {outcome.stdout}{outcome.stderr}")

    def received(self):
        """The one mail that was delivered."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            paths = list((self.folder / "mails/someone/new").glob("*"))
            if paths:
                return email.message_from_bytes(paths[0].read_bytes(), policy=email.policy.default)
            time.sleep(0.05)
        raise RuntimeError("Postfix delivered no mail")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.call("stop")
