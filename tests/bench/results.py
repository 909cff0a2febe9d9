# SPDX-License-Identifier: GPL-2.0
"""What the guests and the native programs have printed, and what follows from it."""

from dataclasses import dataclass, field

from rows import UNTRACED, UNTRACED_AGAIN

NS = 1e-9
# Instructions by which the untraced call may differ at the end of a run.
SAME = 2


@dataclass(frozen=True)
class Measured:
    """One row on one function; ns, which under --icount are instructions."""

    least: float
    median: float
    most: float
    calls: int
    # s, from the start of the tool until all is armed, and from the end of the program until the tool has ended
    arming: float
    disarming: float


@dataclass
class Guest:
    """What one guest has found."""

    kernel: str = ""
    measured: dict[tuple[str, str], Measured] = field(default_factory=dict)
    failed: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: dict[tuple[str, str], str] = field(default_factory=dict)
    # How many traced functions one call enters, where that may be more than one.
    entered: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, line):
        """Take in a line of measure.sh; returns the row and the function that it is about, if it is a result."""
        word, _, rest = line.partition(" ")
        if word == "kernel":
            self.kernel = rest
        if word not in ("row", "failed", "note", "entered"):
            return None
        row, function, rest = (rest + "  ").split(" ", 2)
        at = (row, function)
        if word == "entered":
            self.entered[at] = max(int(rest), 1)
            return None
        if word == "note":
            self.notes[at] = rest.strip()
            return None
        if word == "failed":
            self.failed[at] = rest.strip() or "no reason was given"
            return at
        asked, begun, ended, least, median, most, calls, over = map(float, rest.split())
        self.measured[at] = Measured(least, median, most, int(calls), (begun - asked) * NS, (over - ended) * NS)
        return at

    def added(self, row, function):
        """What the row adds to a traced call, in ns; None if it was not measured."""
        untraced, traced = self.measured.get((UNTRACED, function)), self.measured.get((row, function))
        if not untraced or not traced:
            return None
        entered = self.entered.get((row, function), 1)
        return (traced.least - untraced.least) / entered

    def left_behind(self, functions):
        """What is wrong if the untraced call costs something else at the end than at the beginning."""
        for function in functions:
            added = self.added(UNTRACED_AGAIN, function)
            if added is None:
                yield f"the untraced {function} was not measured at the end: the guest has not come so far"
            elif abs(added) > SAME:
                yield f"the untraced {function} costs {added:+.0f} instructions at the end: something was left behind"


@dataclass(frozen=True)
class Native:
    """One line of what runs on this machine itself: native ID UNIT VALUE"""

    id: str
    unit: str
    value: float

    @classmethod
    def parse(cls, line):
        words = line.split()
        return cls(words[1], words[2], float(words[3])) if len(words) == 4 and words[0] == "native" else None


@dataclass(frozen=True)
class Verdict:
    """A bar and what was measured: the worst of all functions; None if one is missing."""

    bar: object
    worst: float | None
    where: str

    @property
    def met(self):
        return self.worst is not None and self.worst <= self.bar.most


def verdicts(bars, counted, functions_of):
    """How each bar is kept. functions_of tells on which functions a row is measured."""
    for bar in bars:
        values = {}
        for function in functions_of(bar.row):
            measured = counted.measured.get((bar.row, function))
            values[function] = (
                counted.added(bar.row, function) if bar.kind == "call" else getattr(measured, bar.kind, None)
            )
        missing = [function for function, value in values.items() if value is None]
        where = missing[0] if missing else max(values, key=values.get)
        # Counted instructions are whole, but for what a batch shares.
        worst = None if missing else values[where]
        yield Verdict(bar, round(worst) if worst is not None and bar.kind == "call" else worst, where)
