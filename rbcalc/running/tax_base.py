"""The Council Tax base: from the sums of a run to relevant amounts by band, and to the base by council and by part of its area.

The rules scale each dwelling's days to the band that amounts are set for (rules/england/council_tax/tax_base.yaml); here the days are
divided by those of the year, reductions become equivalent numbers of dwellings, and the officer's collection rate comes last.
Everything is exact: the regulations do not round.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any, Final

from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError
from rbcalc.running.totals import Table
from rbcalc_kernels.program.graph import Program, Report

if TYPE_CHECKING:
    from rbcalc.running.run import Summary

FACTS: Final = "tax_base_facts"
REDUCTIONS: Final = "tax_base_reductions"
RATIO: Final = "tax_base_ratio"
AMOUNT: Final = "amount_for_band"
PREFIX: Final = "tax_base_"
PLACES: Final = 1
"""Decimals of a published base: the returns to the Secretary of State show one."""

_RATE: Final = re.compile(r"(\d{1,3}(?:\.\d{1,4})?)\s?%")


@dataclass(frozen=True, slots=True)
class Line:
    """One group of dwellings, in numbers of dwellings of a whole year: what the rules count, and the reductions."""

    keys: tuple[str, ...]
    figures: Mapping[str, Fraction]  # as the rules count them (items H, Q, E and their parts of J)
    reductions: Fraction  # item Z
    ratio: Fraction  # F / G
    relevant_amount: Fraction

    def __add__(self, other: Line) -> Line:
        """The same group of two parts of the area."""
        figures = {name: value + other.figures[name] for name, value in self.figures.items()}
        return Line(self.keys[1:], figures, self.reductions + other.reductions, self.ratio, self.relevant_amount + other.relevant_amount)

    def shown(self) -> dict[str, Fraction]:
        """All that people read of it, by name."""
        return {**self.figures, "reductions": self.reductions, "relevant_amount": self.relevant_amount}


@dataclass(frozen=True, slots=True)
class TaxBase:
    """A council's base for a year, before what an officer adds for dwellings to come and for class O (regs. 3(4) and 4(8))."""

    council: str
    year: FinancialYear
    collection_rate: Fraction
    names: tuple[str, ...]  # of the keys: the part of the area, and the group within it
    lines: tuple[Line, ...]

    @property
    def relevant_amounts(self) -> Fraction:
        """Item A of regulation 3: the total of the relevant amounts."""
        return sum((line.relevant_amount for line in self.lines), Fraction(0))

    @property
    def base(self) -> Fraction:
        """A x B (reg. 3(1))."""
        return self.relevant_amounts * self.collection_rate

    def whole(self) -> dict[str, Line]:
        """The lines of the whole area."""
        found: dict[str, Line] = {}
        for line in self.lines:
            group = line.keys[-1]
            found[group] = found[group] + line if group in found else line
        return found

    def by_area(self) -> dict[str, Fraction]:
        """The base of each part of the area, which is M x N / (M + O) (reg. 6); nothing is rounded, so the parts add up."""
        found: dict[str, Fraction] = {}
        for line in self.lines:
            found[line.keys[0]] = found.get(line.keys[0], Fraction(0)) + line.relevant_amount * self.collection_rate
        return found


def is_part(report: Report) -> bool:
    """Whether a report is only a step on the way to the base."""
    return report.name in (FACTS, REDUCTIONS)


def shown(program: Program) -> list[Report]:
    """The reports that people read."""
    return [report for report in program.reports if not is_part(report)]


def collection_rates(given: Iterable[str], councils: Iterable[str]) -> dict[str, Fraction]:
    """The rates that an officer declares: one for all councils (98.5%), or one for each (name=98.5%).

    Raises UsageError: a rate is never assumed.
    """
    names = list(councils)
    found: dict[str, Fraction] = {}
    for text in given:
        name, _, rate = text.rpartition("=")
        match = _RATE.fullmatch(rate.strip())
        if match is None or not 0 < Fraction(match[1]) <= 100 or (name and name.strip() not in names):
            raise UsageError("RC051", f"no collection rate: {text}", hint=f"as 98.5%, or {names[0]}=98.5% for one of several councils")
        found |= dict.fromkeys([name.strip()] if name else names, Fraction(match[1]) / 100)
    missing = [name for name in names if name not in found]
    if found and missing:
        raise UsageError("RC051", f"no collection rate for {', '.join(missing)}", hint="give one for each council: a rate is never assumed")
    return found


def tax_base(program: Program, council: str, year: FinancialYear, tables: Mapping[str, Table], rate: Fraction) -> TaxBase:
    """The base from a council's totals.  Raises UsageError where the amounts for the bands change within the year."""
    report = next(report for report in program.reports if report.name == FACTS)
    names = [ref.name.removeprefix(PREFIX) for ref in report.sums]
    amounts, ratios = _cells(program, AMOUNT), _cells(program, RATIO)
    reductions = {keys: figures[0] for keys, figures in tables[REDUCTIONS].items()}
    lines = []
    for keys in sorted({*tables[FACTS], *reductions}, key=lambda keys: _place(program, keys)):
        found = tables[FACTS].get(keys, [Fraction(0)] * (len(names) + 1))
        *figures, scaled = (days / year.days for days in found[: len(names)])
        awarded, amount, ratio = reductions.get(keys, Fraction(0)), amounts.get(keys, Fraction(0)), ratios[keys[-1:]]
        if awarded and not amount:
            raise UsageError("RC051", f"no amount is known for {' '.join(keys)}", hint="reductions are divided by the amount for the band")
        equivalent = awarded / amount if awarded else Fraction(0)
        lines.append(Line(keys, dict(zip(names, figures, strict=False)), equivalent, ratio, scaled - equivalent * ratio))
    return TaxBase(council, year, rate, tuple(ref.name for ref in report.by), tuple(lines))


def bases(summary: Summary, rates: Mapping[str, Fraction]) -> dict[str, TaxBase]:
    """The base of each council of a run for which a rate was declared."""
    return {
        name: tax_base(summary.programs[name], name, summary.year, summary.totals[name], rate)
        for name, rate in rates.items()
        if name in summary.programs
    }


def _cells(program: Program, name: str) -> dict[tuple[str, ...], Fraction]:
    contents = program.tables[name].by_period
    if any(cells.rows != contents[0].rows for cells in contents):
        raise UsageError("RC051", f"{name} changes within the year", hint="a tax base rests on amounts of the whole year")
    return {keys: Fraction(values[0]) for keys, (_, values) in contents[0].rows.items()}


def _place(program: Program, keys: tuple[str, ...]) -> tuple[int, ...]:
    """Where a combination stands in the order of its lists."""
    return tuple(axis.members.index(key) for axis, key in zip(program.tables[AMOUNT].axes, keys, strict=True))


def rounded(value: Fraction, places: int) -> str:
    """A number to so many decimals, half up, as text."""
    whole = floor(abs(value) * 10**places + Fraction(1, 2))
    text = f"{whole // 10**places:,}" + (f".{whole % 10**places:0{places}d}" if places else "")
    return f"-{text}" if value < 0 and whole else text


def arrow(found: TaxBase) -> Any:
    """The base as an Arrow table: each line of each part of the area, to six decimals, with exact fractions as text."""
    import pyarrow as pa

    columns: dict[str, Any] = {
        name: pa.array([line.keys[place] for line in found.lines], pa.string()) for place, name in enumerate(found.names)
    }
    rows = [{**line.shown(), "tax_base": line.relevant_amount * found.collection_rate} for line in found.lines]
    for name in rows[0] if rows else ():
        decimals = pa.array([rounded(row[name], 6).replace(",", "") for row in rows], pa.string())
        columns[name] = decimals.cast(pa.decimal128(18, 6))
        columns[f"{name}_exact"] = pa.array([str(row[name]) for row in rows], pa.string())
    columns["ratio"] = pa.array([str(line.ratio) for line in found.lines], pa.string())
    columns["collection_rate"] = pa.array([str(found.collection_rate)] * len(found.lines), pa.string())
    return pa.table(columns)
