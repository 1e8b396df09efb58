"""Installs the program into an empty directory, and checks what is installed: the completions in the shells that read
them, and the man page.

    shells.py BINARY
"""

import os
import pathlib
import stat
import subprocess
import sys
import tempfile

import completions
import man_page

ROOT = pathlib.Path(__file__).resolve().parents[2]
PREFIX = "/opt/postern"
INSTALLED = {
    "bin/postern": 0o755,
    "share/man/man1/postern.1": 0o644,
    "share/bash-completion/completions/postern": 0o644,
    "share/zsh/site-functions/_postern": 0o644,
    "share/fish/vendor_completions.d/postern.fish": 0o644,
}
SCRIPTS = [["man"], ["completions", "bash"], ["completions", "zsh"], ["completions", "fish"]]


def make(target, binary, destination):
    """Runs make with the binary that is there: nothing may be built or installed by apt."""
    command = ["make", "--silent", target, f"BINARY={binary}", f"DESTDIR={destination}", f"PREFIX={PREFIX}", "SWIFT=false", "SUDO=false"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def files(folder):
    """The files below a folder, and their permissions."""
    found = [path for path in folder.rglob("*") if not path.is_dir()]
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in found}


def check_install(binary, destination):
    """Installs the program, as a user whose new files are private. Yields what is checked, and what is wrong or None."""
    os.umask(0o077)
    run = make("install", binary, destination)
    yield "make install", run.stderr if run.returncode else None
    expected = {f"{PREFIX[1:]}/{name}": mode for name, mode in INSTALLED.items()}
    yield "the installed files", None if files(destination) == expected else str(files(destination))
    closed = [str(path) for path in destination.rglob("*") if path.is_dir() and stat.S_IMODE(path.stat().st_mode) != 0o755]
    yield "the installed folders", None if not closed else str(closed)
    yield "the installed binary", None if (destination / PREFIX[1:] / "bin/postern").read_bytes() == binary.read_bytes() else "differs"


def check_repeats(binary, folder):
    """Prints each text twice, with another environment, time zone and working directory."""
    surroundings = [{"HOME": "/", "TZ": "UTC", "LANG": "C"}, {"TZ": "Asia/Tokyo", "LANG": "tr_TR.UTF-8", "COLUMNS": "20", "POSTERN_MAIL": "host"}]
    for arguments in SCRIPTS:
        texts = [subprocess.check_output([binary, *arguments], env=env, cwd=cwd) for env, cwd in zip(surroundings, ("/", folder))]
        yield f"postern {' '.join(arguments)} repeats its bytes", None if texts[0] == texts[1] and texts[0] else "differs"


def check_uninstall(binary, destination):
    foreign = destination / PREFIX[1:] / "share/man/man1/other.1"
    foreign.touch()
    run = make("uninstall", binary, destination)
    yield "make uninstall", run.stderr if run.returncode else None
    left = list(files(destination))
    yield "what make uninstall leaves", None if left == [str(foreign.relative_to(destination))] else str(left)
    again = make("uninstall", binary, destination)
    yield "make uninstall a second time", again.stderr if again.returncode else None


def check_all(binary, folder):
    destination = folder / "root"
    destination.mkdir()
    (folder / "examples").mkdir()
    share = destination / PREFIX[1:] / "share"
    variables = {"PATH": f"{destination / PREFIX[1:] / 'bin'}:/usr/local/bin:/usr/bin:/bin"}
    yield from check_install(binary, destination)
    yield from check_repeats(binary, folder)
    yield from man_page.check(binary, share / "man/man1/postern.1", folder / "examples", variables)
    script = share / "bash-completion/completions/postern"
    lint = subprocess.run(["shellcheck", "--shell=bash", script], capture_output=True, text=True, check=False)
    yield "shellcheck of the completions of bash", lint.stdout + lint.stderr or None
    yield from completions.check(binary, share, folder, variables)
    yield from check_uninstall(binary, destination)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, problem in check_all(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder)):
            if problem is None:
                passed += 1
            else:
                failed += 1
                print(f"FAILED {name}: {problem}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
