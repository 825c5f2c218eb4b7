"""Facts of a claim for Housing Benefit, beside those that it shares with Council Tax Reduction.  Amounts are in pounds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property

from independent.council_tax_reduction.facts import Circumstances, NonDependant, Person

AWAY = ("lives_elsewhere", "patient_over_52_weeks", "forces_on_operations")
"""Non-dependants of whom the law says that they do not live in the dwelling (HBR reg 74(7)(a), (f) and (g))."""


@dataclass(frozen=True)
class Occupant(Person):
    """One person of the family, with what the size criteria ask."""

    sex: str | None = None
    cannot_share: bool = False  # a child, or one of a couple, who cannot share a bedroom (HBR reg 2(1))


@dataclass(frozen=True)
class Lodged(NonDependant):
    """One non-dependant, or a couple of them, with what Housing Benefit asks besides."""

    born: date | None = None
    other_born: date | None = None
    component: bool = False  # the income-related employment and support allowance includes one (HBR reg 74(8))
    other_component: bool = False
    joint_occupiers: int = 1  # whose non-dependant this is (HBR reg 74(5))
    share: Fraction | None = None


@dataclass(frozen=True)
class Household(Circumstances):
    """A state of affairs."""

    mixed_age_saved: bool = False  # SI 2019/37 art 4
    care_home: bool = False  # HBR reg 52(2) to (5)
    transitional_addition: Fraction = Fraction(0)  # HBR Sch 3 Part 8
    benefits_for_cap: Fraction | None = None
    cap_grace: bool = False  # HBR reg 75E(3)
    cap_exempt: bool = False
    extended: Fraction | None = None  # benefit of the last week, HBR regs 72B(1)(a) and 73B(1)(a)
    run_on: bool = False  # SI 2014/1230 reg 8A

    @cached_property
    def residing(self) -> tuple[NonDependant, ...]:
        """The non-dependants who live in the dwelling."""
        return tuple(one for one in self.non_dependants if one.exempt not in AWAY)


@dataclass(frozen=True)
class Charge:
    """A charge that the rent includes, for the time of the rent."""

    kind: str
    amount: Fraction | None = None
    people: int = 0
    children: int = 0
    one_room: bool = False


@dataclass(frozen=True)
class Tenancy:
    """A home and its rent."""

    tenure: str
    rules: str
    rent: Fraction
    frequency: str = "weekly"
    charges: tuple[Charge, ...] = ()
    rent_free_weeks: int = 0
    weeks_in_year: int = 52
    rent_free: bool = False
    share: Fraction | None = None
    joint_tenants: int = 1
    residential: Fraction = Fraction(1)
    bedrooms: int | None = None
    area: str | None = None
    shares_home: bool = False
    shared_exception: str | None = None
    carer_rooms: int = 0
    foster_rooms: int = 0
    forces_rooms: int = 0
    other_rooms: int = 0
    joint_rooms: int | None = None
    size_exemption: str | None = None
    died_on: date | None = None
    protected: Fraction | None = None
    thirteen_weeks_from: date | None = None
    claim_related: Fraction | None = None
    local_reference: Fraction | None = None
    single_room: Fraction | None = None
    meals_in_determination: bool = False
    reasonable: Fraction | None = None
    specified: bool = False
    temporary: str | None = None
    moved_in: date | None = None

    @property
    def by_the_week(self) -> bool:
        """HBR reg 80(2)(a), SPC reg 61(2)(a): rent payable at intervals of a week or a multiple of it."""
        return self.frequency in ("weekly", "fortnightly", "four_weekly")

    @property
    def counts_as_specified(self) -> bool:
        """HBR reg 75H(2) to (5): exempt accommodation is the first kind of specified accommodation."""
        return self.specified or self.rules == "exempt_accommodation"

    @property
    def part(self) -> Fraction:
        """HBR reg 12B(4): the claimant's part of the payments."""
        return Fraction(1, self.joint_tenants) if self.share is None else self.share


@dataclass(frozen=True)
class Let:
    """A tenancy from the first to the last day, both included."""

    first: date
    last: date
    facts: Tenancy
