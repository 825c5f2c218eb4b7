"""Whether what an account is charged can be known without the facts that it lacks.

Every fact that the law asks for and the record lacks is filled in with values on either side of the law's limits, and the
independent calculation works out each filling.  Where two of them come to another charge, exemption or reduction on any
day, the figure cannot be right without the fact, and the account must be refused; where none does, the fact is not needed.
So it is where the ground of a discount, that somebody lives there, is not known: LGFA s.11(2)(a) or (b).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import product
from typing import Any

from agreement.accounts import Record, Records
from agreement.mapping import AN_ADULT, VACANT, account_of, on, until
from independent.council_tax import Account, Council, PremiumException, daily_charges
from independent.exemptions import Dated, Resident

AGES_AGO = (40, 100, 400, 800, 2_000, 4_000)
"""Days for which a dwelling may have been empty, so that every discount and premium of the law is met."""
MOMENT = 20
"""Days that are few enough for the shortest discount of a council."""
BY_AGE = ("child_benefit_18_plus", "youth_trainee", "school_leaver")
A_YEAR_AND_MORE = timedelta(days=400)


@dataclass(frozen=True)
class Filling:
    """One way to fill in what is missing; `only` limits it to the days on which it is a possible one."""

    council: Council
    account: Account
    only: tuple[tuple[date, date | None], ...] | None = None

    def day(self, day: date) -> bool:
        return self.only is None or any(first <= day and (last is None or day <= last) for first, last in self.only)


def known_without(council: Council, records: Records) -> Account | None:
    """The account with anything for what is missing, or None where the missing facts decide what it is charged."""
    if not adjustment_known(records["accounts"][0]):
        return None
    found: dict[date, Any] = {}
    base = None
    for filling in fillings(council, records):
        base = base or filling.account
        for each in daily_charges(filling.council, filling.account):
            if filling.day(each.day):
                exempt, lived_in = each.kind.startswith("exempt"), each.kind.startswith("all residents")
                what = (each.daily_pence, each.kind.split()[1] if exempt else "", lived_in, each.reduction_pence)
                if found.setdefault(each.day, what) != what:
                    return None
    return base


def adjustment_known(account: Record) -> bool:
    """SI 1992/613 Sch 1 para 10: an adjusted bill needs what fell due before, how many instalments are left, and the notice."""
    facts = [account.get(name) is not None for name in ("fallen_due", "instalments_left", "notice_date")]
    return all(facts) or not any(facts[:2])


def fillings(council: Council, records: Records) -> Iterator[Filling]:
    """Every combination of what may be true."""
    account, dwellings = account_of(records, Fraction(0)), records["dwellings"]
    start = max(account.first_day, council.year_start)
    ways = product(
        product(*(empty_ways(record, start) for record in dwellings)),
        product(*(class_ways(record, start) for record in dwellings)),
        product(*(charity_ways(record, start) for record in dwellings)),
        product(*people_ways(records["people"], account.residents, council.year_start)),
        product(*(use_ways(record) for record in dwellings)),
    )
    for since, classes, clocks, residents, uses in ways:
        dated = tuple(fact for facts in since for fact in facts)
        exempt = [each for each in clocks if each is not None]
        made = replace(
            account,
            empty_since=dated,
            second_home_since=dated,
            premium_exceptions=tuple(each for each in classes if each is not None),
            exemptions=tuple(
                replace(e, charity_empty_since=c) if e.cls == "B" else e for e, c in zip(account.exemptions, exempt, strict=True)
            ),
            residents=tuple(each for each in residents if not any(use is not None and stands_in(each, use) for use in uses)),
            furnished=(*account.furnished, *(use for use in uses if use is not None)),
        )
        yield Filling(council, made)
        if records["accounts"][0].get("landlord_liable") is None:
            yield Filling(council, replace(made, landlord_liable=True), tuple(days_not_recorded_as_u(dwellings)))
        if made.care_leaver_born is not None:
            alone = tuple((on(r["from"]), until(r["to"])) for r in dwellings if presumed(r, records["people"]))
            yield Filling(replace(council, care_leavers_shared=None), made, alone)


def empty_ways(record: Record, start: date) -> list[tuple[Dated[date], ...]]:
    """Since when a dwelling of this record may have been empty, or a second home.

    The rules judge each day by itself, so one of the ways is that it has just fallen empty, whatever the day.
    """
    first, last, since = on(record["from"]), until(record["to"]), until(record.get("empty_since"))
    if since is not None:
        return [(Dated(since, first, last),)]
    if record.get("occupation") not in VACANT and not unused(record):
        return [()]
    first = max(first, start)
    end = min(last or date.max, start + A_YEAR_AND_MORE)
    begins = [first + timedelta(days=place) for place in range(0, (end - first).days + 1, MOMENT)]
    lately = tuple(Dated(day, day, min(end, day + timedelta(days=MOMENT - 1))) for day in begins)
    return [lately, *((Dated(first - timedelta(days=ago), first, last),) for ago in AGES_AGO)]


def class_ways(record: Record, start: date) -> list[PremiumException | None]:
    """When a prescribed class may have been met; class M runs with the repairs."""
    if record.get("prescribed_class") is None:
        return [None]
    first, last, cls = on(record["from"]), until(record["to"]), str(record["prescribed_class"])[0]
    since = until(record.get("class_since")) or (until(record.get("repair_since")) if cls == "M" else None)
    possible = [since] if since is not None else [max(first, start), max(first, start) - A_YEAR_AND_MORE]
    return [PremiumException(cls, first, last, each) for each in possible]


def charity_ways(record: Record, start: date) -> list[date | None]:
    """When the charity's use may have ended; one entry for each exemption of the account."""
    if record.get("exemption") in (None, "not_exempt"):
        return [None]
    first, clock = max(on(record["from"]), start), until(record.get("exemption_clock"))
    return [first, first - A_YEAR_AND_MORE] if record["exemption"] == "B" and clock is None else [clock or first]


def people_ways(people: list[Record], residents: tuple[Resident, ...], year_start: date) -> list[list[Resident]]:
    """What may be true of each person; those for whom a record without people stands are as they are."""
    recorded = [list(person_ways(record, resident, year_start)) for record, resident in zip(people, residents, strict=False)]
    return [*recorded, *([each] for each in residents[len(people) :])]


def person_ways(record: Record, made: Resident, year_start: date) -> Iterator[Resident]:
    """A person with a disregard that turns on a fact, on either side of it.  Without a birth date the person is an adult."""
    reason = made.category

    def ways(column: str, asked: tuple[str, ...], known: Any, either: tuple[Any, Any]) -> tuple[Any, ...]:
        return either if record.get(column) is None and reason in asked else (known,)

    for born, pay, hours, family in product(
        ways("birth_date", BY_AGE, made.born, (AN_ADULT, date(year_start.year - 19, 12, 1))),
        ways("weekly_pay", ("apprentice", "care_worker"), made.weekly_pay_pence, (0, 10**9)),
        ways("weekly_hours", ("care_worker", "carer"), made.weekly_hours, (0, 168)),
        ways("cares_for_family", ("carer",), made.cares_for_partner, (False, True)),
    ):
        person = replace(made, born=born, weekly_pay_pence=pay, weekly_hours=hours, cares_for_partner=family)
        if reason == "school_leaver" and record.get("left_course") is None:
            # The leaver is in the window, and then as a student until the age of twenty, or is not.
            yield replace(person, category="student", category_last=day_of_age(born, 20) - timedelta(days=1))
            yield replace(person, category=None)
        else:
            yield person


def day_of_age(born: date, age: int) -> date:
    return date(born.year + age, 3, 1) if (born.month, born.day) == (2, 29) else born.replace(year=born.year + age)


def use_ways(record: Record) -> list[Dated[bool] | None]:
    """A dwelling in which no adult counts, and of which nothing more is said, may be a main home, furnished or unfurnished."""
    return [None, *(Dated(way, on(record["from"]), until(record["to"])) for way in (False, True))] if unused(record) else [None]


def unused(record: Record) -> bool:
    return record.get("recorded_adults") == 0 and record.get("occupation") is None


def stands_in(person: Resident, use: Dated[bool]) -> bool:
    """Whether a person stands for the one who does not count."""
    return person.category == "hostel_resident" and (person.first, person.last) == (use.first, use.last)


def presumed(record: Record, people: list[Record]) -> bool:
    """Whether it is only presumed that somebody lives there."""
    return record.get("occupation") not in VACANT and record.get("recorded_adults") is None and not people_of(record, people)


def people_of(record: Record, people: list[Record]) -> list[Record]:
    return [p for p in people if on(p["from"]) <= (until(record["to"]) or date.max) and on(record["from"]) <= (until(p["to"]) or date.max)]


def days_not_recorded_as_u(dwellings: list[Record]) -> Iterator[tuple[date, date | None]]:
    """Where an officer has recorded class U, the officer knows who is liable."""
    return ((on(r["from"]), until(r["to"])) for r in dwellings if r.get("exemption") != "U")
