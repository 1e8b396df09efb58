"""A row of the table: a measurement and its peer."""

import dataclasses
import statistics
import subprocess
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Row:
    key: str
    title: str
    unit: str
    # Makes one run, and returns its figures by name, those of Postern and of the peers.
    measure: Callable
    ours: str
    theirs: str
    peer: str
    # What the row measures, in one line.
    about: str
    # True if a larger figure is better, as for operations a second.
    more_is_better: bool = False
    # The target of Postern's own figure, in the row's unit.
    limit: float | None = None
    is_quick: bool = False


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The results of a row: a pair (ours, theirs) for each run."""

    row: Row
    pairs: list

    @property
    def ours(self):
        return statistics.median(our for our, _ in self.pairs)

    @property
    def theirs(self):
        return statistics.median(their for _, their in self.pairs)

    @property
    def ratios(self):
        return sorted(our / their for our, their in self.pairs)

    @property
    def ratio(self):
        return statistics.median(self.ratios)

    @property
    def factor(self):
        """By what factor Postern is better than the peer; above 1, Postern is better."""
        return self.better(self.ratio)

    def better(self, ratio):
        return ratio if self.row.more_is_better else 1 / ratio

    def meets_limit(self):
        if self.row.limit is None:
            return None
        return self.ours >= self.row.limit if self.row.more_is_better else self.ours <= self.row.limit


def measure(bench, rows, runs, report=lambda outcome: None):
    """The outcomes of the rows, and by key the reasons of failures. Rows with the same `measure` share its runs."""
    outcomes, failures = [], {}
    for one in dict.fromkeys(row.measure for row in rows):
        those = [row for row in rows if row.measure is one]
        results = []
        try:
            for _ in range(runs):
                bench.fresh()
                results.append(one(bench))
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            # A row that cannot be measured, for example because its peer is missing, must not end a long run.
            failures |= {row.key: str(error) for row in those}
            continue
        for row in those:
            outcome = Outcome(row, [(values[row.ours], values[row.theirs]) for values in results])
            outcomes.append(outcome)
            report(outcome)
    return outcomes, failures
