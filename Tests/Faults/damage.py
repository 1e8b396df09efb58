"""Files that were changed after they were written: flipped bits, truncations, holes, duplicates, losses, swaps and
manual edits.

Guarantee: a torn tail after everything that is known to be synced is set aside, and the store opens with one warning
and everything before the tail. Any other change is refused with the file and the offset, and no byte is changed then.
If the store opens, it returns exactly what was stored.

`lock.sync` says how far the journal was synced. The cases run without it, as a system crash may leave the directory,
unless they keep it: then a journal that ends before that offset is refused.
"""

import itertools
import json
import os

import mutants
from postern import Broken
from stores import NOBODY, ROOM

NAME = "damaged files"
SECTOR = 512
# The preallocated room that a killed process leaves after its lines: longer than a sector.
LEFT = ROOM * 1500
# Instead of a file's bytes: the file stays unchanged.
KEPT = object()
GARBAGE = [b'{"n":', b"x", b"\0", b"\0" * 4096, b'{"n":9,"d":0,"w":[["a",1]],"c":"00000000"', b"\xef\xbb\xbf", b"\r"]


class Model:
    """A small store, with two epochs if the program can compact, and the data that it returns."""

    def __init__(self, trial, is_merged):
        self.store = store = trial.store(2)
        place = store.path + ".mails"
        os.mkdir(place)
        # One mail that is delivered and erased, and one that waits.
        for flags in (["--mail", f"directory:{place}"], []):
            with store.serve(*flags) as server:
                server.ask("operators.reset_password", email="a@b.co")
                server.close()
        if is_merged and store.run("compact")[0] != 0:
            raise Broken("an undamaged store cannot be compacted")
        with store.serve() as server:
            for number in range(3):
                store.create(server, f"alone{number}@b.co", "some address")
            # These share one write, and so each has the same durable offset: the end of the synced lines before it.
            store.create_all(server, [(f"many{number}@b.co", "y" * 200) for number in range(4)])
            self.truth = store.listed(server)["result"]
            server.close()
        self.mails = mails(store)
        self.files = {name: store.read(name) for name in store.files()}
        self.journal = store.journal
        self.header = self.files[self.journal].index(b"\n") + 1

    def __str__(self):
        return "merged" if len(self.files) > 2 else "plain"

    def durable(self, journal):
        """The largest durable offset in the manifest and in a journal's lines, whole or not."""
        told = [json.loads(self.files["manifest.json"])["safe"]]
        for line in journal.split(b"\n")[1:]:
            try:
                told.append(int(line.split(b',"d":')[1].split(b",")[0]))
            except (IndexError, ValueError):
                continue
        return max(told)

    def before(self, end):
        """The allowed results for a journal that ends at an offset. If a value was erased because of a later line,
        and that line is lost, the journal may be refused too."""
        kept = self.files[self.journal][:end].splitlines(keepends=True)
        lost = self.files[self.journal][len(b"".join(line for line in kept if line.endswith(b"\n"))):]
        allowed = (NOBODY,)
        if self._has_operator(kept):
            changes = lost.count(b'["operators.clients/change/')
            # The latest change comes first.
            allowed = ({"clients": self.truth["clients"][changes:], "provision": self.truth["provision"] - changes},)
        if any(b'"s":[[ ' in line for line in kept) and b'["outbox texts/id/0000000001",null]' in lost:
            allowed += ("refuse",)
        return allowed

    def _has_operator(self, lines):
        return len(self.files) > 2 or any(b'["operators/id/' in line and line.endswith(b"\n") for line in lines)


def run(trial):
    models = [Model(trial, False)] + ([Model(trial, True)] if trial.program.knows("compact") else [])
    other = Model(trial, trial.program.knows("compact"))
    cases = []
    for model in models:
        named = [*flips(trial, model), *cuts(model), *tails(model), *holes(model), *lines(model), *edits(model)]
        named += [*torn_tails(trial, model), *losses(model, other), *synced_cuts(model)]
        cases += [(model, *case) for case in named]
    trial.hold(trial.sample(cases), lambda case: attempt(trial, *case))
    if trial.is_quick:
        trial.outcome.teeth = "a build without checks: only in the full run"
    else:
        bite(trial, models[-1])


def bite(trial, model):
    """Builds the program without the comparison of checksums, and tries flipped bits until one is returned
    unnoticed."""
    mutant = mutants.without_checks(trial)
    cases = list(flips(trial, model))
    trial.random.shuffle(cases)

    def search():
        for case in cases[:3000]:
            found = trial.finds(lambda case=case: attempt(trial, model, *case, program=mutant))
            if found and "serves None" not in found:
                raise Broken(found)

    trial.outcome.bite("without checks", trial.finds(search))


# Cases: a name, the changed files, and the allowed outcomes: "refuse", or the list that is returned


def changed(name, model, file, data, *allowed):
    return f"{name} in {file}", {file: data}, allowed


def flips(trial, model):
    """One or two bits of each byte of each file, and every bit of the manifest."""
    for file, data in model.files.items():
        bits = 8 if file == "manifest.json" else 1 if trial.is_quick else 2
        for offset in range(len(data)):
            for bit in trial.random.sample(range(8), bits):
                flipped = bytearray(data)
                flipped[offset] ^= 1 << bit
                name = f"bit {bit} of byte {offset} flipped"
                yield changed(name, model, file, bytes(flipped), "refuse", model.truth)
                if file == model.journal:
                    yield changed(name + " before room", model, file, bytes(flipped) + LEFT, "refuse", model.truth)


def cuts(model):
    for file, data in model.files.items():
        for length in range(len(data)):
            allowed = ("refuse",)
            if file == model.journal and length >= max(model.durable(data[:length]), model.header):
                allowed = model.before(length)
            yield changed(f"cut to {length} bytes", model, file, data[:length], *allowed)
            if file == model.journal:
                # A write into room is never cut off just before its line feed, unless a sector ends there.
                is_changed = data[length:length + 1] == b"\n" and length % SECTOR != 0
                allowed = ("refuse",) if is_changed else allowed
                yield changed(f"room from {length}", model, file, data[:length] + LEFT, *allowed)


def synced_cuts(model):
    """A journal that lost its end, which `lock.sync` declares synced."""
    data = model.files[model.journal]
    for length in range(model.header, len(data)):
        yield f"synced, and cut to {length} bytes", {model.journal: data[:length], "lock.sync": KEPT}, ("refuse",)


def tails(model):
    for file, data in model.files.items():
        for garbage in GARBAGE:
            allowed = model.truth if file == model.journal else "refuse"
            yield changed(f"tail {garbage[:20]}", model, file, data + garbage, allowed)
            yield changed(f"line {garbage[:20]}", model, file, data + garbage + b"\n", "refuse")
            if file == model.journal:
                yield changed(f"tail {garbage[:20]} in room", model, file, data + garbage + LEFT, model.truth)
                yield changed(f"line {garbage[:20]} in room", model, file, data + garbage + b"\n" + LEFT, "refuse")
    yield changed("room", model, model.journal, model.files[model.journal] + LEFT, model.truth)


def holes(model):
    """Sectors that were never written: they contain NUL bytes or preallocated room."""
    for file, data in model.files.items():
        for sector, unwritten in itertools.product(range(0, len(data), SECTOR), (b"\0", ROOM)):
            for count in (1, 2, len(data)):
                end = min(sector + SECTOR * count, len(data))
                hollow = data[:sector] + unwritten * (end - sector) + data[end:]
                start = data.rfind(b"\n", 0, sector) + 1
                is_torn = file == model.journal and model.durable(hollow) <= start and start >= model.header
                allowed = model.before(start) if is_torn else ("refuse",)
                yield changed(f"a hole of {unwritten} from {sector} to {end}", model, file, hollow, *allowed)


def torn_tails(trial, model):
    """The possible states of a write of several lines after a power cut: any of its sectors, up to any length."""
    data = model.files[model.journal]
    safe = model.durable(data)
    for number in range(50 if trial.is_quick else 1000):
        hollow = bytearray(data[:trial.random.randrange(safe + 1, len(data) + 1)])
        unwritten = trial.random.choice([b"\0", ROOM])
        sectors = range(safe // SECTOR, len(hollow) // SECTOR + 1)
        for sector in trial.random.sample(sectors, trial.random.randint(1, len(sectors))):
            place = slice(max(safe, sector * SECTOR), min(len(hollow), (sector + 1) * SECTOR))
            hollow[place] = unwritten * len(hollow[place])
        end = hollow.find(unwritten, safe)
        start = hollow.rfind(b"\n", 0, end if end >= 0 else len(hollow)) + 1
        allowed = model.before(start)
        if unwritten == ROOM:
            allowed += ("refuse",) if data[len(hollow):len(hollow) + 1] == b"\n" else ()
            hollow += LEFT
        yield changed(f"torn tail {number}", model, model.journal, bytes(hollow), *allowed)


def lines(model):
    """Duplicate, missing and swapped lines."""
    for file, data in model.files.items():
        all_lines = data.splitlines(keepends=True)
        for index, line in enumerate(all_lines):
            head, tail = b"".join(all_lines[:index]), b"".join(all_lines[index + 1:])
            yield changed(f"line {index + 1} doubled", model, file, head + line + line + tail, "refuse")
            if tail:
                yield changed(f"line {index + 1} gone", model, file, head + tail, "refuse")
            if index > 0:
                before = all_lines[index - 1]
                exchanged = head[:-len(before)] + line + before + tail
                yield changed(f"line {index + 1} before the one before", model, file, exchanged, "refuse")


def edits(model):
    """Changes that editors make automatically, and manual changes."""
    for file, data in model.files.items():
        yield changed("CRLF", model, file, data.replace(b"\n", b"\r\n"), "refuse")
        yield changed("a byte order mark", model, file, b"\xef\xbb\xbf" + data, "refuse")
        yield changed("an invalid byte", model, file, data[:-20] + b"\xff" + data[-20:], "refuse")
        yield changed("a space", model, file, data.replace(b":", b": ", 1), "refuse")
        yield changed("an empty line", model, file, data + b"\n", "refuse")
        yield changed("another format", model, file, data.replace(b'"format":1', b'"format":9', 1), "refuse")
        if b"some address" in data:
            yield changed("an edited value", model, file, data.replace(b"some address", b"same address"), "refuse")


def losses(model, other):
    """Missing and empty files, and files of another store."""
    for file in model.files:
        yield f"{file} missing", {file: None}, ("refuse",)
        yield changed("nothing", model, file, b"", "refuse")
        if file in other.files:
            yield changed("that of another store", model, file, other.files[file], "refuse")
    yield "no lock", {"lock": None}, (model.truth,)
    yield "all but the lock missing", {file: None for file in model.files}, ("refuse", NOBODY)


# Trying a case


def attempt(trial, model, _, changes, allowed, program=None):
    store = trial.copy(model.store, program)
    for file, data in ({"lock.sync": None} | changes).items():
        if data is KEPT:
            continue
        if data is None:
            os.unlink(store.file(file)) if os.path.exists(store.file(file)) else None
        else:
            store.write(file, data)
    before = contents(store)
    code, output, errors = store.run("stats")
    if code == 0:
        hold_served(model, store, errors, allowed)
    else:
        hold_refused(store, before, errors, allowed)
    trial.discard(store)


def mails(store):
    """The mails with their texts, which are in erasable slots."""
    return [store.run("outbox", "show", str(number))[1] for number in (1, 2)]


def hold_refused(store, before, errors, allowed):
    if "refuse" not in allowed:
        raise Broken(f"refused: {errors.strip()}")
    if not any(reason in errors for reason in ("is damaged at byte", "newer version", "there is no store")):
        raise Broken(f"refused without a reason: {errors.strip()}")
    if contents(store) != before:
        raise Broken("refused, and files were changed")


def hold_served(model, store, errors, allowed):
    served, _ = store.served()
    if served not in allowed:
        stored = summary(model.truth)
        raise Broken(f"opened, and serves {summary(served, model.truth)}, where {stored} was stored; {errors.strip()}")
    if served == model.truth and mails(store) != model.mails:
        raise Broken("opened, and shows other mails than were written")
    if served != model.truth or errors:
        if errors.count("level=warning") != (1 if has_torn(store) else 0):
            raise Broken(f"opened with other than one warning: {errors.strip()}")


def has_torn(store):
    return any(name.startswith(".torn-") for name in os.listdir(store.path))


def summary(served, truth=None):
    if served in (None, NOBODY):
        return str(served)
    if truth is not None and len(served["clients"]) == len(truth["clients"]):
        other = [client for client in served["clients"] if client not in truth["clients"]]
        return f"{other[:1]} and change {served['provision']}"
    return f"{len(served['clients'])} clients and change {served['provision']}"


def contents(store):
    return {name: store.read_all(name) for name in store.files()}
