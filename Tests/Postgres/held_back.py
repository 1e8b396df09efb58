"""The rest of a commit's group that arrives after the client has settled the outcome.

Guarantee: a request that has succeeded is there once, one that was answered with an error that says so has no effect,
and neither changes when the rest arrives. As long as it has not arrived, the server's transaction is open and keeps
its locks: a request whose commit is held between its first write and its mark may be answered with `unavailable` or
`busy`, and between its mark and COMMIT with `outcome_unknown`. Everywhere else it succeeds.
"""

import threading

from commit_cuts import CutOnce, Rig, Rigs, create, is_mark, measure
from databases import slug
from postern import Broken
from proxy import Cut

NAME = "held back"
TIMEOUT_SECONDS = 1
SLACK_BYTES = 4


def run(trial):
    rigs = Rigs(trial, timeout=TIMEOUT_SECONDS)
    length = rigs.use(lambda rig: measure(rig, create))[0][-1]
    answers = {}
    lock = threading.Lock()

    def case(place):
        answer = rigs.use(lambda rig: attempt(rig, place))
        with lock:
            answers[answer] = answers.get(answer, 0) + 1

    trial.hold(trial.sample(range(length + SLACK_BYTES)), case, 3)
    trial.outcome.remarks.append(
        f"a commit of {length} bytes: "
        + ", ".join(f"{count} × {answer or 'success'}" for answer, count in sorted(answers.items(), key=str))
    )
    trial.outcome.bite("without fences", trial.finds(lambda: unfenced(Rig(trial, TIMEOUT_SECONDS), length)))


def attempt(rig, place, before_delivery=lambda rig: None):
    """Holds the bytes of a commit from a place on, and delivers them after the reply. Returns the error."""
    rig.create_undisturbed()
    rule = CutOnce(Cut(request=place, is_held=True))
    email, reply = rig.create(rule)
    if rule.group is None:
        raise Broken("nothing was held back")
    answer = slug(reply)
    if answer not in allowed(rule.group, place):
        raise Broken(f"held from byte {place} on: answered with {reply.get('error')}: {rig.server.errors[-300:]}")
    if answer is None:
        rig.expect(email)
    before_delivery(rig)
    rule.link.deliver()
    emails, _ = rig.store.changes(rig.server, rig.since)
    rig.expect(email, is_there=answer == "outcome_unknown" and email in emails)
    return answer


def allowed(group, place):
    """The errors with which a request may be answered whose commit is held from an offset on; None is a success."""
    written = group.end_of(lambda sql: "postern.entries" in sql)
    marked, committed = group.end_of(is_mark), group.end_of(lambda sql: sql == "COMMIT")
    if marked <= place < committed:
        return {None, "outcome_unknown"}
    if written <= place < marked:
        return {None, "unavailable", "busy"}
    return {None}


def unfenced(rig, length):
    """Deletes the fences before the rest of commits is delivered, from a few places on."""
    for part in range(1, 20):
        attempt(rig, length * part // 20, lambda rig: rig.database.sql("DELETE FROM postern.commits WHERE fenced"))
