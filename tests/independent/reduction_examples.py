"""Small makers for the worked examples of council tax reduction."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from independent.council_tax_reduction.award import Figures, figures_on
from independent.council_tax_reduction.facts import Charge, Circumstances, Claim, Income, NonDependant, Person, Spell

OLD, NEW = date(1945, 5, 8), date(1957, 1, 3)  # pension age long before, and some time after, 1 April 2021


def person(role: str = "applicant", born: date = OLD, **facts: Any) -> Person:
    """A person; `incomes` as kind=amount a week."""
    incomes = facts.pop("incomes", {})
    given = tuple(Income(kind, Fraction(str(amount))) for kind, amount in incomes.items())
    return Person(role, born, facts.pop("key", role), given, **facts)


def household(*people: Person, **facts: Any) -> Circumstances:
    """Circumstances; with an applicant and without capital where nothing is said."""
    return Circumstances(people or (person(),), **{"capital": Fraction(0), **facts})


def working(gross: str | None = None, **facts: Any) -> NonDependant:
    """A non-dependant in remunerative work."""
    return NonDependant(in_work=True, gross_income=None if gross is None else Fraction(gross), **facts)


def year(begins: int, annual: str = "1500.00", before: str | None = None) -> Charge:
    """A year's charge."""
    return Charge(date(begins, 4, 1), date(begins + 1, 3, 31), Fraction(annual), Fraction(before or annual))


def on(day: date, facts: Circumstances, charge: Charge | None = None, **how: Any) -> Figures:
    """The figures of a day."""
    begins = day.year - ((day.month, day.day) < (4, 1))
    return figures_on(facts, charge or year(begins), day, **how)


def claim(*spells: tuple[date, Circumstances], ends: date, **facts: Any) -> Claim:
    """A claim from the days on which circumstances began."""
    firsts = [first for first, _ in spells]
    lasts = [*(date.fromordinal(first.toordinal() - 1) for first in firsts[1:]), ends]
    return Claim(tuple(Spell(first, last, found) for (first, found), last in zip(spells, lasts, strict=True)), **facts)


def pounds(text: str) -> Fraction:
    """An amount."""
    return Fraction(text)
