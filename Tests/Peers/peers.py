"""Runs third-party peers against the real binary.

    peers.py BINARY [--only NAME] [--teeth]

None of the protocol is implemented here: each peer is a library, an editor or a shell with its own implementation of
JSON-RPC, and a reply that it does not accept fails its checks. Each file is named after its peer:

    pygls_client     pygls, the language server framework in Python
    pylsp_endpoint   python-lsp-jsonrpc, which the Python language server uses
    glib_client      jsonrpc-glib, which GNOME Builder uses
    emacs            Emacs, with its jsonrpc.el
    neovim           Neovim, with its vim.lsp.rpc
    sourcegraph      sourcegraph/jsonrpc2 in Go, with headers and without
    shell            pipes, here-documents and named pipes
    mcp_1_session    the Model Context Protocol's SDK for Python, 1.x
    mcp_2_client     the same, 2.x, which supports both eras of the protocol
    mail_servers     aiosmtpd and Postfix, which take the mails

Other peers ask the binary who may sign in. They need root, because they are services with users of their own:

    apache           Apache with mod_authnz_external; curl signs in
    pam              PAM with pam_exec; pamtester signs in
    openvpn          an OpenVPN server with auth-user-pass-verify, and OpenVPN clients
    ejabberd         ejabberd with external authentication; slixmpp signs in
    squid            Squid with basic authentication; curl signs in

Each prints lines of the Test Anything Protocol. The last line here is `N passed, N failed`, and the exit code is 1 if
a check failed. `make peer-deps` installs the peers.

`--teeth` runs each peer against binaries with a defect (mutant.py), such as a lost reply or two swapped replies; those
that ask who may sign in get binaries that always answer the same (sign_in_mutant.py). It fails for each mutant that a
peer does not detect, and if the sound binary does not pass. It takes five minutes.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENTS = os.path.join(HERE, "..", "..", ".build", "peers")
# Of a peer that exchanges messages, and of one that asks who may sign in.
PEER_SECONDS_MAX = (60, 180)
END_SECONDS_MAX = 20


def python(environment, script):
    return [os.path.join(ENVIRONMENTS, environment, "bin", "python"), script]


PEERS = {
    "pygls_client": python("lsp", "pygls_client.py"),
    "pylsp_endpoint": python("lsp", "pylsp_endpoint.py"),
    "glib_client": ["/usr/bin/python3", "glib_client.py"],
    "emacs": ["emacs", "-Q", "--batch", "-l", "emacs.el"],
    "neovim": ["nvim", "--headless", "-u", "NONE", "-i", "NONE", "-c", "luafile neovim.lua"],
    "sourcegraph": ["go", "run", "sourcegraph.go"],
    "shell": ["bash", "shell.sh"],
    "mcp_1_session": python("mcp1", "mcp_1_session.py"),
    "mcp_2_client": python("mcp2", "mcp_2_client.py"),
}

# The peers that take mails. They exchange no messages with the binary.
SERVERS = {"mail_servers": python("mail", "mail_servers.py")}

ROOT = [] if os.geteuid() == 0 else ["sudo", "-n", "--preserve-env=POSTERN_BIN"]

# The peers that ask who may sign in.
PROGRAMS = {
    "apache": [*ROOT, "/usr/bin/python3", "apache.py"],
    "pam": [*ROOT, "/usr/bin/python3", "pam.py"],
    "openvpn": [*ROOT, "/usr/bin/python3", "openvpn.py"],
    "ejabberd": [*ROOT, *python("xmpp", "ejabberd.py")],
    "squid": [*ROOT, "/usr/bin/python3", "squid.py"],
}
ALL = PEERS | SERVERS | PROGRAMS

# The defects of mutant.py. The first is none, and must pass.
MUTANTS = ["none", "lost", "mixed", "wordless", "plain", "failing"]
# Those of sign_in_mutant.py.
PROGRAM_MUTANTS = ["none", "yes", "no", "silent"]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--only", choices=ALL, action="append")
    parser.add_argument("--teeth", action="store_true")
    options = parser.parse_args()
    names = options.only or list(ALL)
    if options.teeth:
        passed, failed = bite(options.binary, names)
    else:
        passed, failed = drive(options.binary, names)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


def drive(binary, names):
    """Runs the peers one by one. Returns how many of their checks passed and failed."""
    passed = failed = 0
    for name in names:
        start = time.monotonic()
        good, bad = run(name, os.path.abspath(binary))
        print(f"{name}: {good} passed, {len(bad)} failed, {time.monotonic() - start:.1f} s", flush=True)
        for line in bad:
            print(f"    {line}", flush=True)
        passed, failed = passed + good, failed + len(bad)
    return passed, failed


def bite(binary, names):
    """Runs the peers against mutants of the binary. Returns how many were judged correctly, and how many were not."""
    right = wrong = 0
    rows = [(mutant, name) for mutant in MUTANTS for name in names if name in PEERS]
    rows += [(mutant, name) for mutant in PROGRAM_MUTANTS for name in names if name in PROGRAMS]
    with tempfile.TemporaryDirectory() as folder:
        for mutant, name in rows:
            if name in PROGRAMS:
                _, bad = run(name, sign_in_mutant(folder, os.path.abspath(binary), mutant), ends_early=True)
            else:
                sound = {"SOUND_POSTERN": os.path.abspath(binary), "MUTANT": mutant}
                _, bad = run(name, os.path.join(HERE, "mutant.py"), ends_early=True, **sound)
            is_right = bool(bad) == (mutant != "none")
            print(f"{'' if is_right else 'WRONG: '}{mutant} | {name} | {bad[0][:120] if bad else 'passes'}", flush=True)
            right, wrong = right + is_right, wrong + (not is_right)
    return right, wrong


def sign_in_mutant(folder, binary, mutant):
    """Makes a defective binary. It has its settings in its text, because services pass no environment on."""
    path = os.path.join(folder, mutant)
    with open(os.path.join(HERE, "sign_in_mutant.py"), encoding="utf-8") as source, open(path, "w") as file:
        file.write(source.read().replace("SOUND_POSTERN", repr(binary)).replace("MUTANT", repr(mutant)))
    os.chmod(folder, 0o755)
    os.chmod(path, 0o755)
    return path


def end(process):
    """Ends a peer that takes too long, and gives it some time to end the services that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        for _ in range(END_SECONDS_MAX * 10):
            if process.poll() is not None:
                break
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)


def run(name, binary, ends_early=False, **environment):
    """Runs a peer. Returns how many of its checks passed, and the lines of those that failed.

    `ends_early` ends the peer at the first check that fails.
    """
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("POSTERN_")}
    inherited.update(POSTERN_BIN=binary, GO111MODULE="off", GOPATH="/usr/share/gocode", GOFLAGS="", **environment)
    errors = tempfile.TemporaryFile()
    process = subprocess.Popen(
        ALL[name], cwd=HERE, env=inherited, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
        start_new_session=True,
    )
    clock = threading.Timer(PEER_SECONDS_MAX[name in PROGRAMS], end, (process,))
    clock.start()
    good, bad, plan = 0, [], None
    for line in process.stdout:
        line = line.decode(errors="replace").rstrip("\n")
        good += line.startswith("ok ")
        if line.startswith("not ok "):
            bad.append(line)
            if ends_early:
                end(process)
        plan = line if line.startswith("1..") else plan
    code = process.wait()
    clock.cancel()
    if (code or plan != f"1..{good + len(bad)}") and not (ends_early and bad):
        errors.seek(0)
        complaint = " ".join(errors.read().decode(errors="replace").split())[-300:]
        bad.append(f"{name}: ended with exit code {code} after {good + len(bad)} checks, {plan or 'no plan'}; {complaint}")
    return good, bad


if __name__ == "__main__":
    main()
