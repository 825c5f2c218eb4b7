"""Plausible accounts and a program's figures in the words of the independent calculation.

Only the shape is changed here.  What the two ways of recording leave to be said:
- where a caseload holds no people (a number of adults, or nothing) the independent calculation is given the people meant;
- a birth date that is not recorded is an adult's;
- a stretch of empty days carries one clock, which is that of the empty dwelling or of the second home.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from agreement.accounts import EPOCH, Record, Records
from independent.council_tax import Account, Award, Council, Part, PremiumException, Step, Works
from independent.exemptions import Dated, Exemption, Resident
from independent.instalments import Instalment, adjust, schedule
from rbcalc_kernels.program.graph import Program

BANDS = "ABCDEFGH"
CATEGORIES = {
    "severely_impaired": "smi",
    "language_assistant": "foreign_language_assistant",
    "student_spouse": "student_spouse_non_british",
    "hospital_patient": "long_stay_hospital_patient",
    "care_home": "care_home_resident",
    "hostel": "hostel_resident",
    "international_headquarters": "international_hq",
    "child_benefit": "child_benefit_18_plus",
}
VACANT = ("unfurnished", "furnished")
AN_ADULT = date(1950, 1, 1)
OPEN = 10**6
NOTICE = timedelta(days=14)


def on(day: Any) -> date:
    """A day since 1970 as a date."""
    return date.fromordinal(EPOCH + int(day))


def until(day: Any) -> date | None:
    return None if day is None else on(day)


def council_of(program: Program) -> Council:
    """The amounts and determinations of a program whose figures hold all the year."""

    def figure(name: str) -> Any:
        (found,) = set(program.parameters[name].by_period[: len(program.periods)])
        return found

    def percent(name: str) -> Fraction:
        return Fraction(figure(name)) * 100

    for name in ("empty_premium", "amount_for_band"):
        first, *others = program.tables[name].by_period[: len(program.periods)]
        assert all(other == first for other in others)
    (edges, ladder) = program.tables["empty_premium"].by_period[0].rows[()]
    care = [(int(figure(f"care_leaver{step}_age")), percent(f"care_leaver{step}_reduction")) for step in ("", "_later")]
    return Council(
        year_start=on(program.first_day),
        areas={area: parts_of(program, area) for area in program.lists["area"].members},
        second_home_discount=percent("second_home_discount"),
        seasonal_home_discount=percent("seasonal_home_discount"),
        second_home_premium=percent("second_home_premium") or None,
        second_home_premium_after_years=int(figure("second_home_premium_years")),
        empty_steps=empty_steps(figure, percent),
        major_repair_discount=percent("major_repair_discount") if figure("major_repair_months") else None,
        major_repair_months=int(figure("major_repair_months")),
        empty_ladder=tuple((int(edge), Fraction(value) * 100) for edge, value in zip(edges, ladder, strict=True) if value),
        care_leavers=tuple(care if care[1][0] > care[0][0] else care[:1]),
        care_leavers_shared=percent("care_leaver_shared_reduction"),
    )


def empty_steps(figure: Any, percent: Any) -> tuple[Step, ...]:
    """Class C; the council's second rung is given by its end, so that the first one's length is taken off."""
    months, days = int(figure("empty_first_months")), int(figure("empty_first_days"))
    steps = [Step(percent("empty_first_discount"), months, days)] if months or days else []
    if figure("empty_second_months"):
        steps.append(Step(percent("empty_second_discount"), int(figure("empty_second_months")) - months, -days))
    return (*steps, Step(percent("empty_later_discount")))


def parts_of(program: Program, area: str) -> tuple[Part, ...]:
    """Each authority's amount in an area: published by band, or band D; the area's own before the district's."""
    found = []

    def cell(table: str, *keys: str) -> Any:
        return program.tables[table].by_period[0].rows.get(keys, ((), (None,)))[1][0]

    for part in program.lists["part"].members:
        band_d = cell("area_band_d_amount", area, part)
        band_d = cell("band_d_amount", part) if band_d is None else band_d
        given = Part(part, band_d_pence=None if band_d is None else int(band_d * 100))
        own = [cell("published_area_amount", area, part, band) for band in BANDS]
        amounts = [cell("published_amount", part, band) if amount is None else amount for amount, band in zip(own, BANDS, strict=True)]
        if any(amount is not None for amount in amounts):
            pence = [given.amount(band) if amount is None else int(amount * 100) for amount, band in zip(amounts, BANDS, strict=True)]
            given = Part(part, published_pence=tuple(pence))
        if given.published_pence is not None or given.band_d_pence is not None:
            found.append(given)
    return tuple(found)


def account_of(records: Records, one_off: Fraction) -> Account:
    """A plausible account; `one_off` is the council's reduction for the bills that it has chosen."""
    account, dwellings = records["accounts"][0], records["dwellings"]
    sums = [Fraction(account.get("discretionary_reduction") or 0), one_off if account.get("one_off_due") else Fraction(0)]
    leaving = until(account["to"])
    born = account.get("care_leaver_birth_date")
    classes = list(dated(dwellings, "prescribed_class"))
    return Account(
        first_day=on(account["from"]),
        leaving_day=leaving + timedelta(days=1) if leaving else None,
        area=tuple(dated(dwellings, "area")),
        band=tuple(dated(dwellings, "band")),
        disabled=tuple(dated(dwellings, "disabled_reduction")),
        furnished=tuple(Dated(f.value != "unfurnished", f.first, f.last) for f in dated(dwellings, "occupation")),
        empty_since=tuple(Dated(on(f.value), f.first, f.last) for f in dated(dwellings, "empty_since")),
        second_home_since=tuple(Dated(on(f.value), f.first, f.last) for f in dated(dwellings, "empty_since")),
        seasonal=tuple(Dated(True, f.first, f.last) for f in classes if f.value == "L_28_days"),
        works=tuple(Works(on(f.value), f.last, f.first) for f in dated(dwellings, "repair_since")),
        exemptions=tuple(exemption(record) for record in dwellings if record.get("exemption") not in (None, "not_exempt")),
        premium_exceptions=tuple(
            PremiumException(str(r["prescribed_class"])[0], on(r["from"]), until(r["to"]), until(r.get("class_since")))
            for r in dwellings
            if r.get("prescribed_class") is not None
        ),
        annexe=tuple(
            Dated({"used_with_main_home": "main"}.get(str(f.value), "relative"), f.first, f.last) for f in dated(dwellings, "annexe")
        ),
        residents=(*(resident(record) for record in records["people"]), *meant(dwellings, records["people"])),
        landlord_liable=bool(account.get("landlord_liable")),
        care_leaver_born=None if born is None else on(born),
        awards=tuple(Award(pence_for_year=int(amount * 100)) for amount in sums if amount),
    )


def dated(records: Iterable[Record], column: str) -> Iterable[Dated[Any]]:
    """A column as facts with their days."""
    for record in records:
        value = record.get(column)
        if value is not None:
            yield Dated(value, on(record["from"]), until(record["to"]))


def exemption(record: Record) -> Exemption:
    first, clock = on(record["from"]), until(record.get("exemption_clock"))
    cls = str(record["exemption"])
    if cls == "B":
        return Exemption(cls, first, until(record["to"]), charity_empty_since=clock)
    return Exemption(cls, first, until(record["to"]), died=first, granted=clock if cls == "F" else None)


def resident(record: Record) -> Resident:
    reason, pay = record.get("disregard"), record.get("weekly_pay")
    return Resident(
        born=until(record.get("birth_date")) or AN_ADULT,
        first=on(record["from"]),
        last=until(record["to"]),
        category=None if reason is None else CATEGORIES.get(str(reason), str(reason)),
        weekly_pay_pence=int(Fraction(pay or 0) * 100),
        weekly_hours=int(record.get("weekly_hours") or 0),
        course_left=until(record.get("left_course")),
        cares_for_partner=bool(record.get("cares_for_family")),
    )


def meant(dwellings: Sequence[Record], people: Sequence[Record]) -> Iterable[Resident]:
    """The people whom a caseload without people means: so many adults, two where nothing is said, one disregarded for none.

    A claim to class S or U of a dwelling for which nobody is recorded stands for a child, or for an impaired person with a student.
    """
    for record in dwellings:
        first, last, claim = on(record["from"]), until(record["to"]), record.get("exemption")
        if record.get("occupation") in VACANT:
            if claim == "S":
                yield Resident(date(first.year - 3, 1, 1), first, last)
            elif claim == "U":
                yield from (Resident(AN_ADULT, first, last, category) for category in ("smi", "student"))
        elif not any(overlap(record, person) for person in people):
            count = record.get("recorded_adults")
            yield from (Resident(AN_ADULT, first, last) for _ in range(2 if count is None else int(Fraction(count))))
            if count == 0:
                yield Resident(AN_ADULT, first, last, "hostel_resident")


def overlap(one: Record, other: Record) -> bool:
    """Whether two records have a day in common."""
    ends = [int(OPEN if record["to"] is None else record["to"]) for record in (one, other)]
    return max(int(record["from"] or 0) for record in (one, other)) <= min(ends)


def instalments_of(records: Records, year_start: date, total: int) -> tuple[list[int], int, date | None]:
    """The instalments of a bill of so many pence, what is to be repaid, and the day on which a first bill falls due."""
    account = records["accounts"][0]
    began = until(account.get("from")) or year_start
    issued = until(account.get("notice_date")) or (began if began > year_start else year_start - timedelta(days=1))
    left = account.get("instalments_left")
    if left is None:
        plan = schedule(total, issued, year_start, twelve=bool(account.get("twelve_instalments")))
        return [item.pence for item in plan], 0, plan[0].due if plan else None
    due = issued + NOTICE
    fallen = Instalment(due - timedelta(days=1), int(Fraction(account.get("fallen_due") or 0) * 100))
    later = [Instalment(due + timedelta(days=31 * place), 0) for place in range(int(Fraction(left)))]
    adjusted = adjust((fallen, *later), total, issued)
    return [item.pence for item in adjusted.instalments], adjusted.overpaid, None
