"""Short ways to write down a household, a home and a claim."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from independent.council_tax_reduction.facts import Income
from independent.housing_benefit.award import HousingClaim, Stay
from independent.housing_benefit.facts import Charge, Household, Let, Lodged, Occupant, Tenancy

ONE_DAY = timedelta(days=1)
OLD, YOUNG = date(1950, 6, 1), date(1985, 6, 1)
"""Somebody of pension age in every year from 2013, reached before April 2021; and somebody of working age."""


def pounds(text: str) -> Fraction:
    return Fraction(text)


def person(role: str = "applicant", born: date = YOUNG, key: str = "", *incomes: tuple[str, str], **more: Any) -> Occupant:
    held = tuple(Income(kind, Fraction(amount)) for kind, amount in incomes)
    return Occupant(role=role, born=born, key=key or role, incomes=held, **more)


def child(born: date, sex: str = "female", key: str = "c", **more: Any) -> Occupant:
    return Occupant(role="child", born=born, key=key, sex=sex, **more)


def household(*people: Occupant, lodged: tuple[Lodged, ...] = (), capital: str = "0", **more: Any) -> Household:
    return Household(people=people, non_dependants=lodged, capital=Fraction(capital), **more)


def lodger(born: date = date(1980, 1, 1), gross: str | None = None, **more: Any) -> Lodged:
    """A non-dependant; in remunerative work where gross income is given."""
    return Lodged(key="n", born=born, in_work=gross is not None, gross_income=None if gross is None else Fraction(gross), **more)


def social(rent: str, **more: Any) -> Tenancy:
    return Tenancy("registered_provider", "social_sector", Fraction(rent), **{"bedrooms": 1, **more})


def private(rent: str, area: str = "stevenage_and_north_herts", **more: Any) -> Tenancy:
    return Tenancy("private_landlord", "local_housing_allowance", Fraction(rent), area=area, **more)


def charge(kind: str, amount: str | None = None, **more: Any) -> Charge:
    return Charge(kind, None if amount is None else Fraction(amount), **more)


def through(first: date, last: date, *facts: tuple[date, Tenancy]) -> list[Let]:
    """A home from a first to a last day, with what holds from each day."""
    begins = [day for day, _ in facts]
    ends = [*(day - ONE_DAY for day in begins[1:]), last]
    return [Let(max(day, first), end, each) for (day, each), end in zip(facts, ends, strict=True)]


def claim(last: date, *facts: tuple[date, Household], claimed_on: date | None = None, liable_since: date | None = None) -> HousingClaim:
    """A claim to a last day, with what holds from each day."""
    begins = [day for day, _ in facts]
    ends = [*(day - ONE_DAY for day in begins[1:]), last]
    stays = tuple(Stay(day, end, each) for (day, each), end in zip(facts, ends, strict=True))
    return HousingClaim(stays, claimed_on, liable_since)
