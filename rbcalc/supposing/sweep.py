"""Many sets of figures on one caseload: only what follows from them is worked out again, and only totals are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbcalc.comparing.study import Option, Outcome, Study
from rbcalc.errors import UsageError
from rbcalc.rulebook.both import records_of
from rbcalc.rulebook.dials import Dial, literal, reaching, readers, sources_of, steps, turned, type_of
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.program.graph import Program, Value

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.again import Figures, Standing, Taken
    from rbcalc_kernels.language.types import Type

Settings = Mapping[Dial, Value]
WEEK = 7


@dataclass(frozen=True, slots=True)
class Limit:
    """Nobody of a group may lose more than so much a week; without a group, nobody at all."""

    pence: int
    group: str = ""
    member: str = ""

    def __str__(self) -> str:
        who = f" where {self.group} = {self.member}" if self.group else ""
        return f"loss <= £{self.pence / 100:.2f}/week{who}"


@dataclass(slots=True)
class Point:
    """What one set of figures comes to, all councils together; money in pence.

    `gaining` and `losing` count whoever gets more and less than in the baseline, those who come to have nothing among them.
    `beyond` and `worst` are, for each limit, how many lose more than it allows, and the largest loss of a week among those whom it
    protects, in pence.
    """

    settings: Settings
    cost: int = 0
    change: int = 0
    costs: dict[str, int] | None = None
    gaining: int = 0
    losing: int = 0
    largest_loss: Fraction = Fraction(0)
    beyond: tuple[int, ...] = ()
    worst: tuple[Fraction, ...] = ()


class Bench:
    """A study's caseload made ready for other values of some dials, on top of an option."""

    def __init__(
        self,
        study: Study,
        option: Option,
        dials: Sequence[Dial],
        limits: Sequence[Limit] = (),
        values: Mapping[Dial, Sequence[Value]] | None = None,
    ) -> None:
        """Work out everything that the dials do not touch.

        `values` are those that dials will take, so that kernels suit them; others may need their rules compiled one by one.
        Raises UsageError where no council's rules read a dial.
        """
        self.study, self.option, self.dials, self.limits = study, option, tuple(dials), tuple(limits)
        self._benches: list[_Council] = []
        self._fixed: list[Outcome] = []
        self.programs = study.programs(option)
        read_by = {dial: readers(self.programs, dial) for dial in self.dials}
        self.types: dict[Dial, Type] = {dial: type_of(self.programs[councils[0]], dial) for dial, councils in read_by.items()}
        self.baseline = sum(int(outcome.amount.sum()) for outcome in study.outcomes[study.baseline.name].values())
        for council, program in self.programs.items():
            own = [dial for dial, councils in read_by.items() if council in councils]
            if own:
                wanted = {dial: each for dial, each in (values or {}).items() if dial in own}
                self._benches.append(_Council(self, council, reaching(program, wanted), own))
            else:
                self._fixed.append(study.outcome(option, council, program))

    def through(self, points: Sequence[Settings]) -> list[Point]:
        """What each set of figures comes to."""
        found = [Point(settings, costs={}, beyond=(0,) * len(self.limits), worst=(Fraction(0),) * len(self.limits)) for settings in points]
        for bench in self._benches:
            bench.through(points, found)
        for outcome in self._fixed:
            base = self.study.outcomes[self.study.baseline.name][outcome.council]
            tally = _Tally(self.limits, 1, owed=self.study.impact.owed)
            rows = np.flatnonzero(~outcome.rejected)
            masks = masks_of(self.study, outcome.council, self.limits, rows)
            days = np.maximum(outcome.days, base.days)
            tally.add(0, outcome.amount[rows], base.amount[rows], days[rows], masks, ~base.rejected[rows])
            for point in found:
                tally.into(0, point, outcome.council)
        for point in found:
            point.change = point.cost - self.baseline
        return found


class _Council:
    """One council's part of a bench."""

    def __init__(self, bench: Bench, council: str, program: Program, dials: Sequence[Dial]) -> None:
        from rbcalc_kernels.compiled.again import Standing
        from rbcalc_kernels.compiled.spells import cut

        study = bench.study
        self.bench, self.council, self.program, self.dials = bench, council, program, tuple(dials)
        self.impact = next(impact for impact in program.impacts if impact.name == study.impact.name)
        self.refs = (self.impact.amount, self.impact.days)
        self.kernel = study.kernel(program, self.refs)
        base = study.outcomes[study.baseline.name][council]
        held, self.part = study.touched(council)
        self.registers = self.part.columns()
        self.batch, _ = cut(program, self.registers, self.kernel.cuts)
        self.accounts = np.flatnonzero(held)[self.batch.kept]
        self.base = base.amount[self.accounts]
        self.base_days = base.days[self.accounts]
        self.good = ~base.rejected[self.accounts]
        self.masks = masks_of(study, council, bench.limits, self.accounts)
        # What stands ready gives values of the rows by which a batch is divided: of rows that gather accounts, not of accounts.
        self.standing: Standing | None = None
        if program.gathering is None:
            self.standing = Standing(self.kernel.compiled, self.batch, [dial.name for dial in dials], threads=study.threads)

    def through(self, points: Sequence[Settings], found: Sequence[Point]) -> None:
        """Add this council to what the points come to."""
        own = [{dial: value for dial, value in settings.items() if dial in self.dials} for settings in points]
        ready: list[tuple[int, Program, Figures]] = []
        slow: list[int] = []
        for number, settings in enumerate(own):
            program = turned(self.program, settings)
            figures = self.standing.figures(program) if program is not None and self.standing is not None else None
            if figures is None or program is None:
                slow.append(number)
            else:
                ready.append((number, program, figures))
        tally = _Tally(self.bench.limits, len(points), owed=self.impact.owed)
        lock = Lock()
        unsure: list[tuple[int, npt.NDArray[np.int64]]] = []

        def take(place: int, taken: Taken) -> None:
            number = ready[place][0]
            rows = slice(taken.rows.start, taken.rows.stop)
            amount, days = (np.asarray(taken.columns[ref], np.int64) for ref in self.refs)
            base, good, masks = self.base[rows], self.good[rows], [mask[rows] for mask in self.masks]
            days = np.maximum(days, self.base_days[rows])
            if taken.unsure.size:
                with lock:
                    unsure.append((place, taken.unsure + taken.rows.start))
                sure = np.ones(good.size, np.bool_)
                sure[taken.unsure] = False
                amount, base, days, good, masks = amount[sure], base[sure], days[sure], good[sure], [mask[sure] for mask in masks]
            tally.add(number, amount, base, days, masks, good)

        if self.standing is not None:
            self.standing.through([figures for _, _, figures in ready], take)
        for place, rows in unsure:
            self._exactly(tally, ready[place][0], ready[place][1], rows)
        for number in slow:
            self._anew(tally, number, own[number])
        for number, point in enumerate(found):
            tally.into(number, point, self.council)

    def _exactly(self, tally: _Tally, number: int, program: Program, rows: npt.NDArray[np.int64]) -> None:
        """Accounts that a kernel leaves in doubt, worked out exactly; those without a result are left out, as in a comparison."""
        from rbcalc_kernels.exact.faults import CalculationFault

        for row in rows:
            root = build(program, records_of(program, self.registers, int(self.batch.kept[row])))
            try:
                Evaluator(program, self.refs).run(root, None)
            except CalculationFault:
                continue
            amount, days = (int(Fraction(root.values[ref.name]) * scale) for ref, scale in zip(self.refs, (100, 1), strict=True))  # type: ignore[arg-type]
            one = np.array([row])
            most = np.maximum(np.array([days]), self.base_days[one])
            tally.add(number, np.array([amount]), self.base[one], most, [mask[one] for mask in self.masks], self.good[one])

    def _anew(self, tally: _Tally, number: int, settings: Settings) -> None:
        """A set of figures that needs its rules linked again, or the whole caseload worked out again."""
        study, option = self.bench.study, self.bench.option
        program = turned(self.program, settings) if self.standing is None else None
        laid = replace(option, name=f"{option.name} {number}", hypothetical=True)
        if program is None:
            sources = sources_of({self.council: self.program}, settings, study.year, "figures of a sweep")
            laid = replace(laid, scenarios=(*option.scenarios, *sources))
            program = study.program(laid, self.council)
        outcome = study.outcome(laid, self.council, program)
        base = study.outcomes[study.baseline.name][self.council]
        rows = np.flatnonzero(~outcome.rejected)
        days = np.maximum(outcome.days, base.days)[rows]
        masks = masks_of(study, self.council, self.bench.limits, rows)
        tally.add(number, outcome.amount[rows], base.amount[rows], days, masks, ~base.rejected[rows])


class _Tally:
    """Totals by point, added up block by block."""

    def __init__(self, limits: Sequence[Limit], points: int, *, owed: bool) -> None:
        self.limits, self.owed = limits, owed
        self.sums: npt.NDArray[np.int64] = np.zeros((points, 3 + len(limits)), np.int64)
        self.losses: list[list[Fraction]] = [[Fraction(0)] * (1 + len(limits)) for _ in range(points)]
        self.lock = Lock()

    def add(
        self,
        number: int,
        amount: npt.NDArray[np.int64],
        base: npt.NDArray[np.int64],
        days: npt.NDArray[np.int64],
        masks: Sequence[npt.NDArray[np.bool_]],
        good: npt.NDArray[np.bool_],
    ) -> None:
        """Add some accounts of a point; only those that are `good`, with a result of the baseline, can gain or lose."""
        loss = amount - base if self.owed else base - amount
        if not good.all():
            loss = np.where(good, loss, 0)
        weekly = loss * WEEK
        counts = [int(amount.sum()), int(np.count_nonzero(loss < 0)), int(np.count_nonzero(loss > 0))]
        worst = [_largest(weekly, days)]
        for limit, mask in zip(self.limits, masks, strict=True):
            counts.append(int(np.count_nonzero(mask & (weekly > days * limit.pence) & (loss > 0))))
            worst.append(_largest(np.where(mask, weekly, 0), days))
        with self.lock:
            self.sums[number] += np.array(counts, np.int64)
            self.losses[number] = [max(pair) for pair in zip(self.losses[number], worst, strict=True)]

    def into(self, number: int, point: Point, council: str) -> None:
        """Put a point's totals in it."""
        cost, gaining, losing, *beyond = (int(each) for each in self.sums[number])
        point.cost += cost
        point.gaining += gaining
        point.losing += losing
        if point.costs is not None:
            point.costs[council] = cost
        largest, *worst = self.losses[number]
        point.largest_loss = max(point.largest_loss, largest)
        point.beyond = tuple(a + b for a, b in zip(point.beyond, beyond, strict=True))
        point.worst = tuple(max(a, b) for a, b in zip(point.worst, worst, strict=True))


def _largest(weekly: npt.NDArray[np.int64], days: npt.NDArray[np.int64]) -> Fraction:
    """The largest of amounts of seven times over days, in pence a week; never below nothing."""
    if not weekly.size:
        return Fraction(0)
    place = int(np.argmax(weekly / np.maximum(days, 1)))
    return max(Fraction(int(weekly[place]), max(1, int(days[place]))), Fraction(0))


def masks_of(study: Study, council: str, limits: Sequence[Limit], rows: npt.NDArray[np.int64]) -> list[npt.NDArray[np.bool_]]:
    """For each limit, the accounts among `rows` whom it protects.  Raises UsageError where there is no such group."""
    masks = []
    for limit in limits:
        if not limit.group:
            masks.append(np.ones(rows.size, np.bool_))
            continue
        groups = study.groups[council]
        if limit.group not in groups:
            raise UsageError("RC062", f"accounts do not fall into groups by {limit.group}", hint=f"groups there are: {', '.join(groups)}")
        group = groups[limit.group]
        if limit.member not in group.members:
            raise UsageError("RC062", f"{limit.member} is not one of {limit.group}", hint=f"one of {', '.join(group.members)}")
        masks.append(group.codes[rows] == group.members.index(limit.member))
    return masks


def values_of(points: Sequence[Settings]) -> dict[Dial, tuple[Value, ...]]:
    """The values that each dial takes in some points."""
    found: dict[Dial, dict[Value, None]] = {}
    for settings in points:
        for dial, value in settings.items():
            found.setdefault(dial, {})[value] = None
    return {dial: tuple(values) for dial, values in found.items()}


def ranges(programs: Mapping[str, Program], asked: Mapping[Dial, str]) -> dict[Dial, list[Value]]:
    """The values that were asked for of each dial: from:to:step, or values set apart by commas."""
    return {dial: steps(text, type_of(programs[readers(programs, dial)[0]], dial)) for dial, text in asked.items()}


def grid(programs: Mapping[str, Program], asked: Mapping[Dial, str]) -> list[dict[Dial, Value]]:
    """Every combination of the values that were asked for.  Raises UsageError."""
    values = [[(dial, value) for value in each] for dial, each in ranges(programs, asked).items()]
    size = 1
    for each in values:
        size *= len(each)
    if size > MOST_POINTS:
        raise UsageError("RC061", f"{size:,} combinations", hint=f"{MOST_POINTS:,} at the most: take larger steps or fewer dials")
    return [dict(point) for point in product(*values)]


MOST_POINTS = 1_000_000


def table_of(bench: Bench, points: Sequence[Point]) -> Any:
    """The points as an Arrow table: each dial as text, money as decimals, the largest loss of a week in pounds."""
    import pyarrow as pa

    columns: dict[str, Any] = {str(dial): [literal(point.settings[dial], bench.types[dial]) for point in points] for dial in bench.dials}
    money = pa.decimal128(18, 2)
    columns["cost"] = pa.array([_pounds(point.cost) for point in points], money)
    columns["change"] = pa.array([_pounds(point.change) for point in points], money)
    for council in bench.study.councils:
        columns[f"cost_{council}"] = pa.array([_pounds((point.costs or {}).get(council, 0)) for point in points], money)
    columns["gaining"] = pa.array([point.gaining for point in points], pa.int64())
    columns["losing"] = pa.array([point.losing for point in points], pa.int64())
    columns["largest_weekly_loss"] = pa.array([_pounds(round(point.largest_loss)) for point in points], money)
    for place, limit in enumerate(bench.limits):
        columns[f"beyond {limit}"] = pa.array([point.beyond[place] for point in points], pa.int64())
    return pa.table(columns).replace_schema_metadata({"year": str(bench.study.year), "hypothetical": "yes"})


def _pounds(pence: int) -> Any:
    from decimal import Decimal

    return Decimal(pence).scaleb(-2)
