"""Apache with mod_authnz_external, and curl as a browser."""

import os
import subprocess

from checks import Checks, expect
from sign_ins import PASSWORD, Store, free_port, listens, play, service, write

CLIENT = "127.0.0.2"
MODULES = "/usr/lib/apache2/modules"

CONFIGURATION = """
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/errors
User www-data
Group www-data
DocumentRoot {folder}/site
{modules}

{documented}
"""


def main():
    checks, store, port = Checks(), Store(owner="www-data:www-data"), free_port()
    modules = ["mpm_event", "authn_core", "authz_core", "authz_user", "auth_basic", "authnz_external"]
    os.mkdir(os.path.join(store.folder, "site"))
    write(os.path.join(store.folder, "site", "page"), "secret")
    text = CONFIGURATION.format(
        folder=store.folder, port=port, documented=store.documented("apache"),
        modules="\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in modules),
    )
    path = write(os.path.join(store.folder, "apache.conf"), text)

    def get(*arguments):
        return subprocess.run(
            ["curl", "-s", "-S", "--interface", CLIENT, "-w", "%{http_code}", *arguments, f"http://127.0.0.1:{port}/page"],
            capture_output=True, text=True, check=True,
        ).stdout

    def signs_in(email, password):
        reply = get("-u", f"{email}:{password}")
        if reply == "secret200":
            return True
        expect(reply[-3:], "401", "the status")
        return False

    log = os.path.join(store.folder, "errors")
    with service(["/usr/sbin/apache2", "-f", path, "-DFOREGROUND"], lambda: listens(port), log):
        checks.run("nothing is served without a password", lambda: expect(get()[-3:], "401", "the status"))
        play(checks, store, signs_in, "mod_authnz_external", CLIENT)
        checks.run(
            "a line feed in the name makes nothing a password",
            lambda: expect(signs_in("ann@b.co\n" + PASSWORD, "x"), False, "the answer"),
        )
        os.rename(store.data, store.data + ".away")
        checks.run("a store that is missing refuses", lambda: expect(signs_in("ann@b.co", PASSWORD), False, "the answer"))
    store.close()
    checks.end()


main()
