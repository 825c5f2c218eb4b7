"""The edges of one household's figures along an amount: where it loses, by which rule and row, and when it is back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil

from rbcalc._show import amount as shown
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.trace import Entry, Read, Trace
from rbcalc_kernels.exact.walking import Form, Stretch, Walker
from rbcalc_kernels.program.graph import Program, Ref, Table, Value

POUND = Fraction(1)


@dataclass(frozen=True, slots=True)
class Mark:
    """The row of a table, or the line of a rule, that makes an edge."""

    rule: Ref | None
    title: str
    change: str
    source: str
    provisional: bool = False
    table: str = ""
    keys: tuple[Value, ...] = ()  # the members of lists
    edge: Fraction | None = None  # of the banded axis
    upper: bool = False  # whether the edge belongs to the band below it


@dataclass(frozen=True, slots=True)
class Edge:
    """A step of the amount at which the cost jumps up.

    `below` is the last amount without the loss; `loss` the jump in the cost.  `pound` is what is lost where the amount rises
    from there by a pound, what is gained taken off; above nought, a pound more costs more than a pound.  `back` is how much more is
    needed to have as much again; None where that is not within the range.  `rounding` marks the edge of a coarse rounding.
    """

    below: Fraction
    loss: Fraction
    pound: Fraction
    back: Fraction | None
    mark: Mark
    rounding: bool = False


@dataclass(frozen=True, slots=True)
class Slope:
    """Amounts from `first` to `last` over which the cost rises by one rate of what is gained, without a jump.

    Income and cost are those at both ends.  Where the rules refuse the household, `refused` says why.
    """

    first: Fraction
    last: Fraction
    rate: Fraction | None
    income: tuple[Fraction, Fraction] | None = None
    cost: tuple[Fraction, Fraction] | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """A household's figures along the amount."""

    slopes: Sequence[Slope]
    edges: Sequence[Edge]
    stretches: int


class Finder:
    """Finds the edges of one household."""

    def __init__(self, program: Program, walker: Walker, income: Ref, cost: Ref) -> None:
        """Look along the walker's amount."""
        self.program, self.walker, self.income, self.cost = program, walker, income, cost
        self.pound = int(POUND / walker.step)
        self.stretches: list[Stretch] = []
        self.last = 0

    def course(self, first: int, last: int) -> Course:
        """The edges and slopes from one step to another, both included."""
        self.last = last
        self.stretches = list(self.walker.stretches(first, last))
        jumps = {before.last: found for before, after in pairwise(self.stretches) if (found := self._jump(before, after)) is not None}
        return Course(list(self._slopes(jumps)), [edge for edge in jumps.values() if edge.loss > 0], len(self.stretches))

    # ---- edges
    def _jump(self, before: Stretch, after: Stretch) -> Edge | None:
        """How the cost jumps between two stretches; None where their slopes and roundings account for it."""
        if before.fault is not None or after.fault is not None:
            return None
        forms = before.form(self.cost), after.form(self.cost)
        last, now = self.walker.value(self.cost, before.last), forms[1].at
        room = sum((form.high - form.low for form in forms), Fraction(0))
        slopes = [Fraction(0), *(form.slope for form in forms)]
        if min(slopes) - room <= now - last <= max(slopes) + room:
            return None
        limits = before.limits
        return Edge(
            before.last * self.walker.step,
            now - last,
            self._pound(before.last),
            self._back(before.last),
            self._mark(before),
            rounding=all(limit.rounding for limit in limits),
        )

    def _net(self, step: int) -> Fraction:
        return self.walker.value(self.income, step) - self.walker.value(self.cost, step)

    def _gains(self, stretch: Stretch) -> bool:
        """Whether the amount is part of the household's income there."""
        return stretch.form(self.income).slope > 0

    def _pound(self, step: int) -> Fraction:
        """What a pound more costs, less what it brings; a pound that is no income of the household brings itself."""
        try:
            more = step + self.pound
            cost = self.walker.value(self.cost, more) - self.walker.value(self.cost, step)
            gain = self.walker.value(self.income, more) - self.walker.value(self.income, step)
        except CalculationFault:
            return Fraction(0)
        return cost - (gain or POUND)

    def _back(self, step: int) -> Fraction | None:
        """How much more than at a step is needed to have as much again."""
        wanted = self._net(step)
        for stretch in self.stretches:
            if stretch.last <= step or stretch.fault is not None:
                continue
            found = self._reaches(stretch, max(stretch.first, step + 1), wanted)
            if found is not None:
                return (found - step) * self.walker.step
        return None

    def _reaches(self, stretch: Stretch, first: int, wanted: Fraction) -> int | None:
        """The first step of a stretch on which the household has so much."""
        income, cost = stretch.form(self.income), stretch.form(self.cost)
        at = Form(income.at - cost.at, income.slope - cost.slope, income.low - cost.high, income.high - cost.low)
        best = at.after(first - stretch.first) + at.high
        if at.slope <= 0:  # roundings alone may lift it: only where they are close
            sure = at.after(first - stretch.first)
            near = range(first, stretch.last + 1) if best >= wanted and (at.high or sure >= wanted) else range(0)
            return next((step for step in near if self._net(step) >= wanted), None) if at.slope or at.high else (first if near else None)
        begin = max(first, stretch.first + ceil((wanted - at.high - at.at) / at.slope))
        surely = max(first, stretch.first + ceil((wanted - at.low - at.at) / at.slope))
        return next((step for step in range(begin, min(surely, stretch.last) + 1) if self._net(step) >= wanted), None)

    # ---- what makes them
    def _mark(self, before: Stretch) -> Mark:
        """The row or the line whose answer ends a stretch and makes the cost jump."""
        old, new = self.walker.traced(before.last), self.walker.traced(before.last + 1)
        depths = self._jumping(before, old, new)
        limits = [limit for limit in before.limits if limit.rule in depths] or [limit for limit in before.limits if limit.rule is not None]
        if not limits:
            return Mark(None, "", "", "")
        limit = max(limits, key=lambda limit: (bool(limit.table), not limit.rounding, depths.get(limit.rule, 0)))
        entries = [[entry for (ref, _), entry in trace.entries.items() if ref == limit.rule] for trace in (old, new)]
        pairs = list(zip(*entries, strict=False))
        was, now = next(((was, now) for was, now in pairs if was.value != now.value), pairs[0])
        assert limit.rule is not None
        if limit.table:
            table = self.program.tables[limit.table]
            reads = [[read for read in entry.reads if read.name == table.name] for entry in (was, now)]
            changed = next(((a, b) for a, b in zip(*reads, strict=False) if a.value != b.value), None)
            if changed is not None:
                return self._table_mark(limit.rule, table, *changed, was)
        case = now.rule.cases[now.case] if now.case is not None else None
        source = (case.source if case is not None else None) or now.rule.source
        change = f"{shown(was.value, was.rule.type)} becomes {shown(now.value, now.rule.type)}"
        return Mark(limit.rule, now.rule.title, change, source.text if source else "", _provisional(self.program, limit.rule.name))

    def _jumping(self, before: Stretch, old: Trace, new: Trace) -> dict[Ref | None, int]:
        """The rules through whose jumps the cost jumps, each with how deep below the cost it stands."""
        after = self.walker.exact(before.last + 1)
        depths: dict[Ref | None, int] = {self.cost: 0}
        readers: dict[Ref, set[Ref]] = {}
        for trace in (old, new):
            for (ref, _), entry in trace.entries.items():
                readers.setdefault(ref, set()).update(read.name for read in entry.reads if isinstance(read.name, Ref))
        for ref in (queue := [self.cost]):
            for name in readers.get(ref, ()):
                if name not in depths and name in after and not _continuous(before, name, after[name]):
                    depths[name] = depths[ref] + 1
                    queue.append(name)
        return depths

    def _table_mark(self, rule: Ref, table: Table, was: Read, now: Read, entry: Entry) -> Mark:
        width = len(table.axes)
        keys = was.keys[:width]
        edge = _edge(table, entry.row.period, was.keys, now.keys) if table.bands is not None and keys == now.keys[:width] else None
        named = [str(key).replace("_", " ") for key in keys]
        if edge is not None and table.bands is not None:
            named.append(f"{'up to' if table.bands.upper else 'from'} {shown(edge, table.bands.type)}")
        change = f"{', '.join(named)}: {shown(was.value, table.type)} becomes {shown(now.value, table.type)}"
        source = table.source.text if table.source is not None else ""
        upper = table.bands is not None and table.bands.upper
        return Mark(rule, table.title, change, source, _provisional(self.program, table.name), table.name, keys, edge, upper)

    # ---- slopes
    def _slopes(self, jumps: dict[int, Edge]) -> Iterator[Slope]:
        """Stretches put together where neither the rate changes nor anything jumps; one step alone has no rate of its own."""
        groups: list[list[Stretch]] = []
        for stretch in self.stretches:
            if groups and groups[-1][-1].last not in jumps and self._alike(groups[-1], stretch):
                groups[-1].append(stretch)
            else:
                groups.append([stretch])
        for group in groups:
            first, last = group[0].first, group[-1].last
            ends = first * self.walker.step, last * self.walker.step
            if group[0].fault is not None:
                yield Slope(*ends, None, refused=group[0].fault.message)
                continue
            figures = [(self.walker.value(ref, first), self.walker.value(ref, last)) for ref in (self.income, self.cost)]
            yield Slope(*ends, self._kind(_longest(group))[1], figures[0], figures[1])

    def _alike(self, group: Sequence[Stretch], stretch: Stretch) -> bool:
        longest = _longest(group)
        if stretch.fault is None and longest.fault is None and _single(longest):
            return True
        if stretch.fault is None and longest.fault is None and _single(stretch):
            form = longest.form(self.cost)
            return form.low <= stretch.form(self.cost).at - form.after(stretch.first - longest.first) <= form.high
        return self._kind(longest) == self._kind(stretch)

    def _kind(self, stretch: Stretch) -> tuple[str, Fraction]:
        """Why there is no figure, or at which rate of the gain the cost rises."""
        if stretch.fault is not None:
            return stretch.fault.message, Fraction(0)
        gain = stretch.form(self.income).slope or self.walker.step
        return "", stretch.form(self.cost).slope / gain


def _single(stretch: Stretch) -> bool:
    return stretch.first == stretch.last


def _longest(group: Sequence[Stretch]) -> Stretch:
    return max(group, key=lambda stretch: stretch.last - stretch.first)


def _continuous(before: Stretch, ref: Ref, values: Sequence[Value]) -> bool:
    """Whether a rule's values one step after a stretch are those that its slopes and roundings lead to."""
    steps = before.last + 1 - before.first
    forms = before.values.get(ref, ())
    return len(forms) == len(values) and all(_continues(form, steps, value) for form, value in zip(forms, values, strict=True))


def _continues(form: Form | Value, steps: int, value: Value) -> bool:
    if not isinstance(form, Form) or not isinstance(value, Fraction):
        return form == value
    return form.low <= value - form.after(steps) <= form.high


def _edge(table: Table, period: int, was: Sequence[Value], now: Sequence[Value]) -> Fraction | None:
    """The edge of the banded axis that lies between two keys."""
    width = len(table.axes)
    found = table.by_period[period].rows.get(tuple(was[:width]))  # type: ignore[arg-type]
    low, high = was[width], now[width]
    if found is None or table.bands is None or isinstance(low, str) or isinstance(high, str):
        return None
    for edge in found[0]:
        if (low <= edge < high) if table.bands.upper else (low < edge <= high):
            return Fraction(edge)
    return None


def _provisional(program: Program, name: str) -> bool:
    return name in program.provisional
