"""Facts of last year rolled forward to April: benefits and pensions as the uprating orders raise them, earnings as assumed.

What rises, when and to what stands in the rules (means_test/uprating.yaml).  A record in force over the day of the rise is divided
there; nothing else changes, and the files of the caseload are never touched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from math import floor
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rbcalc._years import EPOCH, FinancialYear, shown
from rbcalc.caseload.choosing import chosen
from rbcalc.errors import UsageError
from rbcalc.running.roll_together import Together, columns_of, roll_together, together_of

if TYPE_CHECKING:
    from rbcalc.caseload.model import Caseload, EncodedRegister
    from rbcalc.rulebook.rules import Rules
    from rbcalc_kernels.program.graph import Register

FILE: Final = "england/means_test/uprating.yaml"
RATE, PER_CENT, ALREADY, UNCHANGED, UNKNOWN, NOT_THEN = range(6)
OUTCOMES: Final = ("to a published rate", "by a percentage", "raised before", "unchanged", "unknown", "not in force then")
_TOGETHER: Final = (RATE, UNKNOWN, NOT_THEN)
_KEYS: Final = ("on", "rates", "by", "in_proportion", "beyond", "paragraph")
_PER_CENT: Final = re.compile(r"(-?\d{1,3}(?:\.\d{1,4})?)\s?%")


@dataclass(frozen=True, slots=True)
class Rise:
    """How one kind of income rises: from which day, and what becomes of a weekly amount in pence."""

    on: int
    rates: Mapping[Fraction, Fraction] = field(default_factory=dict)
    by: Fraction | None = None  # of the amount
    proportion: tuple[Fraction, Fraction] | None = None  # amounts up to the first rise as it rises to the second
    beyond: Fraction = Fraction(0)  # and what is above it by this

    def of(self, pence: int, weeks: Fraction) -> tuple[int, int]:
        """A recorded amount for so many weeks as it is afterwards, and how that is known."""
        weekly = pence / weeks
        if weekly in self.rates:
            after = self.rates[weekly] * weeks
            if after.denominator == 1:
                return int(after), RATE
        if weekly in self.rates.values():
            return pence, ALREADY
        if self.proportion is not None:
            before, after = self.proportion
            risen = min(weekly, before) * after / before + max(weekly - before, Fraction(0)) * (1 + self.beyond)
            return _pence(risen * weeks), PER_CENT
        if self.by is not None:
            return _pence(pence * (1 + self.by)), PER_CENT
        return pence, UNKNOWN


@dataclass(frozen=True, slots=True)
class Rates:
    """What rises in a year, by kind of income; kinds without a rise have an outcome of their own."""

    year: FinancialYear
    register: str
    kind: str
    frequency: str
    amount: str
    weeks: Mapping[str, Fraction]
    rises: Mapping[str, Rise]
    others: Mapping[str, int]
    beside: tuple[tuple[str, str, int], ...] = ()
    together: Together | None = None
    apart: tuple[tuple[str, str], ...] = ()  # columns that would rise together, in a year of which it is not known


ENDED: Final = (".ended", -1)
Counts = Counter[tuple[str, int]]
"""How many records of a kind came to which outcome, and under ENDED how many root rows were left out."""


def roll_forward(caseload: Caseload, described: Mapping[str, Register], rates: Rates) -> tuple[Caseload, Counts]:
    """The caseload with its incomes as they are after April's rises, and what became of each record.

    Root rows that ended before the year are left out.  The caseload that was given stays as it is.  Raises UsageError
    where the rates say nothing of a kind.  `described` are the registers of the rules.
    """
    counts: Counts = Counter()
    caseload, ended = _without_ended(caseload, described, rates.year.first_day)
    counts[ENDED] += ended
    for name, column, told in (*rates.beside, *((name, column, UNKNOWN) for name, column in rates.apart)):
        held = caseload.registers.get(name)
        given = held.columns.get(f"{column}?") if held is not None else None
        if given is not None:
            counts[f"{name}.{column}", told] += int(np.count_nonzero(given))
    if rates.together is not None:
        together = roll_together(caseload, rates.together)
        caseload = together.caseload
        for column, each in together.counts.items():
            counts.update({(f"{rates.together.register}.{column}", how): number for how, number in zip(_TOGETHER, each, strict=True)})
    register = caseload.registers.get(rates.register)
    if register is None or not register.count:
        return caseload, counts
    assert not register.same, "records that others belong to cannot be divided"
    kinds = caseload.lists[rates.register, rates.kind]
    frequencies = caseload.lists[rates.register, rates.frequency]
    missing = [kind for kind in kinds if kind not in rates.rises and kind not in rates.others]
    if missing:
        raise UsageError("RC052", f"{FILE} does not say what becomes of {', '.join(missing)}", hint="list the kind as unchanged or unknown")
    assert register.begins is not None
    assert register.ends is not None
    after = register.columns[rates.amount].astype(np.int64)
    outcome = np.full(register.count, NOT_THEN, np.int8)
    day = np.zeros(register.count, np.int32)
    for code in np.unique(register.columns[rates.kind]):
        kind = kinds[int(code)]
        rows = np.flatnonzero(register.columns[rates.kind] == code)
        rise = rates.rises.get(kind)
        begun = rise.on if rise is not None else rates.year.first_day
        rows = rows[(register.begins[rows] < begun) & (register.ends[rows] >= begun)]
        if rise is None:
            outcome[rows] = rates.others[kind]
            continue
        day[rows] = rise.on
        for frequency in np.unique(register.columns[rates.frequency][rows]):
            some = rows[register.columns[rates.frequency][rows] == frequency]
            weeks = rates.weeks[frequencies[int(frequency)]]
            amounts, places = np.unique(after[some], return_inverse=True)
            found = [rise.of(int(pence), weeks) for pence in amounts]
            after[some] = np.array([pence for pence, _ in found], np.int64)[places]
            outcome[some] = np.array([how for _, how in found], np.int8)[places]
    for code in np.unique(register.columns[rates.kind]):
        found_out, numbers = np.unique(outcome[register.columns[rates.kind] == code], return_counts=True)
        counts.update({(kinds[int(code)], int(how)): int(number) for how, number in zip(found_out, numbers, strict=True)})
    risen = np.flatnonzero((outcome == RATE) | (outcome == PER_CENT))
    if not risen.size:
        return caseload, counts
    registers = {**caseload.registers, rates.register: _divided(register, rates.amount, risen, day[risen], after[risen])}
    return replace(caseload, registers=registers), counts


def _without_ended(caseload: Caseload, described: Mapping[str, Register], first_day: int) -> tuple[Caseload, int]:
    """The caseload without the root rows that ended before a day, and how many those were."""
    root = caseload.registers[caseload.root]
    kept = np.ones(root.count, bool) if root.ends is None else root.ends >= first_day
    if kept.all():
        return caseload, 0
    return chosen(caseload, described, {caseload.root: kept}), root.count - int(np.count_nonzero(kept))


def _divided(
    register: EncodedRegister, amount: str, rows: npt.NDArray[np.int64], days: npt.NDArray[np.int32], amounts: npt.NDArray[np.int64]
) -> EncodedRegister:
    """The register with some records divided on a day, the later part with another amount."""
    assert register.owner is not None
    assert register.begins is not None
    assert register.ends is not None
    taken = np.concatenate([np.arange(register.count), rows])
    begins, ends = register.begins[taken], register.ends[taken]
    ends[rows] = days - 1
    begins[register.count :] = days
    column = register.columns[amount]
    limits = np.iinfo(column.dtype)
    if amounts.max() > limits.max or amounts.min() < limits.min:
        raise UsageError("RC052", f"an amount rises beyond what {amount} may be", hint="look for an amount that was entered wrongly")
    order = np.lexsort((begins, register.owner[taken]))
    made = register.part(taken[order], np.arange(int(register.owner.max()) + 1, dtype=np.int32))
    made.begins, made.ends = begins[order], ends[order]
    values = np.concatenate([column, amounts.astype(column.dtype)])
    made.columns[amount] = values[order]
    return made


class Uprating:
    """The rates of a year at work on the shards of a caseload, counting as it goes."""

    OUTCOMES = OUTCOMES

    def __init__(self, rates: Rates, growth: Fraction | None) -> None:
        """Nothing rolled forward yet."""
        self.rates, self.year, self.growth = rates, rates.year, growth
        self.counts: Counts = Counter()
        self._lock = Lock()

    def rolled_forward(self, caseload: Caseload, described: Mapping[str, Register]) -> Caseload:
        """A shard rolled forward; threads may do so at the same time."""
        made, counts = roll_forward(caseload, described, self.rates)
        with self._lock:
            self.counts += counts
        return made

    def shown(self) -> list[tuple[str, list[int]]]:
        """The counts by kind, in the order of OUTCOMES, and of all together at the end."""
        kinds = sorted({kind for kind, _ in self.counts} - {ENDED[0]})
        rows = [(kind, [self.counts[kind, how] for how in range(len(OUTCOMES))]) for kind in kinds]
        incomes = [counts for kind, counts in rows if "." not in kind]
        return [*rows, ("all incomes", [sum(column) for column in zip(*incomes, strict=True)] if incomes else [0] * len(OUTCOMES))]

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was assumed, for the notes of the run."""
        days = sorted({rise.on for rise in self.rates.rises.values()})
        grown = "earnings are as recorded" if self.growth is None else f"earnings are assumed to grow by {float(self.growth * 100):g} %"
        raised = sum(count for (_, how), count in self.counts.items() if how in (RATE, PER_CENT))
        unknown = sum(count for (_, how), count in self.counts.items() if how == UNKNOWN)
        left = (f"{self.counts[ENDED]:,} accounts that ended before the year were left out",) if self.counts[ENDED] else ()
        return (
            *left,
            f"{raised:,} incomes were rolled forward on the days of the uprating order, {shown(days[0])} to {shown(days[-1])}; {grown}",
            f"{unknown:,} figures that rise by what no record tells are as recorded",
        )


def uprating_for(rules: Rules, year: FinancialYear, growth: Fraction | None = None) -> Uprating:
    """The uprating of a year.  Raises UsageError when the rules do not have it."""
    from rbcalc_kernels.language.documents import ProfileFile

    path = rules.root / FILE
    document = rules.document_at(path) if path.is_file() else None
    if not isinstance(document, ProfileFile):
        raise UsageError("RC052", f"the rules have no {FILE}", hint="it says what rises each April")
    content = document.model_dump()
    years = content["years"]
    if str(year) not in years:
        known = ", ".join(sorted(str(each) for each in years))
        raise UsageError("RC052", f"the upratings for {year} are not known", where=f"rules/{FILE}", hint=f"years there are: {known}")
    rises = {str(kind): _rise(kind, entry) for kind, entry in years[str(year)]["raised"].items()}
    if growth is not None:
        rises |= {str(kind): Rise(year.first_day, by=growth) for kind in content["earnings"]}
    others = dict.fromkeys(map(str, content["unknown"]), UNKNOWN) | dict.fromkeys(map(str, content["unchanged"]), UNCHANGED)
    if growth is None:
        others |= dict.fromkeys(map(str, content["earnings"]), UNCHANGED)
    facts = {str(key): str(value) for key, value in content["facts"].items()}
    beside = tuple(
        (str(each["register"]), str(each["column"]), UNKNOWN if str(each["outcome"]) == "unknown" else UNCHANGED)
        for each in content.get("beside", ())
    )
    weeks = {str(name): Fraction(str(value)) for name, value in content["weeks"].items()}
    together = together_of(content, years[str(year)])
    apart = () if together is not None or "together" not in content else columns_of(content["together"])
    rates = Rates(year, weeks=weeks, rises=rises, others=others, beside=beside, together=together, apart=apart, **facts)
    return Uprating(rates, growth)


def growth_of(text: str | None) -> Fraction | None:
    """An assumed growth, such as 3%.  Raises UsageError."""
    if text is None:
        return None
    match = _PER_CENT.fullmatch(text.strip())
    if match is None or not -50 <= Fraction(match[1]) <= 100:
        raise UsageError("RC052", f"no rate of growth: {text}", hint="as 3% or 2.5%")
    return Fraction(match[1]) / 100


def _rise(kind: Any, entry: Mapping[Any, Any]) -> Rise:
    unknown = [str(key) for key in entry if str(key) not in _KEYS]
    if unknown or "on" not in entry:
        place = getattr(kind, "span", None)
        where = f"rules/{FILE}:{place.line}:{place.column}" if place is not None else f"rules/{FILE}"
        raise UsageError("RC052", f"{kind}: unknown key {', '.join(unknown)}" if unknown else f"{kind}: no day", where=where)
    proportion = [(_pounds(before), _pounds(after)) for before, after in entry.get("in_proportion", {}).items()]
    return Rise(
        date.fromisoformat(str(entry["on"])).toordinal() - EPOCH,
        {_pounds(before): _pounds(after) for before, after in entry.get("rates", {}).items()},
        growth_of(str(entry["by"])) if "by" in entry else None,
        proportion[0] if proportion else None,
        (growth_of(str(entry["beyond"])) or Fraction(0)) if "beyond" in entry else Fraction(0),
    )


def _pounds(text: Any) -> Fraction:
    """Pounds as written, in pence."""
    return Fraction(str(text).removeprefix("£")) * 100


def _pence(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))
