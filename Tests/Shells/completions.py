"""Compares what the shells complete with the help of the program and with its contract."""

import json
import pathlib
import re
import shlex
import subprocess

from terminal import Shell

HERE = pathlib.Path(__file__).parent
# A value that is one of some words. `NUMBER(m|h|d)` and placeholders are none.
CLOSED = re.compile(r"[a-z-]+(\|[a-z-]+)+")


class AtTerminal:
    """Bash or zsh, with a line editor at a terminal."""

    def __init__(self, command, start, completions, folder, variables):
        self.shell = Shell(command, str(HERE / start), folder, {**variables, "COMPLETIONS": str(completions)})

    def completes(self, line):
        """Returns the candidates for the last word, without a flag and its = before them."""
        done = self.shell.completed(line)
        start = len(line) - len(current(line))
        if done[:start] != line[:start]:
            raise AssertionError(f"the line has become {done!r}")
        if done == line:
            return set()
        return {value(word) for word in shlex.split(done[start:])}

    def close(self):
        self.shell.close()


class Fish:
    """fish, which lists candidates by a command. The files of the completions are in the directory in COMPLETIONS."""

    LOOP = 'set -p fish_complete_path $COMPLETIONS; while read -l line; complete -C "$line"; echo; end'

    def __init__(self, folder, variables):
        self.process = subprocess.Popen(
            ["fish", "--no-config", "-c", self.LOOP], cwd=folder, env=variables, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def completes(self, line):
        print(line, file=self.process.stdin, flush=True)
        lines = iter(self.process.stdout.readline, "\n")
        return {value(word.rstrip("\n").split("\t")[0]) for word in lines}

    def close(self):
        self.process.kill()
        self.process.communicate()


def current(line):
    """The word before the cursor."""
    return line[line.rfind(" ") + 1 :]


def value(word):
    return re.sub(r"^--[a-z-]+=(?=.)", "", word)


def table(binary, *arguments):
    """Reads the commands of the help, or the flags: a list of names and values."""
    text = subprocess.run([binary, "help", *arguments], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  postern (\S+) ?(.*?)(?:  .*)?$", text, re.MULTILINE)
    flags = re.findall(r"^  --(\S+) ?(\S*)", text, re.MULTILINE)
    return commands, flags


def cases(binary, place):
    """Yields lines, and what completes their last words in a directory with a file and a folder."""
    commands, flags = table(binary)
    names = {name for name, _ in commands}
    yield "postern ", names
    yield "postern help ", names
    yield "postern ser", {"serve"}
    for name in sorted(names):
        own = {f"--{flag}" for flag, _ in table(binary, name)[1]}
        yield f"postern {name} --", own | {"--help", "--version"}
    owners = {flag: name for name in sorted(names) for flag, _ in table(binary, name)[1]}
    closed = [(flag, set(form.split("|"))) for flag, form in flags if CLOSED.fullmatch(form)]
    for flag, words in closed:
        yield f"postern {owners[flag]} --{flag} ", words
        yield f"postern {owners[flag]} --{flag}=", words
    methods = {method["name"] for method in json.loads(subprocess.check_output([binary, "schema"]))["methods"]}
    for start in ("", "operators.", "admin.accounts.", "system.info"):
        yield f"postern call {start}", {name for name in methods if name.startswith(start)}
    # Words that the help shows after a command, at every place.
    forms = dict(commands)
    for name in ("account", "invite", "outbox", "mail", "completions"):
        words = re.sub(r"\[[^]|]*\]|[][]", "", forms[name]).split(" | ")
        yield f"postern {name} ", {word.split()[0] for word in words}
    accounts = {"operators:", "care:", "sales:"}
    yield "postern account show ", accounts
    yield "postern account show ca", {"care:"}
    yield "postern account list ", set()
    yield "postern audit --account sa", {"sales:"}
    yield "postern account export care:a@b.co ", {"file one.txt", "folder/"}
    # The command is not always the first word, and the value of a flag is none.
    yield "postern --data stats st", {"stats"}
    yield "postern --data=stats outbox sh", {"show"}
    yield "postern --log-level error outbox --follow sh", {"show"}
    yield "postern --replies ", {"in-order", "as-completed"}
    yield "postern --replies=as", {"as-completed"}
    # Paths.
    for line in ("postern --data ", "postern --data="):
        yield line, {":memory:", "folder/"}
        yield f"{line}:m", {":memory:"}
        yield f"{line}fo", {"folder/"}
        yield f"{line}{place}/fo", {f"{place}/folder/"}
    yield "postern verify f", {"file one.txt", "folder/"}
    yield "postern backup f", {"folder/"}
    yield "postern --mail-password-file fi", {"file one.txt"}
    for line in ("postern --mail ", "postern --mail="):
        yield f"{line}d", {"directory:"}
        yield f"{line}directory:f", {"directory:folder/"}
        yield f"{line}s", {"smtp://", "smtps://"}
    # A list.
    yield "postern --tools care,sa", {"care,sales"}
    yield "postern --tools=care,sa", {"care,sales"}
    # What has no candidates.
    for line in ("postern --public-url f", "postern stats f", "postern outbox show ", "postern invite --expires ", "postern nothing "):
        yield line, set()


def compared(words):
    """Candidates without the = or / that some shells add at their ends."""
    return {re.sub(r"=$|(?<!:/)/$", "", word) for word in words}


def check(binary, share, folder, variables):
    """Yields the line, and what is wrong or None, for each shell with the files of an installation."""
    place, home = folder / "place", folder / "home"
    home.mkdir()
    (place / "folder").mkdir(parents=True)
    (place / "file one.txt").touch()
    # The shells write files of their own into the home directory.
    variables = {**variables, "HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    installed = {
        "bash": share / "bash-completion/completions/postern",
        "zsh": share / "zsh/site-functions",
        "fish": share / "fish/vendor_completions.d",
    }
    shells = {
        "bash": AtTerminal(["bash", "--norc", "--noprofile", "-i"], "start.bash", installed["bash"], place, variables),
        "zsh": AtTerminal(["zsh", "-f", "-i"], "start.zsh", installed["zsh"], place, variables),
        "fish": Fish(place, {**variables, "COMPLETIONS": str(installed["fish"])}),
    }
    try:
        for line, expected in cases(binary, place):
            for name, shell in shells.items():
                found = shell.completes(line)
                wrong = compared(found) ^ compared(expected)
                yield f"{name}: {line!r}", f"completes {sorted(found)}, not {sorted(expected)}" if wrong else None
    finally:
        for shell in shells.values():
            shell.close()
