"""A record of requests to several processes and their replies, and a checker of it.

Times are those of the machine's monotonic clock. A request takes effect between its invocation and its reply. If its
process was killed, it takes effect at any time after its invocation, or never. The checker searches for a history
that a single store without concurrency could not have produced:

- An email that several processes register at the same time is registered once.
- The ids of new records are distinct, and an operator's changes are numbered from 1 without a gap.
- A counter (the number of changes), or a field with one writer (which writes 1, 2, 3 and so on), is never read as
  less than the value acknowledged before the read began, or than an earlier read returned, or as more than was
  requested by the read's end. This also detects a field that another process's change resets.
"""

import bisect
import dataclasses
import math
import threading
import time


@dataclasses.dataclass
class Event:
    """One request. `answered` is infinite if no reply came."""

    kind: str
    subject: str
    invoked: float
    answered: float = math.inf
    value: object = None


class History:
    """Events, added by many threads."""

    def __init__(self):
        self.events = []
        self._lock = threading.Lock()

    def invoke(self, kind, subject, value=None):
        event = Event(kind, subject, time.monotonic(), value=value)
        with self._lock:
            self.events.append(event)
        return event

    def of(self, kind):
        return [event for event in self.events if event.kind == kind]


class Checker:
    """The result of checking a history: the number of checks, and the faults by kind."""

    def __init__(self, history):
        self.history = history
        self.checked = 0
        self.wrong = {}
        self._check_races()
        self._check_ids()
        for subject in {event.subject for event in history.of("read")}:
            self._check_reads(subject)
        for event in history.of("error"):
            self._note("error", f"{event.subject} is answered with {event.value}")

    def _note(self, kind, text):
        self.wrong.setdefault(kind, []).append(text)

    def summary(self):
        """The faults in one line; None if there are none."""
        return ", ".join(f"{len(texts)} {kind}" for kind, texts in sorted(self.wrong.items())) or None

    def _check_races(self):
        """Registrations: `value` says whether the reply was a success."""
        races = {}
        for event in self.history.of("register"):
            races.setdefault(event.subject, []).append(event)
        for email, events in races.items():
            self.checked += 1
            successes = sum(event.value is True for event in events)
            is_known = all(event.answered < math.inf for event in events)
            if successes > 1:
                self._note("doubled", f"{email} was registered {successes} times")
            if is_known and successes == 0:
                self._note("lost", f"{email} was refused to every process")

    def _check_ids(self):
        made = [event.value for event in self.history.of("made") if event.answered < math.inf]
        self.checked += len(made)
        if len(set(made)) < len(made):
            self._note("doubled", f"{len(made) - len(set(made))} ids were given twice")

    def _check_reads(self, subject):
        """Reads of one counter or field. The `write` events of a field have the values 1, 2, 3 and so on; those of a
        counter, which every process may increment, have None."""
        writes = [event for event in self.history.events if event.kind == "write" and event.subject == subject]
        invoked = sorted(event.invoked for event in writes)
        acknowledged = sorted(
            (event.answered, event.value) for event in writes if event.answered < math.inf
        )
        answers = [answer for answer, _ in acknowledged]
        # For a field, the largest acknowledged value so far; for a counter, the number of acknowledged writes.
        bounds = [0]
        for _, value in acknowledged:
            bounds.append(bounds[-1] + 1 if value is None else max(bounds[-1], value))
        reads = sorted(self.history_reads(subject), key=lambda event: event.invoked)
        by_answer = sorted(reads, key=lambda event: event.answered)
        seen, place = 0, 0
        for read in reads:
            self.checked += 1
            while by_answer[place].answered < read.invoked:
                seen = max(seen, by_answer[place].value)
                place += 1
            least = bounds[bisect.bisect_left(answers, read.invoked)]
            most = bisect.bisect_left(invoked, read.answered)
            if read.value < least:
                self._note("stale or lost", f"{subject} was read as {read.value}, after {least} was acknowledged")
            elif read.value < seen:
                self._note("stale or lost", f"{subject} was read as {read.value}, after a read of {seen}")
            elif read.value > most:
                self._note("doubled", f"{subject} was read as {read.value}, where {most} writes were requested")

    def history_reads(self, subject):
        return [event for event in self.history.of("read") if event.subject == subject and event.answered < math.inf]
