"""Council tax of one account for one financial year, day by day, in plain fractions.

An independent calculation from the statute: it shares no code with the engine and is not derived from the rules.
LGFA = Local Government Finance Act 1992, PCD = SI 2003/3011 (as amended by SI 2012/2964, 2024/1007 and 2025/8),
RDR = SI 1992/554 (as amended by SI 1999/1004), RAR = SI 2013/2977.  Money is in pence; only a stretch is rounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

from independent.exemptions import (
    Dated,
    Exemption,
    Resident,
    add_months,
    add_years,
    count_residents,
    exempt_class,
    value_on,
)

BANDS = "ABCDEFGH"
NINTHS = dict(zip(BANDS, (6, 7, 8, 9, 11, 13, 15, 18), strict=True))
PREMIUM_2025 = date(2025, 4, 1)
ANNEXES_FROM = date(2014, 4, 1)
PREMIUMS_FROM = date(2013, 4, 1)
ONE_DAY = timedelta(days=1)
NOTHING, A_QUARTER_LESS, HALF_LESS = Fraction(0), Fraction(-25), Fraction(-50)


def half_up(amount: Fraction) -> int:
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


# ---------------------------------------------------------------- the council's choices for a year


@dataclass(frozen=True)
class Part:
    """One authority's amount for an area: its band D figure, or the eight amounts that it published."""

    name: str
    band_d_pence: int | None = None
    published_pence: tuple[int, ...] | None = None

    def amount(self, band: str) -> int:
        if self.published_pence is not None:
            return self.published_pence[BANDS.index(band)]
        if self.band_d_pence is None:
            raise ValueError(f"no amount for {self.name}")
        return half_up(Fraction(self.band_d_pence * NINTHS[band], 9))


@dataclass(frozen=True)
class Step:
    """One rung of a class C discount, lasting so many months and days after the rungs before it.

    All are counted from the day the dwelling fell empty: the months of the rungs together, then the days.
    """

    percent: Fraction
    months: int | None = None
    days: int | None = None


@dataclass(frozen=True)
class Council:
    """Amounts and determinations for one financial year; None means that no determination was made."""

    year_start: date
    areas: Mapping[str, tuple[Part, ...]]
    second_home_discount: Fraction | None = None  # PCD class B (and A unless the next is given)
    seasonal_home_discount: Fraction | None = None  # PCD class A
    second_home_premium: Fraction | None = None
    second_home_premium_after_years: int = 0
    empty_steps: tuple[Step, ...] | None = None  # PCD class C
    major_repair_discount: Fraction | None = None  # PCD class D
    major_repair_months: int = 12
    empty_ladder: tuple[tuple[int, Fraction], ...] = ()  # s.11B: (years, percentage)
    care_leavers: tuple[tuple[int, Fraction], ...] = ()  # s.13A(1)(c): (under this age, percentage off)
    care_leavers_shared: Fraction | None = None  # where another adult counts: the first rung's; later ones are at most this
    _sums: dict[tuple[str, str], int] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for percent in (self.second_home_discount, self.seasonal_home_discount):
            if percent is not None and not 0 <= percent <= 50:
                raise ValueError("s.11A: classes A and B may have 0 to 50 %")
        premium = self.second_home_premium
        if premium is not None and (self.year_start < PREMIUM_2025 or premium > 100):
            raise ValueError("s.11C: at most 100 %, from 2025-26")
        if self.major_repair_months > 12:
            raise ValueError("PCD reg 8: class D lasts twelve months at most")
        for years, percent in self.empty_ladder:
            if percent > empty_premium_limit(self.year_start, years):
                raise ValueError(f"s.11B: {percent} % after {years} years is not allowed in this year")

    def band_amount(self, area: str, band: str) -> int:
        if (area, band) not in self._sums:
            self._sums[area, band] = sum(part.amount(band) for part in self.areas[area])
        return self._sums[area, band]


def empty_premium_limit(year_start: date, years: int) -> int:
    """The most that s.11B lets a council add after so many full years (LGFA 2012 s.12; 2018 c.25 s.2; 2023 c.55 s.79)."""
    shortest = 1 if year_start >= date(2024, 4, 1) else 2
    if year_start < PREMIUMS_FROM or years < shortest:
        return 0
    if year_start < date(2019, 4, 1):
        return 50
    if years >= 10 and year_start >= date(2021, 4, 1):
        return 300
    return 200 if years >= 5 and year_start >= date(2020, 4, 1) else 100


# ---------------------------------------------------------------- the account


@dataclass(frozen=True)
class PremiumException:
    """A class of PCD regs 9 to 17 recorded by an officer; `since` is the day it was first met (class I: the grant)."""

    cls: str
    first: date
    last: date | None = None
    since: date | None = None


@dataclass(frozen=True)
class Works:
    """A vacant dwelling in the class D condition; `since` is the first day of that condition.

    `first` is the first day for which it is recorded, where that is later.
    """

    since: date
    last: date | None = None
    first: date | None = None


@dataclass(frozen=True)
class Award:
    """Another reduction under s.13A(1)(c): so much a day, or one sum for the year."""

    first: date | None = None
    last: date | None = None
    pence_per_day: Fraction | None = None
    pence_for_year: int = 0


@dataclass(frozen=True)
class Account:
    """One liable party at one dwelling.  The day of leaving is not charged (LGFA s.2)."""

    first_day: date
    area: tuple[Dated[str], ...]
    band: tuple[Dated[str], ...]
    leaving_day: date | None = None
    disabled: tuple[Dated[bool], ...] = ()
    furnished: tuple[Dated[bool], ...] = ()  # taken as furnished where nothing is recorded
    empty_since: tuple[Dated[date], ...] = ()  # of the property, short occupations being ignored
    second_home_since: tuple[Dated[date], ...] = ()
    seasonal: tuple[Dated[bool], ...] = ()  # planning condition of class A
    works: tuple[Works, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    premium_exceptions: tuple[PremiumException, ...] = ()
    annexe: tuple[Dated[str], ...] = ()  # "main": used with the main home; "relative": a relative's main home
    residents: tuple[Resident, ...] = ()
    landlord_liable: bool = False
    care_leaver_born: date | None = None
    awards: tuple[Award, ...] = ()


# ---------------------------------------------------------------- one day


@dataclass(frozen=True)
class Day:
    """The charge of one day: the annual amount after each step, and the exact daily amounts."""

    day: date
    band_charged: str  # "A-" is band A with the disabled reduction
    band_amount: Fraction
    after_disabled: Fraction
    after_discount_or_premium: Fraction
    after_annexe: Fraction
    kind: str
    daily_pence: Fraction
    reduction_pence: Fraction
    band_d_equivalent: Fraction


def _runs(since: date, length_end: date, day: date) -> bool:
    return since <= day < length_end


def exceptions_on(account: Account, day: date, section: str) -> set[str]:
    """Exception classes in force for a premium under "11B" or "11C"; their clocks may have begun before April 2025."""
    found: set[str] = set()
    allowed = {"11B": "EFGHIM", "11C": "EFGHIJKL"}[section]
    for item in account.premium_exceptions:
        if item.first <= day and (item.last is None or day <= item.last):
            if item.cls in "GHIM":
                if item.since is None:
                    raise ValueError(f"class {item.cls} needs the day on which its clock began")
                if not _runs(item.since, add_years(item.since, 1), day):
                    continue
            found.add(item.cls)
    if any(_in_class_d(work, day) for work in account.works):
        found.add("M")
    if value_on(account.annexe, day) == "main":
        found.add("F")
    since_2013 = {"E", "F"} if section == "11B" else set()
    return {cls for cls in found if cls in allowed and (day >= PREMIUM_2025 or cls in since_2013)}


def _in_class_d(work: Works, day: date, months: int = 12) -> bool:
    recorded = (work.first is None or work.first <= day) and (work.last is None or day <= work.last)
    return recorded and _runs(work.since, add_months(work.since, months), day)


def _since(facts: Sequence[Dated[date]], day: date, what: str) -> date:
    since = value_on(facts, day)
    if since is None or since > day:
        raise ValueError(f"no day recorded since which the dwelling is {what}, on {day}")
    return since


def _empty_percent(council: Council, account: Account, day: date) -> tuple[Fraction, str]:
    """An unoccupied and substantially unfurnished dwelling: s.11B, otherwise PCD class D, class C, or s.11(2)(a)."""
    since = _since(account.empty_since, day, "empty")
    reached = [rung for rung in sorted(council.empty_ladder) if day >= add_years(since, rung[0])]
    excepted = exceptions_on(account, day, "11B")
    if reached and not excepted:
        return reached[-1][1], f"empty premium {reached[-1][1]} %"
    note = f" (premium exception {'+'.join(sorted(excepted))})" if reached else ""
    works = any(_in_class_d(work, day, council.major_repair_months) for work in account.works)
    if works and council.major_repair_discount is not None:
        return -council.major_repair_discount, f"class D discount {council.major_repair_discount} %{note}"
    if council.empty_steps is None:
        return HALF_LESS, f"no resident 50 %{note}"
    months = days = 0
    for step in council.empty_steps:
        if step.months is None and step.days is None:
            return -step.percent, f"class C discount {step.percent} %{note}"
        months, days = months + (step.months or 0), days + (step.days or 0)
        if day < add_months(since, months) + timedelta(days=days):
            return -step.percent, f"class C discount {step.percent} %{note}"
    return Fraction(0), f"class C discount 0 %{note}"


def _second_home_percent(council: Council, account: Account, day: date) -> tuple[Fraction, str]:
    """A furnished dwelling with nobody's main home in it: s.11C, otherwise PCD class A or B, or s.11(2)(a)."""
    excepted = exceptions_on(account, day, "11C")
    premium = council.second_home_premium
    if premium is not None and not excepted:
        years = council.second_home_premium_after_years
        if not years or day >= add_years(_since(account.second_home_since, day, "a second home"), years):
            return premium, f"second home premium {premium} %"
    note = f" (premium exception {'+'.join(sorted(excepted))})" if premium is not None and excepted else ""
    outside = any(item.cls in "JK" and item.first <= day and (item.last is None or day <= item.last) for item in account.premium_exceptions)
    discount = council.second_home_discount
    if value_on(account.seasonal, day) and council.seasonal_home_discount is not None:
        discount = council.seasonal_home_discount
    if outside or discount is None:
        return HALF_LESS, f"no resident 50 %{note}"  # PCD reg 6: J and K are outside classes A and B
    return -discount, f"second home discount {discount} %{note}"


def _percent(council: Council, account: Account, day: date) -> tuple[Fraction, str]:
    """The discount (below nought) or premium of the day, never both."""
    adults, counted = count_residents(account.residents, day)
    if counted >= 2:
        return NOTHING, "full"
    if counted == 1:
        return A_QUARTER_LESS, "one counted resident 25 %"
    if adults:
        return HALF_LESS, "all residents disregarded 50 %"
    if value_on(account.furnished, day) is False:
        return _empty_percent(council, account, day)
    return _second_home_percent(council, account, day)


def _reduction(council: Council, account: Account, day: date, net: Fraction) -> Fraction:
    """s.13A(1)(c), the care leavers' scheme first, then awards by the day; never more than is left."""
    taken = NOTHING
    born = account.care_leaver_born
    if born is not None:
        shared = council.care_leavers_shared
        if shared is not None and count_residents(account.residents, day)[1] < 2:
            shared = None
        for place, (under, percent) in enumerate(sorted(council.care_leavers)):
            if born <= day < _birthday(born, under):
                share = percent if shared is None else min(shared, percent) if place else shared
                taken = net * Fraction(share) / 100
                break
    for award in account.awards:
        after, before = award.first is None or award.first <= day, award.last is None or day <= award.last
        if award.pence_per_day is not None and after and before:
            taken += award.pence_per_day
    return min(taken, net) if taken is not NOTHING else NOTHING


def _birthday(born: date, age: int) -> date:
    try:
        return born.replace(year=born.year + age)
    except ValueError:  # 29 February in a common year
        return date(born.year + age, 3, 1)


def day_charge(council: Council, account: Account, day: date) -> Day:
    """The state of affairs at the end of the day, taken for all of it (LGFA s.2(2))."""
    days_in_year = (add_years(council.year_start, 1) - council.year_start).days
    area, band = value_on(account.area, day), value_on(account.band, day)
    if area is None or band is None:
        raise ValueError(f"no area or band recorded for {day}")
    charged, of_band, fifths = band, band, False
    if value_on(account.disabled, day):  # RDR reg 4(3A)
        fifths = band == "A"
        charged = of_band = "D" if fifths else BANDS[BANDS.index(band) - 1]
    full, reduced = _amounts(council.band_amount(area, band), council.band_amount(area, of_band), fifths)
    if fifths:
        charged = "A-"
    exempt = exempt_class(account.exemptions, account.residents, day, account.landlord_liable)
    if exempt:
        return Day(day, charged, full, reduced, NOTHING, NOTHING, f"exempt {exempt}", NOTHING, NOTHING, NOTHING)
    percent, kind = _percent(council, account, day)
    annexe = value_on(account.annexe, day)
    halved = annexe is not None and day >= ANNEXES_FROM
    if halved:  # RAR reg 4
        kind += ", annexe 50 %"
    after_percent, final, daily, equivalent = _after(reduced, NINTHS.get(charged, 5), percent, halved, days_in_year)
    taken = _reduction(council, account, day, daily)
    return Day(day, charged, full, reduced, after_percent, final, kind, daily, taken, equivalent)


# Most days of an account come to the same, so that the same few sums need not be done for each of them.


@lru_cache(maxsize=4096)
def _amounts(full: int, other: int, fifths: bool) -> tuple[Fraction, Fraction]:
    """A band's amount, and that of the band charged instead; below band A five ninths of band D."""
    return Fraction(full), Fraction(5 * other, 9) if fifths else Fraction(other)


@lru_cache(maxsize=4096)
def _after(reduced: Fraction, ninths: int, percent: Fraction, halved: bool, days_in_year: int) -> tuple[Fraction, ...]:
    """The year's amount after the discount or premium, and after the annexe's half; the day's; and its share of band D."""
    factor = 1 + Fraction(percent) / 100
    after_percent = reduced * factor
    final = after_percent / 2 if halved else after_percent
    return after_percent, final, final / days_in_year, Fraction(ninths, 9) * factor / (2 if halved else 1)


# ---------------------------------------------------------------- the year


@dataclass(frozen=True)
class Stretch:
    """Neighbouring days with the same daily amount, rounded once."""

    first: date
    last: date
    days: int
    bands: tuple[str, ...]
    kinds: tuple[str, ...]
    steps: Day  # the annual amounts of its first day
    daily_pence: Fraction
    charge_pence: int


@dataclass(frozen=True)
class Bill:
    stretches: tuple[Stretch, ...]
    total_pence: int  # before s.13A(1)(c)
    reduction_pence: int
    net_pence: int
    band_d_equivalent_days: Fraction
    days: tuple[Day, ...] = ()


def _neighbours(days: Sequence[Day], reduction: bool) -> list[list[Day]]:
    groups: list[list[Day]] = []
    amounts: list[Fraction] = []
    for day in days:
        amount = day.reduction_pence if reduction else day.daily_pence
        if groups and (amounts[-1] is amount or amounts[-1] == amount):
            groups[-1].append(day)
        else:
            groups.append([day])
            amounts.append(amount)
    return groups


def daily_charges(council: Council, account: Account) -> list[Day]:
    first = max(account.first_day, council.year_start)
    end = add_years(council.year_start, 1)
    if account.leaving_day is not None:
        end = min(end, account.leaving_day)
    return [day_charge(council, account, first + ONE_DAY * offset) for offset in range(max((end - first).days, 0))]


def bill(council: Council, account: Account) -> Bill:
    """The account's charge for the year of the council's amounts."""
    days = daily_charges(council, account)
    stretches = []
    for group in _neighbours(days, reduction=False):
        total = group[0].daily_pence * len(group)  # every day's amount is the same
        bands = tuple(dict.fromkeys(day.band_charged for day in group))
        kinds = tuple(dict.fromkeys(day.kind for day in group))
        first, last = group[0], group[-1]
        stretches.append(Stretch(first.day, last.day, len(group), bands, kinds, first, first.daily_pence, half_up(total)))
    total_pence = sum(stretch.charge_pence for stretch in stretches)
    reduction = sum(half_up(group[0].reduction_pence * len(group)) for group in _neighbours(days, reduction=True))
    reduction += sum(award.pence_for_year for award in account.awards)
    reduction = min(reduction, total_pence)
    equivalents = groupby(days, attrgetter("band_d_equivalent"))
    equivalent = sum((amount * len(list(group)) for amount, group in equivalents), Fraction(0))
    return Bill(tuple(stretches), total_pence, reduction, total_pence - reduction, equivalent, tuple(days))


def change_percentages(council: tuple[int, int], social_care: tuple[int, int]) -> tuple[Fraction, Fraction]:
    """Changes shown on bills of 2016-17 to 2024-25, (last year, this year) each: one denominator, one decimal place."""
    before = council[0] + social_care[0]

    def shown(pair: tuple[int, int]) -> Fraction:
        return Fraction(half_up(Fraction(1000 * (pair[1] - pair[0]), before)), 10)

    return shown(council), shown(social_care)
