"""Made-up ratepayers, as records by register: one to four accounts, around every edge that the rules know, and disturbed copies.

The edges of values are the figures of the program itself, each with a pound more and less; the edges of dates are so many
months or weeks before a day within the account.  Each ratepayer follows from its year and its number alone.
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random

from agreement.accounts import EPOCH, Record, Records
from rbcalc_kernels.language.types import DATE, YES_NO, Choice
from rbcalc_kernels.program.graph import Input, Program, Value

ONE_DAY = timedelta(days=1)
MONTHS = (3, 6, 12, 18, 36)
WEEKS = (6, 13)
LONG_AGO = date(2000, 4, 1)
LISTS = (2010, 2017, 2023, 2026)
CHARITIES = ("charity", "amateur_sports_club")
SUPPORT = {range(2017, 2023): "scheme_2017", range(2023, 2026): "scheme_2023", range(2026, 2030): "scheme_2026"}
TAKEN = (date(2012, 2, 29), date(2013, 2, 14), date(2024, 2, 29), date(2025, 11, 26), date(2025, 11, 27))
"""Days from which a period of grace counts in its own way."""
NEEDED = ("others_greatest_value", "others_total_value", "additional_value", "part_empty_since", "occupied_improvement_value")
"""Facts without which a relief may have to be refused."""
WITHIN_YEARS = (date(2010, 10, 1), date(2014, 2, 14), date(2021, 7, 1))
"""Days on which figures change within a year."""


def number_of(day: date) -> int:
    """Days since 1970."""
    return day.toordinal() - EPOCH


def day_or_none(day: date | None) -> int | None:
    """Days since 1970, or none for what has no end."""
    return None if day is None else number_of(day)


def months_before(day: date, months: int) -> date:
    """The day of the month so many months earlier, or the last one of a shorter month."""
    years, month0 = divmod(day.year * 12 + day.month - 1 - months, 12)
    first = date(years, month0 + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - ONE_DAY
    return first.replace(day=min(day.day, last.day))


def edges_of(program: Program) -> list[int]:
    """Every sum of money that the rules ever compare a value with, so far as it could be a rateable value."""
    found: set[Fraction] = set()
    for parameter in program.parameters.values():
        if str(parameter.type) == "£":
            found |= {Fraction(dated.value) for dated in parameter.history if dated.value is not None}
    for cells in program.tables["rural_limit"].by_period:
        found |= {Fraction(value) for _, values in cells.rows.values() for value in values}
    return sorted(int(value) for value in found if 1_000 <= value <= 600_000 and value.denominator == 1)


def multiplier_on(program: Program, day: date) -> Fraction:
    """The small multiplier on a day."""
    dated = max((d for d in program.parameters["small_multiplier"].history if d.first_day <= number_of(day)), key=lambda d: d.first_day)
    assert isinstance(dated.value, Fraction)
    return dated.value


class Ratepayers:
    """The ratepayers of one year."""

    def __init__(self, program: Program, year: int, seed: str = "") -> None:
        self.program, self.year, self.seed = program, year, f"rates/{seed}/{year}"
        self.edges = edges_of(program)
        self.uses = program.lists["rating_use"].members
        of_the_time = {2020: ("nursery",), 2021: ("nursery", "nursery")}
        of_the_time |= dict.fromkeys(range(2022, 2030), ("heat_network", "public_lavatory"))
        self.often = ("retail", "retail", "public_house", "other", *of_the_time.get(year, ("fibre",)))
        self.first, self.last = date(year, 4, 1), date(year + 1, 3, 31)
        self.list_from = max(begins for begins in LISTS if begins <= year)
        before, after = (multiplier_on(program, date(self.list_from, month, day)) for month, day in ((3, 31), (4, 1)))
        self.alike = float(after / before)
        """The value on the last day of the old list, over that of the first of the new one, for which as much is to pay."""

    def plausible(self, number: int) -> Records:
        """Facts that fit each other, so that the statute can be applied to them in one way only."""
        return _Story(self, Random(f"{self.seed}/{number}")).records()

    def disturbed(self, number: int) -> Records:
        """The same with facts missing, added and changed, whether they make sense or not."""
        random = Random(f"{self.seed}/{number}/disturbed")
        story = _Story(self, random)
        records = story.records()
        share = random.choice((0.01, 0.05, 0.15))
        for found in self.program.inputs.values():
            for record in records.get(found.table, ()) if not found.built_in else ():
                if random.random() < (share if found.name not in NEEDED else 0.1):
                    record[found.column] = _any(random, found, story)
        for record in [*records["hereditaments"], *records["occupations"]]:
            if random.random() < 0.01:
                record["to"] = random.choice((None, number_of(story.day())))
        if random.random() < 0.05:
            records["list_values"] = []
        if random.random() < 0.08:
            records["occupations"][0] |= {"occupation_state": "unoccupied", "empty_exemption": "next_use_charitable"}
        return records


def _any(random: Random, found: Input, story: _Story) -> Value | None:
    if found.optional and random.random() < 0.4:
        return None
    if found.type == YES_NO:
        return random.random() < 0.5
    if isinstance(found.type, Choice):
        return random.choice(found.type.members)
    if found.type == DATE:
        return int(min(max(Fraction(number_of(story.since(story.day()))), Fraction(found.low)), Fraction(found.high)))
    if str(found.type) == "rate":
        return Fraction(random.choice((0, 1, 50, 100)), 100)
    value = Fraction(random.choice((0, 1, 2, 10)) if str(found.type) == "count" else story.value())
    return min(max(value, found.low), found.high)


class _Story:
    """One ratepayer."""

    def __init__(self, ratepayers: Ratepayers, random: Random) -> None:
        self.of, self.random = ratepayers, random
        self.year, self.first, self.last = ratepayers.year, ratepayers.first, ratepayers.last
        self.years = (self.last - self.first).days
        self.rural: str | None = None

    # ---- chance

    def chance(self, share: float) -> bool:
        """Whether something happens."""
        return self.random.random() < share

    def day(self) -> date:
        """A day within the year, at times its first or last or one on which a figure changes, or the day after a leap day."""
        marks = [day for day in WITHIN_YEARS if self.first <= day <= self.last]
        marks += [self.first, self.last, date(self.year + 1, 2, 28), date(self.year + 1, 3, 1), date(self.year, 11, 30)]
        if self.chance(0.25):
            return min(max(self.random.choice(marks) + timedelta(days=self.random.choice((-1, 0, 0, 1))), self.first), self.last)
        return self.first + timedelta(days=self.random.randint(0, self.years))

    def since(self, pivot: date) -> date:
        """A day from which a time counts that ends with the pivot, or a day beside it."""
        if self.chance(0.7):
            found = months_before(pivot, self.random.choice(MONTHS))
        else:
            found = pivot - timedelta(days=self.random.randint(0, 1500))
        return found + timedelta(days=self.random.choice((-1, 0, 0, 0, 1)))

    def value(self) -> int:
        """A rateable value: at an edge or a pound beside it, small, or any."""
        kind = self.random.random()
        if self.rural and kind < 0.6:
            return self.random.randint(2_000, 13_000)
        if kind < 0.55:
            return self.random.choice(self.of.edges) + self.random.choice((-1, 0, 0, 1))
        if kind < 0.8:
            return self.random.randint(1, 26_000)
        return self.random.choice((0, 1, self.random.randint(20_000, 140_000), self.random.randint(60_000, 2_000_000)))

    def cuts(self, share: float = 0.35) -> list[date]:
        """None, one or two days of the year after the first."""
        found = {self.day() for _ in range(self.random.choice((1, 1, 2)))} if self.chance(share) else set()
        return sorted(found - {self.first})

    # ---- records

    def records(self) -> Records:
        """All records of the ratepayer."""
        found: Records = {"rates_accounts": [], "hereditaments": [], "list_values": [], "occupations": []}
        caps: Record = {}
        if self.chance(0.12):
            caps["cash_cap_left"] = Fraction(self.random.choice((0, 2_500, 20_000, 104_999, 110_000, self.random.randint(0, 150_000))))
        if self.chance(0.1):
            caps["subsidy_room"] = Fraction(self.random.choice((0, 1_000, 95_000, self.random.randint(0, 150_000))))
        self.kind = self.random.choice(("ordinary",) * 6 + CHARITIES + ("charity", "precepting_authority", None))
        begins = sorted(self.day() if self.chance(0.4) else self.first - timedelta(days=self.random.randint(0, 900)) for _ in range(4))
        for place in range(self.random.choice((1, 1, 1, 1, 2, 2, 3, 4))):
            name = str(place)
            ends = self.day() if self.chance(0.25) else None
            if ends is not None and ends < begins[place]:
                ends = None
            self.account(found, name, begins[place], ends)
            found["rates_accounts"][-1] |= caps if self.chance(0.9) or not place else {}
        found["rates_accounts"][0] |= caps
        return found

    def account(self, found: Records, name: str, begins: date, ends: date | None) -> None:
        """One account with its hereditament and its occupations."""
        self.begins, self.starts = begins, max(begins, self.first)
        self.london, self.use = self.chance(0.3), self.random.choice((*self.of.uses, *self.of.often))
        self.rural = self.random.choice(self.of.program.lists["rural_kind"].members[1:]) if self.chance(0.2) else None
        self.fibre = self.use == "fibre" and self.chance(0.8)
        self.supported = self.support() if self.chance(0.3) and not self.fibre else None
        values = self.hereditament(found, name)
        self.start_values(found, name, values)
        states = self.random.choice((["occupied"],) * 5 + (["unoccupied"],) * 2 + (["occupied", "unoccupied"], ["unoccupied", "occupied"]))
        cuts = [day for day in self.cuts(0.4 if len(states) == 1 else 1.0) if day > begins]
        for number, (first, until) in enumerate(pairwise([LONG_AGO, *cuts, None])):
            assert first is not None
            state = states[number % len(states)]
            last = None if until is None else until - ONE_DAY
            entries = [e for e in values if (last is None or e[0] <= last) and (e[1] is None or e[1] >= first)]
            facts = self.occupation(state, max(first, begins), entries)
            found["occupations"].append({"rates_account": name, "from": number_of(first), "to": day_or_none(last), **facts})
        found["rates_accounts"].append(self.liability(name, begins, ends))

    def liability(self, name: str, begins: date, ends: date | None) -> Record:
        """The record of the account itself."""
        found: Record = {"rates_account": name, "ratepayer": "r", "hereditament": name}
        found |= {"from": number_of(begins), "to": day_or_none(ends)}
        if self.chance(0.5):
            month = self.random.randint(1, 12)
            of_month = date(self.year + (month < 4), month, self.random.choice((1, 15, 16, 28)))
            found["notice_date"] = number_of(self.random.choice((of_month, self.first, self.first - timedelta(days=20), self.last)))
        if self.chance(0.3):
            found["twelve_instalments"] = self.chance(0.8)
        if self.chance(0.1):
            found["hardship_remission"] = Fraction(self.random.choice((0, 1, 50_000, self.random.randint(0, 900_000))), 100)
        if self.chance(0.1):
            found["fallen_due"] = Fraction(self.random.choice((0, 5_000, self.random.randint(0, 2_000_000))), 100)
            found["instalments_left"] = Fraction(self.random.randint(0, 12))
        relieved = {"retail", "hospitality", "leisure", "public_house", "live_music_venue", "nursery"}
        if self.chance(0.15) and self.use not in relieved:  # the fund was for those without the reliefs of 2021-22
            found["additional_relief_award"] = Fraction(self.random.choice((0, 100, self.random.randint(0, 20_000))))
        return found

    def hereditament(self, found: Records, name: str) -> list[tuple[date, date | None, int, int]]:
        """Entries in the list: from, to, value, and the value of works.

        A rural one has no change before its account begins: the rules see the value of 1 April only where the account does.
        """
        entries = []
        cuts = [day for day in self.cuts() if self.rural is None or day > self.starts]
        industrial = self.chance(0.3)
        value = self.value()
        for first, until in pairwise([LONG_AGO, *cuts, None]):
            assert first is not None
            if self.chance(0.8):
                value = self.value()
            last = None if until is None else until - ONE_DAY
            works = 0
            facts: Record = {"rateable_value": Fraction(value), "rating_use": self.use}
            if self.london or self.chance(0.3):
                facts["in_greater_london"] = self.london
            if industrial or self.chance(0.3):
                facts["industrial"] = industrial
            if self.chance(0.2) and not (self.rural and self.starts > self.first):
                works = self.random.choice((0, 1, value // 3, value, value + 1, value // 100))
                facts["improvement_value"] = Fraction(works)
            if self.rural:
                facts["rural_kind"] = self.rural
            if self.fibre:
                facts["new_fibre_value"] = Fraction(self.random.choice((0, value, value // 3, value // 7, value + 5)))
            found["hereditaments"].append({"hereditament": name, "from": number_of(first), "to": day_or_none(last), **facts})
            entries.append((first, last, value, works))
        return entries

    def start_values(self, found: Records, name: str, entries: list[tuple[date, date | None, int, int]]) -> None:
        """Values at the change of list, near enough to each other that a limit may hold, or not."""
        self.start: int | None = None
        if self.chance(0.15):
            return
        facts: Record = {"hereditament": name, "from": number_of(date(self.of.list_from, 4, 1)), "to": None}
        if self.chance(0.12):
            facts["new_in_list"] = self.chance(0.9)
            if facts["new_in_list"]:
                found["list_values"].append(facts)
                return
        start = max(entries[0][2] if self.chance(0.85) else self.value(), 1)
        near = self.random.choice((0.03, 0.1, 0.3, 0.6))
        ratio = self.random.choice((0.2, 0.4, 0.5, 0.7, 1, 1.5, 2, 4))
        if self.chance(0.7):  # about as much to pay as before
            ratio = self.of.alike * self.random.uniform(1 - near, 1 + near / 2)
        facts |= {"value_before": Fraction(max(1, round(start * ratio))), "value_at_start": Fraction(start)}
        if self.chance(0.3):
            facts["altered_hereditament"] = self.chance(0.9)
        if self.chance(0.08):  # split or merged
            del facts["value_before"]
            facts["recorded_limit"] = Fraction(self.random.randint(0, start * 700_000), 10**6)
        self.start = start
        found["list_values"].append(facts)

    def support(self) -> str:
        """The scheme of the year, or another."""
        own = next((name for years, name in SUPPORT.items() if self.year in years), "not_supported")
        return self.random.choice((own, own, own, *self.of.program.lists["supported_by"].members))

    def occupation(self, state: str, begins: date, entries: list[tuple[date, date | None, int, int]]) -> Record:
        """Occupation of some days, and what was claimed and awarded."""
        facts: Record = {"occupation_state": state}
        if self.kind is not None:
            facts["ratepayer_kind"] = self.kind
        if state == "unoccupied":
            facts |= self.vacancy(begins)
        elif self.chance(0.25):
            facts |= self.part(begins, entries)
        if self.chance(0.7) and not self.fibre:
            facts["small_business_claimed"] = self.chance(0.95)
            if self.chance(0.6):
                facts |= self.others(begins)
        if self.supported is not None:
            facts |= self.support_facts(entries)
        if self.chance(0.1):
            facts["retail_relief_refused"] = self.chance(0.7)
        if self.chance(0.2):
            facts["closed_by_law"] = self.chance(0.7)
        if self.chance(0.3) and date(2014, 4, 1) <= begins:
            facts["reoccupied_since"] = number_of(min(self.since(self.day()), begins))
        elif self.chance(0.3) and 2014 <= self.year <= 2017:
            facts["reoccupied_since"] = number_of(self.since(self.day()))
        if "reoccupied_since" in facts:
            low, high = number_of(date(2014, 4, 1)), number_of(date(2016, 3, 31))
            since = facts["reoccupied_since"]
            if not isinstance(since, int) or not low <= since <= min(high, number_of(max(begins, self.first))):
                del facts["reoccupied_since"]
        if self.chance(0.2):
            facts["top_up_share"] = Fraction(self.random.choice((0, 20, 33, 100)), 100)
        if self.chance(0.2):
            facts["discretionary_share"] = Fraction(self.random.choice((0, 20, 33, 50, 100)), 100)
        return facts

    def vacancy(self, begins: date) -> Record:
        """Since when it is unoccupied, a short occupation before, and why it is not charged."""
        facts: Record = {"empty_since": number_of(min(self.since(self.day()), begins))}
        if self.chance(0.25):
            assert isinstance(facts["empty_since"], int)
            ended = facts["empty_since"] - 1
            straddles = number_of(date(2024, 4, 1))
            if self.year >= 2024 and self.chance(0.3):
                ended = max(straddles + self.random.choice((-1, 0, 30, 60)), number_of(LONG_AGO))
                facts["empty_since"] = ended + 1
            days = 7 * self.random.choice(WEEKS) + self.random.choice((-2, -1, 0, 1))
            began = ended - days + 1 if self.chance(0.8) else min(straddles + self.random.choice((-1, 0)), ended)
            facts |= {"short_occupation_from": began, "short_occupation_to": ended}
            facts["empty_before_since"] = began - self.random.choice((1, 40, 100, 200))
            if int(facts["empty_since"]) > number_of(begins):
                facts["empty_since"] = number_of(begins)
        if self.chance(0.2):
            members = self.of.program.lists["empty_exemption"].members
            facts["empty_exemption"] = self.random.choice(members if self.kind in CHARITIES else members[:-1])
        return facts

    def part(self, begins: date, entries: list[tuple[date, date | None, int, int]]) -> Record:
        """An apportionment between the occupied and the unoccupied part."""
        least = min(value for *_, value, _ in entries)
        works = min(works for *_, works in entries)
        share = self.random.choice((0, least, least // 2, least // 3, max(0, least - 1)))
        if self.chance(0.4):
            share = min(least, self.random.choice(self.of.edges) + self.random.choice((-1, 0, 1)))
        facts: Record = {"occupied_value": Fraction(share), "part_empty_since": number_of(min(self.since(self.day()), begins))}
        of_part = min(works, share, max(0, share - least + works) if self.chance(0.5) else works)
        facts["occupied_improvement_value"] = Fraction(max(of_part, share - min(max(v - w, 0) for *_, v, w in entries), 0))
        if self.chance(0.1):
            facts["empty_exemption"] = self.random.choice(("listed_building", "not_exempt"))
        return facts

    def others(self, begins: date) -> Record:
        """What else the ratepayer occupies in England."""
        count = self.random.choice((0, 1, 1, 1, 2, 2, 3))
        small = self.random.choice((2_599, 2_600, 2_899, 2_900, 1_000, 500))
        greatest = small if self.chance(0.7) else self.value()
        total = greatest if count == 1 else greatest + self.random.choice((0, 400, greatest * (count - 1), max(0, 17_999 - greatest)))
        if self.chance(0.3):  # all together at the limit
            limit = self.random.choice((17_999, 25_499, 19_999, 27_999)) + self.random.choice((-1, 0, 1))
            total = max(greatest, limit - self.random.choice((12_000, 15_000, 8_000)))
        facts: Record = {"others_occupied": Fraction(count), "others_greatest_value": Fraction(greatest)}
        facts["others_total_value"] = Fraction(total)
        if count and self.chance(0.5):
            taken = self.since(self.day())
            if self.chance(0.15):
                taken = self.random.choice(
                    (date(2024, 2, 29), date(2012, 2, 29), date(2025, 11, 26), date(2025, 11, 27), date(2013, 2, 14))
                )
            facts["additional_since"] = number_of(min(taken, begins))
            facts["additional_value"] = Fraction(
                min(greatest, self.random.choice((greatest, greatest, small, 0)) if count > 1 else greatest)
            )
            if count > 1 and facts["additional_value"] == greatest:
                facts["others_greatest_before"] = Fraction(min(greatest, self.random.choice((2_599, 2_600, 2_899, 2_900, 300))))
        return facts

    def support_facts(self, entries: list[tuple[date, date | None, int, int]]) -> Record:
        """A supporting small business scheme, with its limit where the value is not that of the first day of the list."""
        facts: Record = {"supported_by": self.supported}
        facts["supported_base"] = Fraction(self.random.choice((0, 60_000, self.random.randint(0, 2_500_000))), 100)
        changed = self.start is not None and any(value != self.start for *_, value, _ in entries)
        if changed or self.chance(0.1):
            facts["supported_limit"] = Fraction(self.random.randint(0, 1_500_000), 100)
        return facts
