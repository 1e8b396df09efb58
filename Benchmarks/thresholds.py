"""What each row must reach: thresholds.json, by the row's key.

    at_least, at_most   the target of the ratio; `of` says "ours" where it is our own figure that has one
    known               the ratio that was found where the target is missed, and
    spread              how far its runs lay apart
"""

import json
import os

from harness import HERE

# What runs that lie close together may still miss by: the share of a ratio that differs from day to day.
LEAST_ALLOWED = 0.05
PATH = os.path.join(HERE, "thresholds.json")


def load():
    with open(PATH) as file:
        return json.load(file)


def spread(values):
    return max(values) - min(values)


def values(outcome, threshold):
    """The figures that the threshold is about, a run each, and the middle one."""
    if threshold.get("of") == "ours":
        return [our for our, _ in outcome.pairs], outcome.ours
    return outcome.ratios, outcome.ratio


def is_met(outcome, threshold):
    """Whether the target is met by the median, or None where there is none."""
    _, middle = values(outcome, threshold)
    if "at_least" in threshold:
        return middle >= threshold["at_least"]
    return middle <= threshold["at_most"] if "at_most" in threshold else None


def fault(outcome, threshold):
    """What is wrong, in words, or None: the target, or what is known, missed by more than the spread."""
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
    return f"{outcome.row.key}: {middle:.2f}, {which} {limit:.2f}, give or take {allowed:.2f}"


def accept(outcomes):
    """Writes down what was found: the known ratio of each row that misses its target, or has none."""
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
