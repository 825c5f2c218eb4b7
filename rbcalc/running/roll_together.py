"""Amounts of one record that rise together each April: parts, the whole that they add up to, and the award that is left of it.

A record rises only where its amounts prove what they are made of: the whole less its parts must be the published basic amount with one
published amount for each member who is counted, and the award must be the whole less the share of the earnings.  Otherwise the
record stays as it is and is counted as unknown.  The amounts stand in the rules (means_test/uprating.yaml).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import combinations_with_replacement
from math import floor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rbcalc._years import EPOCH

if TYPE_CHECKING:
    from rbcalc.caseload.model import Caseload, EncodedRegister

_MOST: Final = 4  # of one part a record has no more than so many published amounts
Rates = Mapping[int, int]
"""What becomes of a published amount, in pence."""


@dataclass(frozen=True, slots=True)
class Cap:
    """What may hold an award back, in pence for a month: a limit for the award and what is paid beside it for each member."""

    most: Fraction
    without_members: Mapping[int, Fraction]  # by the basic amount, where nobody is counted
    first: Fraction
    further: Fraction
    left_out: str  # a kept column that the limit leaves in payment
    lifted: Mapping[str, int]  # columns that hold at least so much where there is no limit

    def may_hold(self, given: Mapping[str, int], before: int, after: int, basic: int, members: int) -> bool:
        """Whether the award may be held back after the rise; one that was above the limit before and in payment is not limited."""
        if any(given.get(column, 0) >= amount for column, amount in self.lifted.items()):
            return False
        most = self.most if members else self.without_members.get(basic, self.most)
        most += given.get(self.left_out, 0)
        beside = self.first + self.further * (members - 1) if members else 0
        return before <= most < after + beside


@dataclass(frozen=True, slots=True)
class Together:
    """Which columns rise together, from which day, and by which published amounts."""

    register: str
    whole: str
    award: str
    earnings: str
    other: str
    kept: tuple[str, ...]
    counted: tuple[str, str, frozenset[str]]  # register, column, members of its list
    taper: Fraction
    on: int
    basic: Rates
    first: Rates
    further: Rates
    parts: Mapping[str, Rates]
    allowances: Rates
    cap: Cap

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that rise."""
        return (*self.parts, self.whole, self.award)

    def risen(self, given: Mapping[str, int], members: int) -> dict[str, int] | None:
        """The amounts of a record after the rise, by column; None where they do not prove what they are made of."""
        after: dict[str, int] = {}
        for column, rates in self.parts.items():
            if column in given:
                found = {sum(rates[one] for one in some) for some in _sums(rates) if sum(some) == given[column]}
                if len(found) != 1:
                    return None
                after[column] = found.pop()
        if self.whole not in given:
            return after if after and self.award not in given else None
        rest = given[self.whole] - sum(given.get(column, 0) for column in (*self.parts, *self.kept))
        rests = {(basic, self._rest(basic, elder, members)) for basic in self.basic for elder in self._elder(members, basic, rest)}
        if len(rests) != 1:
            return None
        basic, of_rest = rests.pop()
        after[self.whole] = of_rest + sum(after.values()) + sum(given.get(column, 0) for column in self.kept)
        if self.award in given:
            award = self._award(given, after[self.whole])
            if award is None or self.cap.may_hold(given, given[self.award], award, basic, members):
                return None
            after[self.award] = award
        return after

    def _elder(self, members: int, basic: int, rest: int) -> list[int]:
        """The amounts of the first member with which the rest is what was published."""
        if not members:
            return [0] if rest == basic else []
        further = next(iter(self.further))
        return [one for one in (*self.first, *self.further) if rest == basic + one + further * (members - 1)]

    def _rest(self, basic: int, elder: int, members: int) -> int:
        further = next(iter(self.further.values()))
        return self.basic[basic] + ((self.first | self.further)[elder] + further * (members - 1) if members else 0)  # type: ignore[operator]

    def _award(self, given: Mapping[str, int], whole: int) -> int | None:
        """The award after the rise, where the recorded one is the whole less the share of the earnings above an allowance."""
        earned = given.get(self.earnings)
        if earned is None or given.get(self.other) != 0 or not given[self.award]:
            return None
        taken = {now: (self._taken(earned, before), self._taken(earned, now)) for before, now in self.allowances.items()}
        found = {whole - after for before, after in taken.values() if given[self.whole] - before == given[self.award]}
        return max(found.pop(), 0) if len(found) == 1 else None

    def _taken(self, earned: int, allowance: int) -> int:
        return floor(max(earned - allowance, 0) * self.taper + Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class Rolled:
    """What became of the records: of each column how many rose, are unknown, or were not in force then."""

    caseload: Caseload
    counts: dict[str, tuple[int, int, int]]


def roll_together(caseload: Caseload, together: Together) -> Rolled:
    """The caseload with such records divided on the day of the rise."""
    from dataclasses import replace

    register = caseload.registers.get(together.register)
    if register is None or not register.count or register.begins is None or register.ends is None:
        return Rolled(caseload, {})
    there = {name: register.columns[f"{name}?"].astype(bool) for name in together.columns if f"{name}?" in register.columns}
    any_given = np.zeros(register.count, bool)
    for given in there.values():
        any_given |= given
    current = any_given & (register.begins < together.on) & (register.ends >= together.on)
    rows = np.flatnonzero(current)
    members = _members(caseload, register, together)
    risen: dict[int, dict[str, int]] = {}
    met: dict[object, dict[str, int] | None] = {}  # many records hold the same amounts
    for row in rows.tolist():
        amounts = {
            name: int(register.columns[name][row])
            for name in (*together.columns, *together.kept, together.earnings, together.other)
            if f"{name}?" in register.columns and register.columns[f"{name}?"][row]
        }
        key = (*amounts.items(), int(members[row]))
        if key not in met:
            met[key] = together.risen(amounts, int(members[row]))
        after = met[key]
        if after is not None:
            risen[row] = after
    known = np.zeros(register.count, bool)
    known[list(risen)] = True
    counts = {
        name: tuple(int(np.count_nonzero(given & which)) for which in (known, current & ~known, ~current))
        for name, given in there.items()
        if given.any()
    }
    registers = _divided(caseload, register, together, risen) if risen else caseload.registers
    return Rolled(replace(caseload, registers=registers), counts)  # type: ignore[arg-type]


def _members(caseload: Caseload, register: EncodedRegister, together: Together) -> npt.NDArray[np.int64]:
    """For each record how many members are counted on the day of the rise."""
    name, column, kinds = together.counted
    below = caseload.registers.get(name)
    if below is None or not below.count:
        return np.zeros(register.count, np.int64)
    assert below.owner is not None and below.begins is not None and below.ends is not None
    codes = [place for place, kind in enumerate(caseload.lists[name, column]) if kind in kinds]
    counted = np.isin(below.columns[column], codes) & (below.begins <= together.on) & (below.ends >= together.on) & (below.owner >= 0)
    leaders = next(iter(register.same.values()), np.arange(register.count, dtype=np.int32))
    found = np.bincount(leaders[below.owner[counted]], minlength=register.count)
    return found[leaders].astype(np.int64)


def _divided(
    caseload: Caseload, register: EncodedRegister, together: Together, risen: Mapping[int, Mapping[str, int]]
) -> dict[str, EncodedRegister]:
    """The registers with records divided, and what belongs to them at the first part of each."""
    assert register.owner is not None and register.begins is not None and register.ends is not None
    rows = np.fromiter(risen, np.int64, len(risen))
    taken = np.concatenate([np.arange(register.count), rows])
    begins, ends = register.begins[taken], register.ends[taken]
    ends[rows] = together.on - 1
    begins[register.count :] = together.on
    order = np.lexsort((begins, register.owner[taken]))
    made = register.part(taken[order], np.arange(int(register.owner.max()) + 1, dtype=np.int32))
    made.owner, made.begins, made.ends = register.owner[taken][order], begins[order], ends[order]
    place = np.empty(order.size, np.int32)
    place[order] = np.arange(order.size, dtype=np.int32)
    for name, leaders in register.same.items():
        made.same[name] = place[leaders[taken]][order]
    for name in together.columns:
        if name in register.columns:
            later = [after.get(name, int(register.columns[name][row])) for row, after in risen.items()]
            column = register.columns[name]
            made.columns[name] = np.concatenate([column, np.array(later, np.int64).astype(column.dtype)])[order]
    registers = {**caseload.registers, together.register: made}
    for name, above in caseload.above.items():
        if above == together.register:
            below = registers[name]
            assert below.owner is not None
            moved = np.where(below.owner >= 0, place[below.owner], below.owner).astype(np.int32)
            registers[name] = _owned(below, moved)
    return registers


def _owned(register: EncodedRegister, owner: npt.NDArray[np.int32]) -> EncodedRegister:
    """A register sorted by new owners and, of each, as before."""
    order = np.argsort(owner, kind="stable")
    made = register.part(order, np.arange(register.count, dtype=np.int32))
    made.owner = owner[order]
    return made


def together_of(content: Mapping[Any, Any], year: Mapping[Any, Any]) -> Together | None:
    """What rises together in a year, as the rules say it; None where they do not."""
    if "together" not in content or "together" not in year:
        return None
    named, entry = content["together"], year["together"]
    counted = named["counted"]
    return Together(
        str(named["register"]),
        str(named["whole"]),
        str(named["award"]),
        str(named["earnings"]),
        str(named["other"]),
        tuple(map(str, named["kept"])),
        (str(counted["register"]), str(counted["column"]), frozenset(map(str, counted["members"]))),
        Fraction(str(named["taper"]).removesuffix("%")) / 100,
        date.fromisoformat(str(entry["on"])).toordinal() - EPOCH,
        _rates(entry["basic"]),
        _rates(entry["first"]),
        _rates(entry["further"]),
        {str(column): _rates(rates) for column, rates in entry["parts"].items()},
        _rates(entry["allowances"]),
        _cap(named["cap"], entry["cap"], Fraction(str(content["weeks"]["monthly"]))),
    )


def _cap(named: Mapping[Any, Any], entry: Mapping[Any, Any], weeks: Fraction) -> Cap:
    """The limit, of which the rules give amounts for a year and, of what is paid beside, for a week."""
    months = 12
    return Cap(
        Fraction(_pence(entry["most"])) / months,
        {_pence(basic): Fraction(_pence(most)) / months for basic, most in entry["without_members"].items()},
        _pence(entry["first"]) * weeks,
        _pence(entry["further"]) * weeks,
        str(named["left_out"]),
        {str(column): _pence(amount) for column, amount in entry["lifted"].items()},
    )


def columns_of(named: Mapping[Any, Any]) -> tuple[tuple[str, str], ...]:
    """The columns that rise together, each with its register."""
    return tuple((str(named["register"]), str(column)) for column in (*named["parts"], named["whole"], named["award"]))


def _rates(entry: Mapping[Any, Any]) -> dict[int, int]:
    return {_pence(before): _pence(after) for before, after in entry.items()}


def _pence(text: Any) -> int:
    return int(Fraction(str(text).removeprefix("£")) * 100)


def _sums(rates: Rates) -> list[tuple[int, ...]]:
    """The published amounts of which a part may be made, several of them too."""
    return [some for count in range(_MOST + 1) for some in combinations_with_replacement(sorted(rates), count)]


__all__ = ["Cap", "Rolled", "Together", "columns_of", "roll_together", "together_of"]
