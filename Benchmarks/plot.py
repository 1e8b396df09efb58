"""Writes plots as SVG, without a library: bars of ratios and lines of growth, both on logarithmic scales."""

import math
from xml.sax.saxutils import escape

import thresholds

INK, FAINT = "#222", "#ddd"
COLOURS = {True: "#2a7f62", False: "#c0562f", None: "#6b7a8f"}
LINES = ["#2a7f62", "#c0562f", "#3b6fb6", "#8a5aa8", "#9a7d1e"]


class Drawing:
    def __init__(self, width, height, title):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'font-family="Helvetica, Arial, sans-serif" font-size="12">',
            f'<rect width="{width}" height="{height}" fill="white"/>',
        ]
        self.text(16, 26, title, size=16, weight="bold")

    def text(self, x, y, text, anchor="start", size=12, weight="normal", fill=INK):
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
            f'fill="{fill}">{escape(text)}</text>'
        )

    def line(self, x1, y1, x2, y2, colour=INK, width=1.0, dashes=""):
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"{dashed}/>'
        )

    def box(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>')

    def dot(self, x, y, colour):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>')

    def write(self, path):
        with open(path, "w") as file:
            file.write("\n".join([*self.parts, "</svg>"]) + "\n")


class Scale:
    """Maps values to positions on a logarithmic axis that contains all of them, with a margin at both ends."""

    def __init__(self, values, start, end):
        self.low = min(math.log10(value) for value in values)
        self.high = max(math.log10(value) for value in values)
        margin = (self.high - self.low) * 0.04 + 0.05
        self.low, self.high = self.low - margin, self.high + margin
        self.start, self.end = start, end

    def __call__(self, value):
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def marks(self, steps=(1,)):
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        marks = [step * 10.0**power for power in powers for step in steps]
        return [mark for mark in marks if self.low <= math.log10(mark) <= self.high]


def shown(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def colour(outcome, threshold):
    mets = [met for met in (thresholds.is_met(outcome, threshold), outcome.meets_limit()) if met is not None]
    return COLOURS[all(mets) if mets else None]


def bars(path, outcomes, known):
    """Plots by what factor each row is better than its peer: right of 1, Postern is better."""
    left, right, top, step = 470, 1090, 84, 23
    bottom = top + step * len(outcomes)
    drawing = Drawing(1120, bottom + 44, "Postern and its peers: by what factor Postern is better")
    drawing.text(16, 46, "Logarithmic. Right of 1 Postern is better, left of 1 the peer. The thin line is the spread of the runs.")
    limits = {
        outcome.row.key: outcome.better(value)
        for outcome in outcomes
        for threshold in [known.get(outcome.row.key, {})]
        if threshold.get("of") != "ours" and (value := threshold.get("at_least", threshold.get("at_most")))
    }
    spans = [outcome.better(ratio) for outcome in outcomes for ratio in outcome.ratios]
    scale = Scale([1, *spans, *limits.values()], left, right)
    x = 16
    for key, text in ((True, "targets met"), (False, "target missed"), (None, "no target")):
        drawing.box(x, 57, 12, 12, COLOURS[key])
        drawing.text(x + 18, 67, text)
        x += 130
    drawing.line(x + 4, 55, x + 4, 71, width=3)
    drawing.text(x + 14, 67, "target of the ratio")
    for mark in scale.marks((1, 2, 5)):
        drawing.line(scale(mark), top, scale(mark), bottom, INK if mark == 1 else FAINT, 1.5 if mark == 1 else 1)
        drawing.text(scale(mark), bottom + 18, shown(mark), "middle")
    for number, outcome in enumerate(outcomes):
        y = top + number * step
        least, most = sorted(outcome.better(ratio) for ratio in (outcome.ratios[0], outcome.ratios[-1]))
        start, end = sorted((scale(1), scale(outcome.factor)))
        drawing.text(left - 10, y + 15, f"{outcome.row.title}: {outcome.row.peer}", "end", 11)
        drawing.box(start, y + 4, max(end - start, 1), step - 8, colour(outcome, known.get(outcome.row.key, {})))
        drawing.line(scale(least), y + step / 2, scale(most), y + step / 2, INK, 1)
        if outcome.row.key in limits:
            drawing.line(scale(limits[outcome.row.key]), y + 1, scale(limits[outcome.row.key]), y + step - 1, INK, 3)
    drawing.write(path)


def panel(drawing, x, width, top, bottom, axis, series, unit):
    sizes = sorted({int(size) for values in series.values() for size in values})
    across = Scale(sizes, x, x + width)
    up = Scale([value for values in series.values() for value in values.values()], bottom, top)
    for size in sizes:
        drawing.line(across(size), top, across(size), bottom, FAINT)
        drawing.text(across(size), bottom + 18, f"{size:,}", "middle")
    for mark in up.marks((1, 2, 5)):
        drawing.line(x, up(mark), x + width, up(mark), FAINT)
        drawing.text(x - 6, up(mark) + 4, shown(mark), "end")
    drawing.text(x + width / 2, bottom + 38, axis, "middle", weight="bold")
    drawing.text(x - 30, top - 10, unit)
    for number, (name, values) in enumerate(series.items()):
        points = [(across(int(size)), up(value)) for size, value in values.items()]
        for (x1, y1), (x2, y2) in zip(points, points[1:]):
            drawing.line(x1, y1, x2, y2, LINES[number % len(LINES)], 2)
        for point in points:
            drawing.dot(*point, LINES[number % len(LINES)])
        drawing.dot(x + 4, bottom + 58 + number * 18, LINES[number % len(LINES)])
        drawing.text(x + 14, bottom + 62 + number * 18, name)


def growth(path, panels, title="The cost of an operation as a store grows", unit="microseconds; for memory, megabytes"):
    """Plots one panel for each kind of size, with a line for each operation."""
    most = max(len(series) for series in panels.values())
    drawing = Drawing(560 * max(2, len(panels)), 470 + 18 * most, title)
    for number, (axis, series) in enumerate(panels.items()):
        panel(drawing, 60 + number * 560, 470, 80, 390, axis, series, unit)
    drawing.write(path)
