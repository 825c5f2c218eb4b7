"""Facts of a claim, as an officer has found them.  Amounts are in pounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property

ADULTS = ("applicant", "partner", "further_spouse")
CHILDREN = ("child", "young_person")
WORKING_AGE_BENEFITS = ("income_support", "jsa_income_based", "esa_income_related", "universal_credit")
DAILY_CARE = frozenset(
    {
        "attendance_allowance",
        "dla_care_lowest",
        "dla_care_middle",
        "dla_care_highest",
        "pip_daily_living_standard",
        "pip_daily_living_enhanced",
        "armed_forces_independence_payment",
    }
)


class MissingFactError(ValueError):
    """The law cannot be applied without a fact that is not given."""


@dataclass(frozen=True)
class Income:
    """A payment and the time that it is for: weekly, fortnightly, four_weekly, monthly, quarterly or yearly."""

    kind: str
    amount: Fraction
    period: str = "weekly"
    loan_interest: Fraction = Fraction(0)  # a week, of the loan that bought an annuity (Sch 5 para 11)


@dataclass(frozen=True)
class Person:
    """One person of the family."""

    role: str
    born: date
    key: str = ""
    incomes: tuple[Income, ...] = ()
    care: str | None = None  # disability benefit for care or daily living
    care_suspended: bool = False  # not paid because of a stay in hospital
    mobility: bool = False  # a mobility component
    blind: bool = False
    carer: bool = False  # entitled to carer's allowance, or within eight weeks
    cared_for: bool = False  # somebody is paid for caring for this person
    long_term_sick: bool = False
    special_occupation: bool = False  # Sch 4 para 3
    hours: Fraction | None = None
    hours_condition: bool | None = None  # Sch 4 para 10(2) as an officer found it
    exempt_work_limit: Fraction | None = None  # Sch 4 para 6(7), where the work is exempt
    twenty_kept: bool = False  # Sch 4 para 5(2) and (3)
    parental_contribution: Fraction = Fraction(0)  # Sch 5 para 18
    student_maintenance: Fraction = Fraction(0)  # Sch 5 para 19, with the student's own award
    student_award: Fraction = Fraction(0)
    child_care: Fraction = Fraction(0)  # relevant charges, of a child
    passport: str | None = None
    pension_age_day: date | None = None
    esa_component: str | None = None
    student: bool = False  # one to whom DS para 75(1) applies

    @cached_property
    def adult(self) -> bool:
        return self.role in ADULTS


@dataclass(frozen=True)
class NonDependant:
    """One non-dependant, or a couple of them; all are 18 or over."""

    key: str = ""
    in_work: bool = False
    gross_income: Fraction | None = None  # shown to the authority; of both
    exempt: str | None = None
    couple: bool = False
    other_in_work: bool = False
    other_exempt: str | None = None
    moved_in: date | None = None
    rose_on: date | None = None
    before: Fraction | None = None
    ignored_for_severe_disability: bool = False  # Sch 2 para 6(6)
    second_adult: bool = False
    second_adult_benefit: str | None = None


@dataclass(frozen=True)
class UniversalCredit:
    """Monthly amounts of an award."""

    award: Fraction
    maximum: Fraction
    earnings: Fraction = Fraction(0)
    other_income: Fraction = Fraction(0)


@dataclass(frozen=True)
class Circumstances:
    """A state of affairs."""

    people: tuple[Person, ...]
    non_dependants: tuple[NonDependant, ...] = ()
    capital: Fraction | None = None
    jointly_liable: int = 1  # the applicant among them; 1 where the only other is the partner
    family_premium_saved: bool = False
    lone_parent_rate_saved: bool = False
    children_saved: bool = False
    children_in_tax_credit: int = 0  # individual elements of child tax credit (Sch 1 para 6(1B) as it stood)
    assessed_income: Fraction | None = None
    partner_income_left_out: Fraction = Fraction(0)  # Sch 1 para 14(2)(e)
    earnings_left_out: Fraction = Fraction(20)  # earnings that the assessed income figure leaves out already
    only_students_besides: bool = False  # case (c) of the table of Sch 3
    universal_credit: UniversalCredit | None = None
    universal_credit_left_out: bool = False
    last_week: Fraction | None = None  # weekly reduction kept by an extended reduction
    continuing: bool = False  # Sch 1 para 43
    told_on: date | None = None
    told_late: bool = False

    @cached_property
    def applicant(self) -> Person:
        return next(person for person in self.people if person.role == "applicant")

    @cached_property
    def adults(self) -> tuple[Person, ...]:
        return tuple(person for person in self.people if person.adult)

    @cached_property
    def partners(self) -> tuple[Person, ...]:
        return tuple(person for person in self.people if person.role in ("partner", "further_spouse"))

    @cached_property
    def children(self) -> tuple[Person, ...]:
        return tuple(person for person in self.people if person.role in CHILDREN)

    @cached_property
    def lone_parent(self) -> bool:
        return not self.partners and bool(self.children)

    def on(self, passport: str) -> bool:
        """Whether the applicant or a partner is on a benefit that decides by itself."""
        return any(person.passport == passport for person in self.adults)


@dataclass(frozen=True)
class Spell:
    """Circumstances from the day on which they occurred to the last day, both included."""

    first: date
    last: date
    facts: Circumstances


@dataclass(frozen=True)
class Charge:
    """Council tax from a first to a last day, both included: yearly amounts in pounds, net of discounts and before them.

    Both are after the reduction for disabilities.
    """

    first: date
    last: date
    annual: Fraction
    before_discount: Fraction


@dataclass(frozen=True)
class Claim:
    """A claim: its facts by the days on which they occurred, in order and without a gap."""

    spells: tuple[Spell, ...]
    claimed_on: date | None = None  # None: in payment before the year
    liable_since: date | None = None


def total(amounts: Iterable[Fraction]) -> Fraction:
    return sum(amounts, Fraction(0))
