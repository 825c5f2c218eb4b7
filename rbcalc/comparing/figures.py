"""What options come to beside the baseline, as whole numbers: pence, days and counts of accounts, for each part of a breakdown.

A week's change is never worked out to decide anything: the change of the year is held against an edge by multiplying across.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

    from rbcalc._years import FinancialYear
    from rbcalc.comparing.study import Group, Option, Outcome
    from rbcalc_kernels.program.graph import Impact

Whole = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

TOGETHER: Final = ""
"""The name under which the figures of all councils together are given."""

LOSING, GAINING, UNCHANGED, NEWLY, NO_LONGER, NO_RESULT = (
    "losing",
    "gaining",
    "unchanged",
    "newly_entitled",
    "no_longer_entitled",
    "no_result",
)
OUTCOMES: Final = (GAINING, LOSING, UNCHANGED, NEWLY, NO_LONGER)
"""What becomes of an account; accounts without a result under one of the two sets of rules are told as NO_RESULT where there are any."""

_OF_WHAT_IS_OWED: Final = {NEWLY: "newly_charged", NO_LONGER: "no_longer_charged"}

EDGES: Final = (100, 500, 1000)
"""A week's change in pence, as it is usually printed: more than £1, more than £5, more than £10."""

_EXACT: Final = 2**53


class Studied(Protocol):
    """What a comparison reads of a study."""

    @property
    def year(self) -> FinancialYear:
        """The financial year."""

    @property
    def councils(self) -> tuple[str, ...]:
        """The names of the councils."""

    @property
    def impact(self) -> Impact:
        """What is compared."""

    @property
    def accounts(self) -> dict[str, pa.Array]:
        """The references of the accounts, by council."""

    @property
    def groups(self) -> dict[str, dict[str, Group]]:
        """The groups that accounts fall into, by council and name."""

    @property
    def options(self) -> list[Option]:
        """The options, the baseline first."""

    @property
    def outcomes(self) -> dict[str, dict[str, Outcome]]:
        """What each option comes to, by option and council."""

    @property
    def warnings(self) -> dict[str, tuple[str, ...]]:
        """What is to be known of options besides their figures, by option."""


def gains(impact: Impact) -> tuple[str, str]:
    """The outcomes by which an account gains."""
    return GAINING, NO_LONGER if impact.owed else NEWLY


def losses(impact: Impact) -> tuple[str, str]:
    """The outcomes by which an account loses."""
    return LOSING, NEWLY if impact.owed else NO_LONGER


def named(impact: Impact, outcome: str) -> str:
    """An outcome as it is told: of an amount that is owed nobody is entitled to it."""
    return _OF_WHAT_IS_OWED.get(outcome, outcome) if impact.owed else outcome


@dataclass(slots=True)
class Tally:
    """What some accounts come to: counts, pence of the year, and days.  Tallies of different accounts add up."""

    accounts: int = 0
    gaining: int = 0
    losing: int = 0
    unchanged: int = 0
    paid: int = 0  # accounts with an amount
    paid_before: int = 0  # accounts with an amount under the baseline
    baseline: int = 0
    amount: int = 0
    days: int = 0
    worst: int = 0  # the largest loss a week, in pence, as a negative number

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        sums = {each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        return Tally(**{**sums, "worst": min(self.worst, other.worst)})

    @property
    def change(self) -> int:
        """What the amounts change by, in pence."""
        return self.amount - self.baseline

    @property
    def changed(self) -> int:
        """How many accounts there are whose amount changes."""
        return self.gaining + self.losing

    @property
    def average_week(self) -> Fraction | None:
        """The change for each week of the accounts, in pence; None where there are no days."""
        return Fraction(self.change * 7, self.days) if self.days else None


@dataclass(slots=True)
class Beside:
    """One option beside the baseline for one council (or all), in parts that each add up to the whole.

    `population` and `known_as` tell apart who is compared and who is known: equal numbers are the same accounts.
    """

    paid: int = 0
    known: int = 0
    amount: int = 0
    baseline: int = 0
    compared: int = 0
    population: str = ""
    known_as: str = ""
    outcomes: dict[str, Tally] = field(default_factory=dict)
    ranges: dict[str, Tally] = field(default_factory=dict)
    groups: dict[str, dict[str, Tally]] = field(default_factory=dict)

    @property
    def change(self) -> int:
        """What the cost changes by, in pence."""
        return self.amount - self.baseline


@dataclass(slots=True)
class Cases:
    """One option beside the baseline, account by account: places in the council's accounts, pence, days, and what becomes of each."""

    places: npt.NDArray[np.intp]
    baseline: Whole
    amount: Whole
    days: Whole
    outcome: npt.NDArray[np.int8]  # place in OUTCOMES
    owed: bool = False

    @property
    def change(self) -> Whole:
        """What each amount changes by, in pence of the year."""
        return self.amount - self.baseline

    @property
    def gain(self) -> Whole:
        """What each account gains by it, in pence of the year."""
        return self.baseline - self.amount if self.owed else self.change

    @property
    def week(self) -> Whole:
        """Each change for a week of the account's days, rounded half up to the penny."""
        return weekly(self.change, self.days)


def weekly(change: Whole, days: Whole) -> Whole:
    """The change of the year for a week, in pence, rounded half away from nothing."""
    found: Whole = np.sign(change) * ((np.abs(change) * 14 + days) // (days * 2))
    return found


def ranges(edges: Sequence[int] = EDGES) -> dict[str, str]:
    """The codes of the ranges of a week's change, from the greatest loss to the greatest gain, with words for each."""

    def code(pence: int) -> str:
        return str(pence // 100) if pence % 100 == 0 else f"{pence // 100}_{pence % 100:02d}"

    def money(pence: int) -> str:
        return f"£{pence // 100}" if pence % 100 == 0 else f"£{pence // 100}.{pence % 100:02d}"

    def side(code_verb: str, verb: str) -> dict[str, str]:
        first, last = edges[0], edges[-1]
        between = {
            f"{code_verb}_{code(low)}_to_{code(high)}": f"{verb} more than {money(low)} and up to {money(high)} a week"
            for low, high in pairwise(edges)
        }
        return {
            f"{code_verb}_up_to_{code(first)}": f"{verb} up to {money(first)} a week",
            **between,
            f"{code_verb}_over_{code(last)}": f"{verb} more than {money(last)} a week",
        }

    losses = side("lose", "loses")
    return {**dict(reversed(losses.items())), "same": "no change", **side("gain", "gains")}


def placed(change: Whole, days: Whole, edges: Sequence[int] = EDGES) -> npt.NDArray[np.int8]:
    """The place among the ranges of each account's change for a week, decided exactly."""
    lost, gained = -change * 7, change * 7
    place = np.where(change < 0, len(edges), np.where(change > 0, len(edges) + 2, len(edges) + 1)).astype(np.int8)
    for edge in edges:
        limit = days * edge
        place -= lost > limit
        place += gained > limit
    return place


def cases(study: Studied, option: str, council: str) -> tuple[Cases, Tally | None]:
    """The accounts that the council knows under the baseline or the option, and what those without a result come to, if any."""
    before, after = study.outcomes[study.options[0].name][council], study.outcomes[option][council]
    there = ~(before.rejected | after.rejected)
    known = (before.days > 0) | (after.days > 0) | (before.amount != 0) | (after.amount != 0)
    places = np.flatnonzero(there & known)
    days = np.maximum(before.days[places], after.days[places])
    # An amount without days does not occur where the rules are sound; a year is the longest that it can be for.
    days[days == 0] = study.year.days
    old, new = before.amount[places], after.amount[places]
    more, less = (1, 0) if study.impact.owed else (0, 1)
    outcome = np.select([(old == 0) & (new > 0), (old > 0) & (new == 0), new > old, new < old], [3, 4, more, less], 2).astype(np.int8)
    found = Cases(places, old, new, days, outcome, study.impact.owed)
    one_sided = known & (before.rejected ^ after.rejected)
    if not one_sided.any():
        return found, None
    old, new = np.where(before.rejected, 0, before.amount)[one_sided], np.where(after.rejected, 0, after.amount)[one_sided]
    lost = Cases(places[:0], old, new, np.full(len(old), study.year.days), np.zeros(len(old), np.int8), study.impact.owed)
    columns = _Columns(lost)
    return found, _tallies(_Breakdown(np.zeros(len(old), np.int64), 1, columns), columns)[0]


class _Columns:
    """The columns of some accounts as tallies add them up: made once, used for each breakdown."""

    def __init__(self, found: Cases) -> None:
        gain = found.gain
        self.kind = (np.sign(gain) + 1) * 4 + (found.amount > 0) * 2 + (found.baseline > 0)
        self.baseline, self.amount, self.days = (_summable(column) for column in (found.baseline, found.amount, found.days))
        self.losers = np.flatnonzero(gain < 0)
        self.losses = weekly(gain[self.losers], found.days[self.losers])


def _summable(column: Whole) -> npt.NDArray[np.float64]:
    """A column as bincount adds it up: a float64 does so exactly as long as every sum on the way stays below 2^53."""
    assert float(np.abs(column).sum(dtype=np.float64)) < _EXACT
    return column.astype(np.float64)


class _Breakdown:
    """The parts that accounts fall into, and what of each does not depend on the option."""

    def __init__(self, codes: npt.NDArray[np.int64], size: int, columns: _Columns) -> None:
        self.codes, self.size = codes, size
        self.baseline, self.days = self.sums(columns.baseline), self.sums(columns.days)

    def sums(self, column: npt.NDArray[np.float64]) -> Whole:
        """A column added up for each part."""
        return np.bincount(self.codes, weights=column, minlength=self.size).astype(np.int64)


def _tallies(parts: _Breakdown, columns: _Columns) -> list[Tally]:
    """A tally for each part."""
    counts = np.bincount(parts.codes * 12 + columns.kind, minlength=parts.size * 12).reshape(parts.size, 3, 2, 2)
    worst = np.zeros(parts.size, np.int64)
    np.minimum.at(worst, parts.codes[columns.losers], columns.losses)
    moved = counts.sum(axis=(2, 3))
    by_column = (
        moved.sum(axis=1),
        moved[:, 2],
        moved[:, 0],
        moved[:, 1],
        counts[:, :, 1, :].sum(axis=(1, 2)),
        counts[:, :, :, 1].sum(axis=(1, 2)),
        parts.baseline,
        parts.sums(columns.amount),
        parts.days,
        worst,
    )
    return [Tally(*row) for row in zip(*(column.tolist() for column in by_column), strict=True)]


def beside(study: Studied, edges: Sequence[int] = EDGES) -> dict[str, dict[str, Beside]]:
    """Each option beside the baseline, by option and council; all councils together stand under TOGETHER.

    The baseline beside itself has its cost only.
    """
    counting = _Counting(study, edges)
    found: dict[str, dict[str, Beside]] = {}
    for option in study.options:
        by_council = {council: counting.beside(option.name, council) for council in study.councils}
        found[option.name] = {TOGETHER: _together(by_council), **by_council}
    return found


class _Counting:
    """Counts one option after another, keeping what they have in common."""

    def __init__(self, study: Studied, edges: Sequence[int]) -> None:
        self.study, self.edges, self.names = study, edges, tuple(ranges(edges))
        self.base = study.options[0].name
        self._numbers: dict[tuple[str, bytes], str] = {}
        self._kept: dict[tuple[str, str], tuple[tuple[str, str], _Breakdown]] = {}

    def beside(self, option: str, council: str) -> Beside:
        """An option beside the baseline, for one council."""
        before, after = self.study.outcomes[self.base][council], self.study.outcomes[option][council]
        there = ~after.rejected
        amounts = after.amount[there]
        known = (after.days > 0) & there
        result = Beside(
            paid=int(np.count_nonzero(amounts > 0)),
            known=int(np.count_nonzero(known)),
            amount=int(amounts.sum()),
            baseline=int(before.amount[~before.rejected].sum()),
            known_as=self._number(council, np.packbits(known)),
        )
        if option == self.base:
            return result
        found, without = cases(self.study, option, council)
        result.compared = len(found.places)
        result.population = self._number(council, found.places)
        columns = _Columns(found)
        by_outcome = _Breakdown(found.outcome.astype(np.int64), len(OUTCOMES), columns)
        result.outcomes = dict(zip(OUTCOMES, _tallies(by_outcome, columns), strict=True))
        by_range = _Breakdown(placed(found.gain, found.days, self.edges).astype(np.int64), len(self.names), columns)
        result.ranges = dict(zip(self.names, _tallies(by_range, columns), strict=True))
        same = (result.population, self._number(council, found.days))
        for name, group in self.study.groups[council].items():
            first, *rest = _tallies(self._breakdown(council, group, name, same, found, columns), columns)
            result.groups[name] = dict(zip((*group.members, ""), (*rest, first), strict=True))
        if without is not None:
            result.outcomes[NO_RESULT] = result.ranges[NO_RESULT] = without
        return result

    def _breakdown(self, council: str, group: Group, name: str, same: tuple[str, str], found: Cases, columns: _Columns) -> _Breakdown:
        """The members of a group, what is not recorded first; kept as long as the same accounts are compared for the same days."""
        kept = self._kept.get((council, name))
        if kept is None or kept[0] != same:
            kept = same, _Breakdown(group.codes[found.places].astype(np.int64) + 1, len(group.members) + 1, columns)
            self._kept[council, name] = kept
        return kept[1]

    def _number(self, council: str, which: npt.NDArray[Any]) -> str:
        """A short name for some accounts, or some days: the same for the same."""
        return self._numbers.setdefault((council, which.tobytes()), f"#{len(self._numbers)}")


def _together(parts: Mapping[str, Beside]) -> Beside:
    result = Beside()
    for part in parts.values():
        for name in ("paid", "known", "amount", "baseline", "compared", "population", "known_as"):
            setattr(result, name, getattr(result, name) + getattr(part, name))
        _merge(result.outcomes, part.outcomes)
        _merge(result.ranges, part.ranges)
        for name, members in part.groups.items():
            _merge(result.groups.setdefault(name, {}), members)
    for name, members in result.groups.items():
        # What is not recorded stands last, however many councils there are.
        result.groups[name] = {**{member: tally for member, tally in members.items() if member}, "": members.get("", Tally())}
    return result


def _merge(into: dict[str, Tally], more: Mapping[str, Tally]) -> None:
    for name, tally in more.items():
        into[name] = into[name] + tally if name in into else tally


def rounded(value: Fraction) -> int:
    """A figure to the nearest whole number, halves away from nothing."""
    whole = floor(abs(value) + Fraction(1, 2))
    return -whole if value < 0 else whole
