"""The thresholds of the rows: thresholds.json, by the row's key.

    at_least, at_most   the target of the ratio, or with `"of": "ours"` the target of Postern's own figure
    known               the measured value of a row that misses its target or has none
    spread              the difference between the largest and smallest run of that value
"""

import json
import os

from harness import HERE

# The minimum tolerance, as a share of the limit, even if the runs are closer together: ratios differ that much between days.
LEAST_ALLOWED = 0.05
PATH = os.path.join(HERE, "thresholds.json")


def load():
    with open(PATH) as file:
        return json.load(file)


def spread(values):
    return max(values) - min(values)


def values(outcome, threshold):
    """The figures that the threshold applies to, one for each run, and their median."""
    if threshold.get("of") == "ours":
        return [our for our, _ in outcome.pairs], outcome.ours
    return outcome.ratios, outcome.ratio


def is_met(outcome, threshold):
    """Whether the median meets the target, or None if there is no target."""
    _, middle = values(outcome, threshold)
    if "at_least" in threshold:
        return middle >= threshold["at_least"]
    return middle <= threshold["at_most"] if "at_most" in threshold else None


def fault(outcome, threshold):
    """A message if the row misses its known value or its target by more than the spread; else None."""
    runs, middle = values(outcome, threshold)
    limit = threshold.get("known", threshold.get("at_least", threshold.get("at_most")))
    if limit is None:
        return None
    allowed = max(spread(runs), threshold.get("spread", 0), limit * LEAST_ALLOWED)
    has_target = "at_least" in threshold or "at_most" in threshold
    is_least = "at_least" in threshold if has_target else outcome.row.more_is_better
    missed = middle < limit - allowed if is_least else middle > limit + allowed
    if not missed:
        return None
    which = "known" if "known" in threshold else "target"
    return f"{outcome.row.key}: {middle:.2f}, {which} {limit:.2f} ± {allowed:.2f}"


def accept(outcomes):
    """Saves the measured value of each row that misses its target or has none."""
    thresholds = load()
    for outcome in outcomes:
        threshold = thresholds.setdefault(outcome.row.key, {})
        threshold.pop("known", None)
        threshold.pop("spread", None)
        if not is_met(outcome, threshold):
            runs, middle = values(outcome, threshold)
            threshold |= {"known": round(middle, 3), "spread": round(spread(runs), 3)}
    with open(PATH, "w") as file:
        json.dump(thresholds, file, indent=2)
        file.write("\n")
