"""Four processes on one database that get requests at the same time, while something goes wrong with the server."""

import itertools
import threading
import time

import databases  # noqa: F401 - it makes the modules of Tests/Faults known
from crowd import PROCESSES, Crowd, Worker
from stores import NOT_WRITTEN, UNKNOWN

REFUSED_PAUSE_SECONDS = 0.02


class PostgresCrowd(Crowd):
    """Processes, the threads that drive them, and their common history.

    A request that is answered with an error that says that nothing was written must not have been written; one with
    the error `outcome_unknown` may have been.
    """

    def __init__(self, trial, store, trouble=None, addresses=None):
        """`trouble` is called with the crowd in a thread. The processes use the addresses in turn, if there are any,
        instead of the store's."""
        self.addresses = addresses or [store.path]
        self._make_trouble = trouble
        # The beginning of the paths that keep what the processes log.
        self.logs = None
        # Called when all workers have ended.
        self.before_last_read = lambda: None
        # When each worker's writes were acknowledged.
        self.successes = [[] for _ in range(PROCESSES)]
        super().__init__(trial, trial.program, False, store)

    def worker(self, number):
        return PostgresWorker(self, number)

    def run(self, seconds):
        self.end = time.monotonic() + seconds
        if self._make_trouble is None:
            return super().run(seconds)
        thread = threading.Thread(target=self._trouble)
        thread.start()
        try:
            return super().run(seconds)
        finally:
            thread.join()

    def _trouble(self):
        try:
            self._make_trouble(self)
        except Exception as error:
            # It must not end silently.
            self.history.invoke("error", "the trouble itself", f"{type(error).__name__}: {error}")

    def _read_last(self):
        self.before_last_read()
        super()._read_last()

    def pause(self, seconds):
        """Sleeps, but not longer than the run takes. Returns whether the run goes on."""
        time.sleep(max(0, min(seconds, self.end - time.monotonic())))
        return not self.is_over

    @property
    def acknowledged(self):
        return sum(len(own) for own in self.successes)

    def gap(self, begin=None, end=None):
        """The longest time, in seconds, in which no process had a write acknowledged."""
        times = sorted(moment for own in self.successes for moment in own)
        times = [moment for moment in times if (begin or 0) <= moment <= (end or self.end)]
        times = [begin or times[0], *times, end or times[-1]] if times else [begin or 0, end or self.end]
        return max(later - earlier for earlier, later in itertools.pairwise(times))

    def served_after(self, moment):
        """The seconds after a moment until every process had a write acknowledged; None if one had none."""
        firsts = [next((time for time in own if time > moment), None) for own in self.successes]
        return None if None in firsts else max(firsts) - moment


class PostgresWorker(Worker):
    """One process, and the thread that sends it bursts of requests."""

    def serve(self):
        address = self.crowd.addresses[self.number % len(self.crowd.addresses)]
        return self.crowd.store.at(address).serve()

    def refused(self, what, error, events):
        slug = error.get("data", {}).get("errors", [None])[0]
        if NOT_WRITTEN.get(error["code"]) == slug:
            self.crowd.done[slug] += 1
            for event in events:
                # A counter counts each write that was requested, so this one must not be among them.
                if event.kind == "write" and event.value is None:
                    event.kind = "refused"
            time.sleep(REFUSED_PAUSE_SECONDS)
        elif UNKNOWN.get(error["code"]) == slug == "outcome_unknown":
            self.crowd.done[slug] += 1
        else:
            super().refused(what, error, events)

    def _kill(self):
        if self.crowd.logs is not None:
            with open(f"{self.crowd.logs}-process{self.number}.log", "a") as file:
                file.write(self.server.errors)
        super()._kill()

    def _note(self, method, result, events):
        super()._note(method, result, events)
        if method != "operators.clients.get":
            self.crowd.successes[self.number].append(time.monotonic())


def hold(trial, crowd, seconds):
    """Runs a crowd, and records the checks of its history. Returns the checker."""
    checker = crowd.run(seconds)
    trial.outcome.tried += checker.checked
    trial.outcome.held += checker.checked
    for kind, texts in checker.wrong.items():
        trial.outcome.tried += len(texts)
        trial.outcome.failures += [f"{kind}: {text}" for text in texts]
    if not crowd.acknowledged:
        trial.outcome.tried += 1
        trial.outcome.failures.append("nothing was acknowledged")
    return checker


def expect(trial, condition, failure):
    """Records one more check."""
    trial.outcome.tried += 1
    if condition:
        trial.outcome.held += 1
    else:
        trial.outcome.failures.append(failure)


def in_words(crowd):
    """What was answered, and what happened meanwhile."""
    words = [f"{crowd.acknowledged} writes acknowledged", *(f"{count} × {what}" for what, count in crowd.done.items())]
    return ", ".join(words)
