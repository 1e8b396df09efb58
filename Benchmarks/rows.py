"""A row of the table: what is measured, and against which peer."""

import dataclasses
import statistics
import subprocess
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Row:
    key: str
    title: str
    unit: str
    # One run: gives what it measured by name, ours and the peers', one after the other.
    measure: Callable
    ours: str
    theirs: str
    peer: str
    # What it does, in one line.
    about: str
    # Whether more of the unit is better, as with operations a second.
    more_is_better: bool = False
    # What ours must reach by itself, in its unit.
    limit: float | None = None
    is_quick: bool = False


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the runs of a row gave, as (ours, theirs) of each."""

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
        """How many times better than the peer: above 1 we are."""
        return self.better(self.ratio)

    def better(self, ratio):
        return ratio if self.row.more_is_better else 1 / ratio

    def meets_limit(self):
        if self.row.limit is None:
            return None
        return self.ours >= self.row.limit if self.row.more_is_better else self.ours <= self.row.limit


def measure(bench, rows, runs, told=lambda outcome: None):
    """The outcomes of rows, and why there is none, by key. Rows of one measurement share its runs."""
    outcomes, failures = [], {}
    for one in dict.fromkeys(row.measure for row in rows):
        those = [row for row in rows if row.measure is one]
        results = []
        try:
            for _ in range(runs):
                bench.fresh()
                results.append(one(bench))
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            # What cannot be measured, such as a peer that is not there, must not cost the rest of a long run.
            failures |= {row.key: str(error) for row in those}
            continue
        for row in those:
            outcome = Outcome(row, [(values[row.ours], values[row.theirs]) for values in results])
            outcomes.append(outcome)
            told(outcome)
    return outcomes, failures
