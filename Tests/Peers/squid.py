"""Squid with its basic authentication, and curl as a browser."""

import http.server
import os
import subprocess
import threading

from checks import Checks, expect
from sign_ins import PASSWORD, Store, free_port, listens, play, service, write

CLIENT = "127.0.0.2"

CONFIGURATION = """
http_port 127.0.0.1:{port}
cache_effective_user proxy
pid_filename {folder}/squid.pid
cache_log {folder}/squid.log
access_log none
coredump_dir {folder}
shutdown_lifetime 1 second

{documented}
"""


class Origin(http.server.BaseHTTPRequestHandler):
    """The site that is reached through the proxy."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"secret")

    def log_message(self, *_):
        pass


def main():
    checks = Checks()
    origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    for has_channels in (True, False):
        store, port = Store(owner="proxy:proxy"), free_port()
        os.chmod(store.folder, 0o777)
        documented = store.documented("squid").replace("credentialsttl 1 minute", "credentialsttl 1 second")
        if not has_channels:
            documented = documented.replace(" --concurrency", "").replace("concurrency=20", "concurrency=0")
        text = CONFIGURATION.format(folder=store.folder, port=port, documented=documented)
        path = write(os.path.join(store.folder, "squid.conf"), text)

        def get(*arguments, port=port):
            site = f"http://127.0.0.1:{origin.server_port}/page"
            proxy = f"http://127.0.0.1:{port}"
            command = ["curl", "-s", "-S", "--noproxy", "", "--interface", CLIENT, "-x", proxy, "-o", "/dev/null"]
            return subprocess.run(
                [*command, "-w", "%{http_code}", *arguments, site], capture_output=True, text=True, check=True
            ).stdout

        def signs_in(email, password, get=get):
            status = get("-U", f"{email}:{password}")
            if status == "200":
                return True
            expect(status, "407", "the status")
            return False

        log = os.path.join(store.folder, "squid.log")
        with service(["/usr/sbin/squid", "-N", "-f", path], lambda port=port: listens(port), log):
            checks.run("nothing is served without a password", lambda get=get: expect(get(), "407", "the status"))
            play(checks, store, signs_in, "Squid", CLIENT)
        store.close()
    checks.end()


main()
