# SPDX-License-Identifier: GPL-2.0
"""The table of `make bench`, as lines of text, and the same as JSON."""

from itertools import groupby

from rows import UNTRACED

NOTHING = "-"
WHO_WIDTH = 42
# What the native figures are called in the table.
NATIVE = {
    "write-no-clock": "a record of an entry written, without a clock",
    "write-tsc": "the same with the processor's clock",
    "lttng-ust": "a tracepoint of LTTng-UST with as many bytes",
    "read-decoded": "a record read and decoded",
    "read-columns": "the same, put in order and printed in columns",
    "read-json": "the same, put in order and printed as JSON",
}


def number(value, digits=0):
    return NOTHING if value is None else f"{value:.{digits}f}"


def time(ns):
    """A time by the clock, short."""
    if ns is None:
        return ""
    return f"{ns:.0f} ns" if abs(ns) < 1000 else f"{ns / 1000:.1f} us"


def headed(rows):
    """Rows of one work, under it."""
    order = {}
    for row in rows:
        order.setdefault(row.work, len(order))
    return groupby(sorted(rows, key=lambda row: order[row.work]), key=lambda row: row.work)


class Table:
    """The results of one run."""

    def __init__(self, rows, functions, counted, clocked, native, verdicts):
        self.rows = rows
        self.functions = functions
        self.counted = counted
        self.clocked = clocked
        self.native = native
        self.verdicts = list(verdicts)
        self.bars = {(verdict.bar.kind, verdict.bar.row): verdict for verdict in self.verdicts}

    def bar(self, kind, row, digits=0):
        """The bar's column, and whether it is over it."""
        verdict = self.bars.get((kind, row.id))
        if not verdict:
            return ""
        return f"{verdict.bar.most:.{digits}f}" + ("" if verdict.met else " OVER")

    def text(self):
        lines = list(self.calls())
        if any("arming" in row.shows for row in self.rows):
            lines += ["", *self.arming()]
        if self.native:
            lines += ["", *self.on_silicon()]
        said = {**self.counted.failed, **self.counted.notes}
        if said:
            lines += ["", "What was not measured, or not as it should be"]
            lines += [f"  {row}, {function}: {why}" for (row, function), why in said.items()]
        return lines

    def calls(self):
        """What tracing adds to one call."""
        widths = [max(len(function), 8) for function in self.functions]
        clocked = self.clocked is not None

        def line(name, values, bar, wall):
            columns = "".join(f"  {value:>{width}}" for value, width in zip(values, widths))
            wall = f"  {wall:>10}" if clocked else ""
            return f"{name:{WHO_WIDTH}}{columns}  {bar:>9}{wall}".rstrip()

        first = self.functions[0]
        yield f"Instructions that tracing adds to one call, on Linux {self.counted.kernel}"
        yield line("", self.functions, "at most", "clock*")
        base = [self.counted.measured.get((UNTRACED, function)) for function in self.functions]
        wall = self.clocked.measured.get((UNTRACED, first)) if clocked else None
        yield line("the untraced call", [number(b and b.least) for b in base], "", time(wall and wall.least))
        for work, rows in headed([row for row in self.rows if "call" in row.shows]):
            yield work
            for row in rows:
                values = [
                    "" if row.once and function != first else number(self.counted.added(row.id, function))
                    for function in self.functions
                ]
                wall = self.clocked.added(row.id, first) if clocked and row.wall else None
                yield line(f"  {row.who}", values, self.bar("call", row), time(wall))
        if clocked:
            yield "* what it adds by the clock, with a thread on each of two processors: noisy, and not comparable"

    def arming(self):
        """How long arming and disarming takes."""
        yield "Seconds of instruction time (1 ns each) from the tool's start to the last probe, and from the end to its exit"
        yield f"{'':{WHO_WIDTH}}  {'arming':>8}  {'at most':>9}  {'disarming':>9}  {'at most':>9}"
        for work, rows in headed([row for row in self.rows if "arming" in row.shows]):
            yield work
            for row in rows:
                measured = self.counted.measured.get((row.id, self.functions[0]))
                arming, disarming = (measured.arming, measured.disarming) if measured else (None, None)
                yield (
                    f"{'  ' + row.who:{WHO_WIDTH}}  {number(arming, 3):>8}  {self.bar('arming', row, 1):>9}"
                    f"  {number(disarming, 3):>9}  {self.bar('disarming', row, 1):>9}"
                ).rstrip()

    def on_silicon(self):
        """What the ring costs on this machine itself."""
        yield "On this machine itself, the best of many rounds: noisy"
        for id, figures in groupby(self.native, key=lambda native: native.id):
            shown = []
            for figure in figures:
                if figure.unit == "records/s":
                    shown.append(f"{figure.value / 1e6:.1f} million records/s")
                else:
                    shown.append(f"{figure.value:.{2 if figure.unit == 'GB/s' else 1}f} {figure.unit}")
            yield f"  {NATIVE.get(id, id):52}  {', '.join(shown)}"

    def check(self, problems):
        """What is over its bar, and the last line."""
        over = [verdict for verdict in self.verdicts if not verdict.met]
        for verdict in over:
            bar, digits = verdict.bar, 0 if verdict.bar.kind == "call" else 3
            unit = "instructions" if bar.kind == "call" else "s"
            found = "not measured" if verdict.worst is None else f"{verdict.worst:.{digits}f} {unit}"
            yield f"over: {bar.row}, {bar.kind}: {found} ({verdict.where}), at most {bar.most:g}"
        yield from (f"wrong: {problem}" for problem in problems)
        yield f"{len(self.verdicts) - len(over)} bars met, {len(over)} over"

    def well(self, problems):
        return not problems and all(verdict.met for verdict in self.verdicts)

    def json(self, **about):
        """The same for programs. Times of calls are ns: instructions in `counted`, by the clock in `clocked`."""

        def guest(found):
            return [
                {
                    "row": row,
                    "function": function,
                    "added": found.added(row, function),
                    **vars(measured),
                    **({"note": found.notes[row, function]} if (row, function) in found.notes else {}),
                }
                for (row, function), measured in found.measured.items()
            ] + [{"row": row, "function": function, "failed": why} for (row, function), why in found.failed.items()]

        return {
            **about,
            "kernel": self.counted.kernel,
            "functions": self.functions,
            "rows": [{"id": row.id, "work": row.work, "who": row.who} for row in self.rows],
            "counted": guest(self.counted),
            "clocked": guest(self.clocked) if self.clocked else None,
            "native": [vars(native) for native in self.native],
            "bars": [
                {**vars(verdict.bar), "worst": verdict.worst, "where": verdict.where, "met": verdict.met}
                for verdict in self.verdicts
            ],
        }
