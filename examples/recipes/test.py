"""Plays one story with each recipe: sign-up, confirmation, sessions, a forgotten password, and a killed process.

    test.py BINARY [--only NAME]
"""

import argparse
import contextlib
import http.cookiejar
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = HERE.parents[1] / ".build/recipes-venv/bin"
GUNICORN = [str(ENVIRONMENT / "gunicorn"), "--workers", "2", "--threads", "4", "--log-level", "error"]
RECIPES = {
    "flask": [*GUNICORN, "app:app"],
    "django": [*GUNICORN, "app:application"],
    "express": ["node", "app.mjs"],
    "go": ["go", "run", "."],
}
START_SECONDS_MAX, END_SECONDS_MAX = 60, 20
EMAIL, PASSWORD, NEXT_PASSWORD = "luke@example.com", "a long password", "another long password"


class Browser:
    """Keeps cookies, follows redirections, and fills in forms."""

    def __init__(self, port, agent):
        self.base = f"http://127.0.0.1:{port}"
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.opener.addheaders = [("User-Agent", agent)]
        self.page = ""

    def get(self, path, data=None):
        given = urllib.parse.urlencode(data).encode() if data is not None else None
        try:
            with self.opener.open(self.base + path, given, timeout=30) as response:
                self.page, status = response.read().decode(), response.status
        except urllib.error.HTTPError as error:
            self.page, status = error.read().decode(), error.code
        return status

    def send(self, path, **fields):
        """Fills in the form of the page that leads to a path."""
        form = re.search(rf"<form method=post action={path}>.*?</form>", self.page, re.DOTALL)
        assert form, f"no form {path} in {self.page}"
        token = re.search(r'name=csrfmiddlewaretoken value="([^"]+)"', form[0])
        return self.get(path, {**fields, **({"csrfmiddlewaretoken": token[1]} if token else {})})

    def shows(self, text):
        assert text in self.page, f"no {text!r} in {self.page}"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def link(binary, data, number):
    """The path of the link in a mail."""
    outcome = subprocess.run([binary, "outbox", "show", str(number), "--data", data], capture_output=True, text=True)
    return re.search(r"^http://localhost(/operators/\S+)$", outcome.stdout, re.MULTILINE)[1]


def story(binary, data, port):
    phone, laptop = Browser(port, "a phone"), Browser(port, "a laptop")
    phone.get("/")
    phone.shows("You are not signed in.")
    person = {"first_name": "Luke", "last_name": "<Sorenson>", "email": EMAIL, "password": PASSWORD}
    assert phone.send("/sign-up", **{**person, "email": "nobody"}) == 400
    phone.shows("Email field invalid.")
    phone.get("/")
    assert phone.send("/sign-up", **person) == 200
    phone.get("/")
    assert phone.send("/sign-in", email=EMAIL, password=PASSWORD) == 400, "signed in before the confirmation"
    # Opening the link changes nothing; the button does.
    path = link(binary, data, 1)
    for _ in range(2):
        assert phone.get(path) == 200
    code = re.search(r'name=code placeholder=code\s+value="([^"]+)"', phone.page)[1]
    phone.send("/operators/confirm", code=code)
    for browser in (phone, laptop):
        browser.get("/")
        browser.send("/sign-in", email=EMAIL, password=PASSWORD)
        browser.shows(f"You are {EMAIL}.")
    phone.get("/")
    phone.shows("a laptop")
    phone.shows("a phone (this one)")
    number = re.search(r"a laptop.*?name=id value=(\d+)", phone.page, re.DOTALL)[1]
    phone.send("/sessions/end", id=number)
    assert "a laptop" not in phone.page, phone.page
    laptop.get("/")
    laptop.shows("You are not signed in.")
    # Another worker may answer, on the same store.
    for _ in range(8):
        phone.get("/")
        phone.shows(f"You are {EMAIL}.")
    phone.send("/sign-out")
    phone.shows("You are not signed in.")
    phone.send("/forgotten", email=EMAIL)
    path = link(binary, data, 2)
    phone.get(path)
    code = re.search(r'name=code placeholder=code\s+value="([^"]+)"', phone.page)[1]
    phone.send("/operators/reset", code=code, password=NEXT_PASSWORD)
    phone.get("/")
    assert phone.send("/sign-in", email=EMAIL, password=PASSWORD) == 400
    phone.get("/")
    phone.send("/sign-in", email=EMAIL, password=NEXT_PASSWORD)
    phone.shows(f"You are {EMAIL}.")
    assert phone.get("/nowhere") == 404
    # The process dies, and the application goes on.
    for process in processes(data):
        os.kill(process, signal.SIGKILL)
    answers = [phone.get("/") for _ in range(6)]
    assert set(answers) <= {200, 503} and answers[-1] == 200, answers
    phone.shows(f"You are {EMAIL}.")


def processes(data):
    """The processes of the service."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (path / "cmdline").read_bytes().split(b"\0")
            variables = (path / "environ").read_bytes().split(b"\0")
            if command[0].endswith(b"/postern") and f"POSTERN_DATA={data}".encode() in variables:
                found.append(int(path.name))
    return found


def links_modules():
    """Makes Debian's Express and the client of this tree modules of the recipe, as `npm install` would."""
    client = HERE.parents[1] / "clients/node"
    modules = HERE / "express/node_modules"
    modules.mkdir(exist_ok=True)
    package = json.loads((client / "package.json").read_text())
    for name, place in (("express", "/usr/share/nodejs/express"), (package["name"], client)):
        with contextlib.suppress(FileExistsError):
            (modules / name).symlink_to(place)


def play(name, binary):
    with tempfile.TemporaryDirectory() as folder:
        data, port = f"{folder}/accounts", free_port()
        variables = {key: value for key, value in os.environ.items() if not key.startswith("POSTERN_")}
        variables.update(
            POSTERN_BIN=binary, POSTERN_DATA=data, PORT=str(port), SECURE_COOKIES="0", SECRET_KEY="a secret of the test",
            # Where Debian has the modules that Express needs.
            NODE_PATH="/usr/share/nodejs:/usr/lib/nodejs",
            GUNICORN_CMD_ARGS=f"--bind 127.0.0.1:{port}", GOFLAGS="-mod=mod",
        )
        process = subprocess.Popen(RECIPES[name], cwd=HERE / name, env=variables, start_new_session=True)
        try:
            deadline = time.monotonic() + START_SECONDS_MAX
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                assert time.monotonic() < deadline and process.poll() is None, "the application does not start"
                time.sleep(0.05)
            story(binary, data, port)
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(END_SECONDS_MAX)
            assert not processes(data), "a process of the service is left"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        outcome = subprocess.run([binary, "check", "--data", data], capture_output=True, text=True)
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--only", choices=RECIPES, action="append")
    options = parser.parse_args()
    links_modules()
    for name in options.only or RECIPES:
        start = time.monotonic()
        play(name, os.path.abspath(options.binary))
        print(f"{name}: passed, {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
