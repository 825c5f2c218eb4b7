"""Dates, residents, disregards and exempt dwellings, written from the statute.

Nothing here comes from the engine or its rules.  References: LGFA = Local Government Finance Act 1992; DDO = SI 1992/548;
APR = SI 1992/552; EDO = SI 1992/558, each as amended for England.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Generic, TypeVar

T = TypeVar("T")
SIX_WEEKS = 42


@dataclass(frozen=True)
class Dated(Generic[T]):
    """A fact that holds from the first to the last day, both included; no last day means it goes on."""

    value: T
    first: date
    last: date | None = None

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


def value_on(facts: Sequence[Dated[T]], day: date) -> T | None:
    """The value that holds on the day; two different values on one day are an error in the record."""
    if not facts:
        return None
    found = [fact.value for fact in facts if fact.first <= day and (fact.last is None or day <= fact.last)]
    if len(found) > 1 and any(value != found[0] for value in found):
        raise ValueError(f"two different facts recorded for {day}: {found}")
    return found[0] if found else None


@lru_cache(maxsize=4096)
def add_months(day: date, months: int) -> date:
    """The corresponding date so many months on, or the last day of a month that is too short."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, min(day.day, calendar.monthrange(year, month0 + 1)[1]))


def add_years(day: date, years: int) -> date:
    return add_months(day, 12 * years)


def age_on(born: date, day: date) -> int:
    """Age from the start of the birthday (Family Law Reform Act 1969 s.9); 29 February is kept on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def six_weeks_or_less(first: date, last: date) -> bool:
    return (last - first).days + 1 <= SIX_WEEKS


def empty_since(vacated: date, occupations: Sequence[tuple[date, date]], one_only: bool = False) -> date:
    """First day of the empty period that is running, after ignoring short occupations.

    LGFA s.11B(9): any number of periods of not more than six weeks.  EDO art 2(3): one such period only (`one_only`).
    """
    start, ignored = vacated, 0
    for first, last in sorted(occupations):
        if last < start:
            continue
        if six_weeks_or_less(first, last) and not (one_only and ignored):
            ignored += 1
        else:
            start, ignored = last + timedelta(days=1), 0
    return start


# ---------------------------------------------------------------- residents and disregards (LGFA Sch 1)

# The day's test is no more than "an officer holds the evidence" for these.
RECORDED = frozenset(
    {
        "detained", "smi", "student", "student_nurse", "foreign_language_assistant", "student_spouse_non_british",
        "long_stay_hospital_patient", "care_home_resident", "hostel_resident", "religious_community",
        "visiting_forces", "international_hq", "diplomat",
    }
)  # fmt: skip
APPRENTICE_WEEKLY_PENCE = 195_00  # DDO Sch 1 para 1(1)(c), by SI 2006/3396: no more than
CARE_WORKER_WEEKLY_PENCE = 44_00  # APR Sch para 1(c): not more than
CARE_WORKER_HOURS = 24
CARER_HOURS = 35
# EDO art 3 Class N(2)(a).  A student nurse, an apprentice or a youth trainee is not a "student" there.
CLASS_N_RELEVANT = frozenset({"student", "foreign_language_assistant", "student_spouse_non_british", "school_leaver"})


@dataclass(frozen=True)
class Resident:
    """A person whose sole or main residence is the dwelling, of any age."""

    born: date
    first: date
    last: date | None = None
    category: str | None = None
    category_first: date | None = None
    category_last: date | None = None
    weekly_pay_pence: int = 0
    weekly_hours: int = 0
    course_left: date | None = None
    cares_for_partner: bool = False
    cares_for_own_child_born: date | None = None

    def present(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def in_category(self, day: date) -> bool:
        """Whether the category recorded for the person really applies on the day."""
        if self.category is None or (self.category_first is not None and day < self.category_first):
            return False
        if self.category_last is not None and day > self.category_last:
            return False
        if self.category in RECORDED:
            return True
        age = age_on(self.born, day)
        if self.category == "under_18":
            return age < 18
        if self.category == "child_benefit_18_plus":  # Sch 1 para 3
            return 18 <= age < 20
        if self.category == "youth_trainee":  # DDO Sch 1 para 8
            return age < 25
        if self.category == "apprentice":
            return self.weekly_pay_pence <= APPRENTICE_WEEKLY_PENCE
        if self.category == "school_leaver":  # APR reg 3, Class C
            left = self.course_left
            if left is None or age >= 20:
                return False
            opens, closes = date(left.year, 5, 1), date(left.year, 10, 31)
            return opens <= left <= day <= closes
        if self.category == "care_worker":
            return self.weekly_hours >= CARE_WORKER_HOURS and self.weekly_pay_pence <= CARE_WORKER_WEEKLY_PENCE
        if self.category == "carer":  # APR Sch paras 3 and 4
            child = self.cares_for_own_child_born
            minor = child is not None and age_on(child, day) < 18
            return self.weekly_hours >= CARER_HOURS and not self.cares_for_partner and not minor
        raise ValueError(f"unknown disregard: {self.category}")

    def adult(self, day: date) -> bool:
        """A resident in the sense of LGFA s.6(5) is 18 or over."""
        return age_on(self.born, day) >= 18


def living_there(residents: Iterable[Resident], day: date) -> list[Resident]:
    return [person for person in residents if person.present(day)]


def count_residents(residents: Iterable[Resident], day: date) -> tuple[int, int]:
    """Residents of 18 and over, and how many of them are not disregarded."""
    adults = [person for person in living_there(residents, day) if person.adult(day)]
    return len(adults), sum(1 for person in adults if not person.in_category(day))


# ---------------------------------------------------------------- exempt dwellings (EDO art 3)

UNOCCUPIED_CLASSES = frozenset("BDEFGHIJKLQRT")
RECORDED_OCCUPIED_CLASSES = frozenset("MOPVW")


@dataclass(frozen=True)
class Exemption:
    """A class recorded by an officer, with the dates that its clock needs."""

    cls: str
    first: date
    last: date | None = None
    charity_empty_since: date | None = None  # B: when the charity's use ended
    died: date | None = None  # F
    granted: date | None = None  # F: probate or letters of administration
    occupations: tuple[tuple[date, date], ...] = ()  # B and F: stays since the dwelling fell empty

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


def _still_empty(start: date, claim: Exemption, day: date) -> bool:
    """Unoccupied since the start, one stay of up to six weeks being ignored, and nobody staying on the day."""
    past = [(first, last) for first, last in claim.occupations if first <= day]
    if any(first <= day <= last for first, last in past):
        return False
    return empty_since(start, past, one_only=True) == start


def _claim_holds(claim: Exemption, people: Sequence[Resident], day: date) -> bool:
    if claim.cls in RECORDED_OCCUPIED_CLASSES:
        return True
    if claim.cls == "N":
        return not people  # vacation of term-time accommodation, Class N(2)(b); otherwise decided by the occupants
    if claim.cls in "SU":
        return False  # decided by the occupants
    if claim.cls in "AC":
        return day < date(2013, 4, 1)  # omitted by SI 2012/2965
    if claim.cls not in UNOCCUPIED_CLASSES:
        raise ValueError(f"unknown exemption class {claim.cls}")
    if claim.cls == "D":
        return all(person.category == "detained" and person.in_category(day) for person in people)
    if people:
        return False
    if claim.cls == "B":
        if claim.charity_empty_since is None:
            raise ValueError("class B needs the day on which the charity's use ended")
        start = claim.charity_empty_since
        return _still_empty(start, claim, day) and start <= day < add_months(start, 6)
    if claim.cls == "F":
        if claim.died is None:
            raise ValueError("class F needs the date of death")
        in_time = claim.granted is None or day < add_months(claim.granted, 6)
        return in_time and day >= claim.died and _still_empty(claim.died, claim, day)
    return True


def exempt_class(claims: Iterable[Exemption], residents: Iterable[Resident], day: date, landlord_liable: bool) -> str:
    """The class under which the dwelling is exempt on the day, or an empty string.

    N, S and U follow from who lives there.  Class U (SI 1999/536): only severely mentally impaired people, and the
    person liable is one of them or a class N person, not a landlord; or such people together with class N persons.
    Children count for S and U ("occupied only by"), not for N ("residents" are adults).
    """
    people = living_there(residents, day)
    for claim in claims:
        if claim.covers(day) and _claim_holds(claim, people, day):
            return claim.cls
    if not people:
        return ""
    adults = [person for person in people if person.adult(day)]
    if not adults:
        return "S"
    if all(person.category in CLASS_N_RELEVANT and person.in_category(day) for person in adults):
        return "N"
    smi = [person for person in people if person.category == "smi" and person.in_category(day)]
    others = [person for person in people if person not in smi]
    others_relevant = all(p.category in CLASS_N_RELEVANT and p.in_category(day) for p in others)
    return "U" if smi and others_relevant and (others or not landlord_liable) else ""
