"""Profiles the instructions, memory and system calls of a request: a read, a create and a sign-in.

Usage: profiles.py BINARY writes PROFILE.md. callgrind counts instructions and calls: the difference of a run with N more
requests and a run without them, divided by N. Each run has a copy of one prepared store, so that it does the same work.
profile-earlier.json has the figures of an earlier commit, beside which those of pipelined requests are shown.
"""

import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

import results
from harness import HERE, Program, client, request

READ = "a read (operators.clients.get, empty change feed)"
CREATE = "a create (operators.client.create)"
SIGN_IN = "a sign-in (operators.signin)"
REQUESTS = 500
SIGN_INS = 20
# Pipelined requests, and those before them that fill the buffers.
PIPELINED, PIPELINED_BEFORE = 1_000, 200
LINES = 25
FUNCTIONS = 25
# The functions whose calls are counted, by a regular expression for their demangled names.
COUNTED = {
    "allocations": r"^(malloc|calloc|realloc|posix_memalign|aligned_alloc)$",
    "retains": r"^swift_(bridgeObject)?[rR]etain(_n)?$",
    "releases": r"^swift_(bridgeObject)?[rR]elease(_n)?$",
    "exclusivity checks": r"^swift_beginAccess$",
    "memory copies": r"^_*mem(cpy|move)",
    "memory searches": r"^_*memchr",
}
# Kinds of work, by a regular expression for demangled names; the first match counts.
KINDS = {
    "reference counting": r"swift_(bridgeObject)?[rR]e(tain|lease)|RefCount|isUniquelyReferenced|^outlined (copy|consume|destroy|init)",
    "memory allocation": r"^_*(malloc|free|calloc|realloc|cfree)|_int_(malloc|free)|malloc_|swift_(slow)?[aA]lloc|swift_(slow)?[dD]ealloc|Dealloc|tcache|unlink_chunk|sysmalloc",
    "memory copying, comparing, searching": r"^_*mem(cpy|move|set|cmp|chr|rchr)",
    "exclusivity checks": r"beginAccess|endAccess|AccessSet|ExclusiveAccess",
    "type metadata lookup": r"Metadata|getCache|conformsTo|dynamicCast|witness|Mangled|project_boxed|initializeWith|assignWith|^destroy for",
    "hashing": r"blake2b|argon2|blake2|fill_(block|segment)|crypto_|sodium_|Sodium|randombytes",
    "C library": r"_libc_|pthread|^_*(read|write|poll|fdatasync|statx?|fstat|flock|clock_gettime)$|__errno",
}
MODULES = ["JSON", "JSONRPC", "Store", "Accounts", "Service", "Platform", "Mail", "postern"]

# What the figures do not say, and what was tried.
NOTES = """callgrind counts each byte that a repeated string instruction moves as an instruction. Of a pipelined read, these are about 780: each
byte of the request is copied once to its chunk, and erased twice, there and where it was read.

Tried, and did not help:

- Specializing generic functions across modules: neither `-cross-module-optimization` nor `-enable-cmo-everything` specializes those of `Store`,
  such as `Transaction.insert`, for a record. The first one changes no instruction of JSON.
- A key built in a temporary allocation on the stack: its closures look up generic types, 1,300 instructions of a read. It is built in memory of
  the transaction's context.
- A class in place of the protocol `RequestPhase`, so that a request is half a reference smaller: a class that another module inherits from must
  be public. A request became small enough without it.
- Vectors compared with a scalar (`block .< 0x20`): the compiler compares byte by byte. Two vectors are compared by one instruction.
"""


class Profile:
    """The counts of callgrind: instructions by function and by source line, and calls by function."""

    def __init__(self, path):
        self.functions, self.lines, self.calls = collections.Counter(), collections.Counter(), collections.Counter()
        names = {"file": {}, "function": {}}

        def name(kind, text):
            """The name in a field of callgrind: `(12) name` defines name 12, and `(12)` refers to it."""
            number, _, rest = text.partition(" ")
            return names[kind].setdefault(number, rest) if rest else names[kind].get(number, number)

        file = function = callee = None
        line, skips = 0, False
        with open(path) as entries:
            for entry in entries:
                kind, equals, value = entry.rstrip("\n").partition("=")
                if equals and kind in ("fl", "fi", "fe"):
                    file = name("file", value)
                elif equals and kind == "fn":
                    function = without_recursion(name("function", value))
                elif equals and kind in ("cfi", "cfl"):
                    name("file", value)
                elif equals and kind == "cfn":
                    callee = without_recursion(name("function", value))
                elif equals and kind == "calls":
                    self.calls[callee] += int(value.split()[0])
                    skips = True
                elif entry[:1] in "0123456789+-*" and function:
                    position, cost = entry.split()[:2]
                    line = self.position(position, line)
                    # The line after `calls=` has the cost of the callee, which is counted in the callee.
                    if not skips:
                        self.functions[function] += int(cost)
                        self.lines[f"{os.path.basename(file)}:{line}"] += int(cost)
                    skips = False

    @property
    def allocations(self):
        return sum(count for name, count in self.calls.items() if re.search(COUNTED["allocations"], name))

    @staticmethod
    def position(text, before):
        if text == "*":
            return before
        return before + int(text) if text[0] in "+-" else int(text)

    def less(self, other, divisor):
        """Subtracts another profile from this one, and divides by `divisor`."""
        for mine, others in [(self.functions, other.functions), (self.lines, other.lines), (self.calls, other.calls)]:
            mine.subtract(others)
            for key in mine:
                mine[key] /= divisor
        return self


class Story:
    """A prepared store with an operator, and the profiled requests."""

    def __init__(self, binary, folder):
        self.binary, self.store = binary, os.path.join(folder, "store")
        with Program(binary, "--data", self.store, "--no-email-confirmation") as program:
            name = {"first_name": "Ada", "last_name": "Byron", "email": "ada@example.com"}
            made = program.call("operators.register", user=name, password="password")
            self.own = {"user_id": made["id"], "session_id": made["session_id"]}
            for number in range(20):
                program.call("operators.client.create", **self.own, client=client(f"-{number}"))

    def requests(self, operation, count):
        made = {
            READ: lambda number: request(
                "operators.clients.get", {**self.own, "provision": 1_000_000}, number
            ),
            CREATE: lambda number: request(
                "operators.client.create", {**self.own, "client": client(number)}, number
            ),
            SIGN_IN: lambda number: request(
                "operators.signin", {"email": "ada@example.com", "password": "password"}, number
            ),
        }[operation]
        return [made(number) for number in range(1, count + 1)]

    def run(self, command, requests, one_by_one):
        """Runs a command on a copy of the store, and sends the requests one at a time or all at once."""
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "store")
            shutil.copytree(self.store, copy)
            words = [*command, self.binary, "--data", copy, "--no-email-confirmation"]
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            replies = []
            if one_by_one:
                for line in requests:
                    process.stdin.write(line)
                    process.stdin.flush()
                    replies.append(process.stdout.readline())
                process.stdin.close()
                process.wait()
            else:
                replies = process.communicate(b"".join(requests))[0].splitlines()
        assert len(replies) == len(requests) and not any(b'"error"' in reply for reply in replies), replies[:1]

    def profile(self, operation, count, before=3, one_by_one=True):
        def counted(requests):
            with tempfile.TemporaryDirectory() as folder:
                out = os.path.join(folder, "out")
                self.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"], requests, one_by_one)
                return Profile(out)

        # The first requests have one-time costs, so they are subtracted.
        first = self.requests(operation, before)
        return counted(self.requests(operation, count + before)).less(counted(first), count)

    def system_calls(self, operation, count):
        def counted(requests):
            with tempfile.TemporaryDirectory() as folder:
                out = os.path.join(folder, "out")
                self.run(["strace", "-f", "-c", "-o", out], requests, one_by_one=True)
                with open(out) as table:
                    rows = [line.split() for line in table if re.match(r"\s*[\d.]+\s+[\d.]+", line)]
            return collections.Counter({row[-1]: int(row[3]) for row in rows if row[-1] != "total"})

        calls = counted(self.requests(operation, count + 3))
        calls.subtract(counted(self.requests(operation, 3)))
        return {name: number / count for name, number in calls.items() if number / count >= 0.05}


def without_recursion(name):
    """A function name without the recursion depth that callgrind appends."""
    return re.sub(r"'\d+$", "", name)


def demangled(names):
    command = ["swift", "demangle", "--simplified", "--compact"]
    output = subprocess.run(command, input="\n".join(names), text=True, capture_output=True, check=True).stdout
    return dict(zip(names, output.splitlines()))


def kind(mangled, name):
    """The kind of work that a function does, or the module of Postern that contains it."""
    for kind, pattern in KINDS.items():
        if re.search(pattern, name):
            return kind
    for module in MODULES:
        if mangled.startswith(f"$s{len(module)}{module}"):
            return f"module {module}"
    return "other"


def table(head, rows):
    return "\n".join([f"| {' | '.join(head)} |", "|" + " --- |" * len(head)] + [f"| {' | '.join(row)} |" for row in rows])


def summary(profile, names):
    """The instructions by kind of work, and the counted calls."""
    kinds = collections.Counter()
    for name, count in profile.functions.items():
        kinds[kind(name, names[name])] += count
    calls = {
        what: sum(count for name, count in profile.calls.items() if re.search(pattern, names[name]))
        for what, pattern in COUNTED.items()
    }
    return kinds, calls


def comparison(operation, profile, earlier):
    """The figures of a pipelined request beside those of an earlier commit."""
    kinds, calls = summary(profile, demangled(sorted({*profile.functions, *profile.calls})))
    before = earlier["operations"][operation]
    total = sum(profile.functions.values())
    what = sorted({*kinds, *before["kinds"]}, key=lambda name: -before["kinds"].get(name, 0))
    yield f"## {operation[0].upper()}{operation[1:]}, pipelined\n"
    rows = [("all", f"{before['instructions']:,}", f"{total:,.0f}")]
    rows += [(name, f"{before['kinds'].get(name, 0):,}", f"{kinds[name]:,.0f}") for name in what]
    yield table(["kind of work", earlier["commit"], "now"], rows) + "\n"
    rows = [(name, f"{before['calls'].get(name, 0):,.1f}", f"{count:,.1f}") for name, count in calls.items()]
    yield table(["calls", earlier["commit"], "now"], rows) + "\n"


def section(operation, profile, calls):
    total = sum(profile.functions.values())
    top = [name for name, _ in profile.functions.most_common(FUNCTIONS)]
    names = demangled(sorted({*profile.functions, *profile.calls}))
    kinds, counts = summary(profile, names)
    yield f"## {operation[0].upper()}{operation[1:]}\n\n{total:,.0f} instructions.\n"
    yield table(["kind of work", "instructions"], [(what, f"{count:,.0f}") for what, count in kinds.most_common()]) + "\n"
    yield table(["calls", "times"], [(what, f"{count:,.1f}") for what, count in counts.items()]) + "\n"
    yield table(["system call", "times"], [(name, f"{count:,.2f}") for name, count in sorted(calls.items())]) + "\n"
    yield table(["function", "instructions"], [(f"`{names[name][:110]}`", f"{profile.functions[name]:,.0f}") for name in top]) + "\n"
    yield table(["line", "instructions"], [(line, f"{count:,.0f}") for line, count in profile.lines.most_common(LINES)]) + "\n"


def main(binary):
    with tempfile.TemporaryDirectory() as folder:
        story = Story(os.path.abspath(binary), folder)
        pieces = [f"# Profile of a request\n\nMeasured by `make bench-profile` on {results.commit()}.\n", NOTES]
        earlier = results.kept("profile-earlier.json")
        for operation in earlier["operations"]:
            profile = story.profile(operation, PIPELINED, PIPELINED_BEFORE, one_by_one=False)
            pieces += comparison(operation, profile, earlier)
        for operation, count in {READ: REQUESTS, CREATE: REQUESTS, SIGN_IN: SIGN_INS}.items():
            pieces += section(operation, story.profile(operation, count), story.system_calls(operation, count))
    with open(os.path.join(HERE, "PROFILE.md"), "w") as page:
        page.write("\n".join(pieces))


if __name__ == "__main__":
    main(*sys.argv[1:])
