"""The figures that meet a target: along one dial by narrowing down, over several by a search that never leaves their steps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rbcalc.errors import UsageError
from rbcalc.rulebook.dials import Dial, literal, sources_of
from rbcalc.supposing.sweep import Bench, Limit, Point, Settings, ranges, table_of, values_of
from rbcalc_kernels.program.graph import Value

if TYPE_CHECKING:
    from rbcalc.comparing.study import Option, Study
    from rbcalc_kernels.program.library import RuleSource

_POUNDS: Final = r"£?(\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d+(?:\.\d+)?)"
_COST: Final = re.compile(rf"cost\s*(<=|=)\s*(?:(baseline)|{_POUNDS}\s*(m|k)?)")
_LIMIT: Final = re.compile(r"loss\s*<=\s*£?(\d+(?:\.\d{1,2})?)\s*/\s*week(?:\s+where\s+([a-z_]+)\s*=\s*([a-z_0-9]+))?")

EVERY: Final = 512
"""Up to so many values of one dial are all tried."""

BATCH: Final = 64
"""Otherwise so many at a time, to narrow down where a target is first met."""

SHOWN: Final = 12
"""So many points of the frontier are told and written; the table has all."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the cost of a year may be, in pence: at most so much, or (with `equal`) as near as can be, within `within` of it."""

    pence: int
    equal: bool = False
    within: Fraction = Fraction(1, 1000)

    def missed(self, cost: int) -> int:
        """By how much a cost misses the target; nothing where it meets it."""
        if not self.equal:
            return max(0, cost - self.pence)
        return max(0, abs(cost - self.pence) - int(self.pence * self.within))

    def __str__(self) -> str:
        word = f"as near as can be to, within {float(self.within * 100):g} % of," if self.equal else "at most"
        return f"cost {word} £{self.pence / 100:,.2f}"


@dataclass(slots=True)
class Sought:
    """What a search found.

    `best` is the point that meets the target and all limits and takes least from anybody, None where there is none; `nearest` is then
    what comes closest.  `frontier` are the points of which no other is better in cost, largest loss and number of losers
    at once, within the limits where any point is.  `tried` are all.
    """

    bench: Bench
    target: Target
    best: Point | None
    nearest: Point
    frontier: list[Point]
    tried: list[Point]
    notes: tuple[str, ...] = ()
    names: dict[int, str] = field(default_factory=dict)

    @property
    def table(self) -> Any:
        """The frontier as an Arrow table."""
        return table_of(self.bench, self.frontier)

    @property
    def told(self) -> Any:
        """The best point (or the nearest, where nothing meets the target) and the frontier as an Arrow table, each point once.

        `point` says what a row is, best, nearest or frontier; `on_frontier` whether no other point beats it.
        """
        import pyarrow as pa

        first = self.best or self.nearest
        points = [first, *(point for point in self.frontier if point is not first)]
        names = ["nearest" if self.best is None else "best", *["frontier"] * (len(points) - 1)]
        front = {(each.cost, each.largest_loss, each.losing) for each in self.frontier}
        there = ["yes" if (each.cost, each.largest_loss, each.losing) in front else "no" for each in points]
        made = table_of(self.bench, points).add_column(0, "on_frontier", pa.array(there))
        return made.add_column(0, "point", pa.array(names))

    def scenarios(self, point: Point) -> list[RuleSource]:
        """What reproduces a point, laid over the option that was searched from: one scenario, or one for each council whose rows differ."""
        title = ", ".join(f"{dial} {literal(value, self.bench.types[dial])}" for dial, value in point.settings.items())
        return sources_of(self.bench.programs, point.settings, self.bench.study.year, title)

    def __repr__(self) -> str:
        found = "met" if self.best is not None else "not met"
        return f"Sought({self.target}: {found}; {len(self.tried):,} points tried, {len(self.frontier)} on the frontier)"


def cost_of(text: str) -> re.Match[str]:
    """The parts of a target: how the cost is to stand to what.  Raises UsageError."""
    match = _COST.fullmatch(text.strip())
    if match is None:
        raise UsageError("RC062", f"no target: {text}", hint="as 'cost <= £9180000', 'cost <= £9.18m' or 'cost = baseline'")
    return match


def target_of(text: str, study: Study) -> Target:
    """A target: cost <= £9180000, cost <= baseline, cost = baseline.  Raises UsageError."""
    match = cost_of(text)
    if match[2]:
        pence = sum(int(outcome.amount.sum()) for outcome in study.outcomes[study.baseline.name].values())
    else:
        pence = int(Fraction(match[3].replace(",", "")) * {"m": 1_000_000, "k": 1_000}.get(match[4], 1) * 100)
    return Target(pence, match[1] == "=")


def limit_of(text: str) -> Limit:
    """A limit: loss <= £5/week, or loss <= £0/week where GROUP = MEMBER.  Raises UsageError."""
    match = _LIMIT.fullmatch(text.strip())
    if match is None:
        raise UsageError("RC062", f"no limit: {text}", hint="as 'loss <= £5/week' or 'loss <= £0/week where GROUP = MEMBER'")
    return Limit(int(Fraction(match[1]) * 100), match[2] or "", match[3] or "")


def seek(
    study: Study,
    option: Option,
    vary: Mapping[Dial, str],
    target: Target,
    limits: Sequence[Limit] = (),
    *,
    seed: int = 1,
    most: int = 4_000,
) -> Sought:
    """The values of dials that meet a target within limits, and the frontier of what can be had.

    `vary` gives each dial's range as from:to:step.  One dial is narrowed down until its neighbour does not meet the target; over
    several a seeded search tries about `most` points.  Raises UsageError.
    """
    values = ranges(study.programs(option), vary)
    ends: list[Settings] = [dict(zip(values, corner, strict=True)) for corner in zip(*map(_ends, values.values()), strict=True)]
    bench = Bench(
        study, option, list(values), limits, values_of([*ends, *({dial: each[1]} for dial, each in values.items() if len(each) > 1)])
    )
    search = _Search(bench, values, target)
    if len(values) == 1:
        search.narrow()
    else:
        search.several(seed, most)
    return search.found()


def _ends(values: Sequence[Value]) -> tuple[Value, Value]:
    return values[0], values[-1]


class _Search:
    """Points that were tried, by their places along the dials."""

    def __init__(self, bench: Bench, values: Mapping[Dial, list[Value]], target: Target) -> None:
        self.bench, self.values, self.target = bench, values, target
        self.tried: dict[tuple[int, ...], Point] = {}
        self.notes: list[str] = []

    def points(self, places: Sequence[tuple[int, ...]]) -> list[Point]:
        """What some places come to; each is tried once."""
        new = [place for place in dict.fromkeys(places) if place not in self.tried]
        settings = [{dial: values[at] for (dial, values), at in zip(self.values.items(), place, strict=True)} for place in new]
        self.tried.update(zip(new, self.bench.through(settings), strict=True))
        return [self.tried[place] for place in places]

    def miss(self, point: Point) -> float:
        """By how much a point misses the target and the limits, in shares of them; nothing where it meets them."""
        missed = self.target.missed(point.cost) / max(1, self.target.pence)
        for limit, worst in zip(self.bench.limits, point.worst, strict=True):
            over = worst - limit.pence
            missed += float(max(over, Fraction(0))) / max(100, limit.pence)
        return missed

    def order(self, point: Point) -> tuple[Any, ...]:
        """What is better: to meet everything, then to take less from those who lose most, from fewer, and to spend what there is."""
        spare = abs(point.cost - self.target.pence)
        if self.target.equal:
            return (self.miss(point), spare, point.largest_loss, point.losing)
        return (self.miss(point), point.largest_loss, point.losing, spare)

    def narrow(self) -> None:
        """Try the values of one dial: all of them, or more and more closely about the places where the target begins to be met."""
        count = len(next(iter(self.values.values())))
        if count <= EVERY:
            self.points([(at,) for at in range(count)])
            return
        places = sorted({round(at * (count - 1) / BATCH) for at in range(BATCH + 1)})
        while True:
            found = self.points([(at,) for at in places])
            met = [self.miss(point) == 0 for point in found]
            best = min(range(len(places)), key=lambda n: self.order(found[n]))
            wide = {n for n in range(len(places) - 1) if places[n + 1] - places[n] > 1}
            edges = [n for n in sorted(wide) if met[n] != met[n + 1]]
            # The best may lie within what meets the target, and not at its edge.
            edges = sorted({*edges[:4], *(wide & {best - 1, best})})
            if not edges:
                return
            inner: set[int] = set()
            for n in edges:
                low, high = places[n], places[n + 1]
                inner |= {low + (high - low) * step // BATCH for step in range(BATCH + 1)}
            places = sorted({*places, *inner})

    def several(self, seed: int, most: int) -> None:
        """Search over several dials: every combination where there are few, otherwise differential evolution on their steps."""
        sizes = [len(each) for each in self.values.values()]
        if int(np.prod([float(size) for size in sizes])) <= most:
            self.points([tuple(int(at) for at in place) for place in np.ndindex(*sizes)])
            return
        from scipy.optimize import differential_evolution

        def score(columns: Any) -> Any:
            places = [tuple(round(at) for at in place) for place in np.atleast_2d(np.asarray(columns).T)]
            found = self.points(places)
            return np.array([self._score(point) for point in found])

        population = 12 * len(sizes)
        differential_evolution(
            score,
            bounds=[(0, size - 1) for size in sizes],
            integrality=[True] * len(sizes),
            vectorized=True,
            updating="deferred",
            polish=False,
            seed=seed,
            popsize=12,
            maxiter=max(1, most // population),
            tol=1e-9,
        )
        self._around(min(self.tried, key=lambda place: self.order(self.tried[place])), sizes)

    def _score(self, point: Point) -> float:
        """One number to be made small: what is missed first, then what is taken."""
        spare = abs(point.cost - self.target.pence) / max(1, self.target.pence)
        harm = float(point.largest_loss) / 10_000 + point.losing / 1_000_000
        return self.miss(point) * 1_000 + (spare * 10 + harm / 10 if self.target.equal else harm + spare / 100)

    def _around(self, place: tuple[int, ...], sizes: Sequence[int]) -> None:
        """Step from the best point to its neighbours until none is better."""
        for _ in range(200):
            near = [
                (*place[:axis], place[axis] + step, *place[axis + 1 :])
                for axis in range(len(place))
                for step in (-1, 1)
                if 0 <= place[axis] + step < sizes[axis]
            ]
            self.points(near)
            best = min([place, *near], key=lambda each: self.order(self.tried[each]))
            if best == place:
                return
            place = best

    def found(self) -> Sought:
        """What came of it."""
        points = list(self.tried.values())
        nearest = min(points, key=self.order)
        met = self.miss(nearest) == 0
        within = [point for point in points if not any(point.beyond)]
        if not within:
            self.notes.append("No point that was tried keeps within the limits; the frontier is that of all points.")
        if not met:
            self.notes += self._what_can(points, within)
        front = frontier(within or points)
        return Sought(self.bench, self.target, nearest if met else None, nearest, front, points, tuple(self.notes))

    def _what_can(self, points: Sequence[Point], within: Sequence[Point]) -> list[str]:
        """When a target cannot be met: what can."""
        told = ["No point that was tried meets the target and the limits."]
        if within:
            cheapest = min(within, key=lambda point: (self.target.missed(point.cost), point.largest_loss))
            told.append(f"Within the limits the nearest cost is £{cheapest.cost / 100:,.2f}.")
        on_target = [point for point in points if not self.target.missed(point.cost)]
        if on_target:
            gentlest = min(on_target, key=lambda point: (max(point.worst, default=point.largest_loss), point.largest_loss))
            worst = max(gentlest.worst, default=gentlest.largest_loss)
            told.append(f"At that cost the largest weekly loss among those protected is at least £{float(worst) / 100:,.2f}.")
        return told


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points of which no other is as good in cost, largest loss and number of losers, and better in one; the cheapest first."""
    kept: list[Point] = []
    seen: set[tuple[int, Fraction, int]] = set()
    for point in sorted(points, key=lambda each: (each.cost, each.largest_loss, each.losing)):
        key = (point.cost, point.largest_loss, point.losing)
        if key in seen or any(other.largest_loss <= point.largest_loss and other.losing <= point.losing for other in kept):
            continue
        seen.add(key)
        kept.append(point)
    return kept
