"""Made-up claims for Housing Benefit, as records by register: a home, its rent, and the people of the claim around the law's limits.

Each follows from its year, its kind and its number alone.  The people, incomes and non-dependants are those of the claims for
Council Tax Reduction, with what Housing Benefit asks besides.  What neither the law nor the records say for certain is left out:
- what a local scheme has of its own, and facts that only a reduction of Council Tax asks for;
- changes of the home other than of its rent count on a day of their own in the records, so they fall on Mondays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from random import Random
from types import SimpleNamespace
from typing import Any

from agreement.accounts import EPOCH, Record, Records
from agreement.claims import Story
from agreement.working_age_claims import _Story as WorkingAgeStory
from independent.council_tax_reduction.working_age import PASSPORTS
from independent.housing_benefit.amounts import BANDS, LHA_2024
from rbcalc_kernels.program.graph import Program

SCHEMES = ("pension_age", "working_age")
FREQUENCIES = ("weekly",) * 5 + ("four_weekly",) * 2 + ("fortnightly", "monthly", "monthly", "daily", "quarterly", "yearly")
BY_THE_WEEK = ("weekly", "fortnightly", "four_weekly")
TIMES: dict[str, int | Fraction] = {
    "daily": 7,
    "weekly": 1,
    "fortnightly": Fraction(1, 2),
    "four_weekly": Fraction(1, 4),
    "monthly": Fraction(12, 52),
}
TIMES |= {"quarterly": Fraction(4, 52), "yearly": Fraction(1, 52)}
RULES = ("social_sector",) * 5 + ("local_housing_allowance",) * 4 + ("rent_officer", "exempt_accommodation", "before_1989")
LANDLORDS: dict[str, tuple[str, ...]] = {
    "social_sector": ("council_within_rent_account", "council_outside_rent_account", "registered_provider", "registered_provider"),
    "local_housing_allowance": ("private_landlord",),
    "rent_officer": ("private_landlord", "registered_provider"),
    "exempt_accommodation": ("registered_provider", "private_landlord"),
    "before_1989": ("private_landlord", "registered_provider"),
}
SHARED_EXCEPTIONS = ("care_leaver", "former_hostel_resident", "offender_management", "victim_of_domestic_violence")
SIZE_EXEMPTIONS = ("shared_ownership", "mooring_or_site_charges", "sanctuary_scheme", "tenant_since_1996")
TEMPORARY = ("board_and_lodging", "licensed_self_contained", "leased_not_self_contained")
CHARGES = (
    "eligible_service",
    "ineligible_service",
    "water",
    "council_tax",
    "fuel_stated",
    "support",
    "garage_not_required",
    "furniture_to_keep",
)
FUELS = ("heating", "hot_water", "lighting", "cooking")
MEALS = ("full_board", "half_board", "breakfast")
DISTURBED = {
    "rents": (
        "bedrooms",
        "broad_rental_market_area",
        "joint_tenants",
        "rent_share",
        "tenure",
        "rent_rules",
        "rent_frequency",
        "claim_related_rent",
    ),
    "charges": ("amount", "people", "charge_kind"),
    "claims": ("capital", "claimed_on", "children_in_tax_credit", "assessed_income", "mixed_age_couple_saved", "extended_payment"),
    "household": ("sex", "passport", "care_benefit", "esa_component", "weekly_work"),
    "incomes": ("income_kind", "frequency"),
    "non_dependants": ("born", "gross_income", "exempt_because", "deduction_before", "component_in_allowance"),
}
"""Facts that may go, or be others, by register."""
NEEDED = ("tenure", "rent_rules", "rent_frequency", "charge_kind", "income_kind", "frequency")
OTHERS: dict[str, tuple[Any, ...]] = {
    "bedrooms": (Fraction(0), Fraction(9)),
    "joint_tenants": (Fraction(4),),
    "rent_share": (Fraction(0), Fraction(1)),
    "claim_related_rent": (Fraction(0), Fraction(75)),
    "amount": (Fraction(0), Fraction(500)),
    "people": (Fraction(0), Fraction(6)),
    "capital": (Fraction(0), Fraction(16000), Fraction("16000.01")),
    "assessed_income": (Fraction(0), Fraction(500)),
    "mixed_age_couple_saved": (True, False),
    "extended_payment": (Fraction("0.49"), Fraction(120)),
    "gross_income": (Fraction(0), Fraction(10_000)),
    "exempt_because": ("lives_elsewhere", "pension_credit", "income_support"),
    "deduction_before": (Fraction(0), Fraction(100)),
    "component_in_allowance": (True, False),
}
ONLY_COUNCIL_TAX = ("jointly_liable", "extended_reduction", "only_students_besides", "other_change_on")
WITHOUT_PLACE = ("disregarded",)
"""Why nothing is deducted under Council Tax Reduction alone."""


class Tenants:
    """The claims of a year and an age."""

    def __init__(self, program: Program, year: int, scheme: str) -> None:
        self.program, self.year, self.scheme = program, year, scheme
        self.seed = f"housing_benefit/{scheme}/{year}"
        self.first = max(program.first_day, date(year, 4, 1).toordinal() - EPOCH)
        self.last = program.last_day

    def plausible(self, number: int) -> Records:
        """Facts that fit each other, so that the law can be applied to them."""
        story = _Pensioners if self.scheme == "pension_age" else _Others
        return story(self, Random(f"{self.seed}/{number}")).records()

    def disturbed(self, number: int) -> Records:
        """The same with one to three facts gone or others: they need not fit each other, and some claims cannot be worked out."""
        random, records = Random(f"{self.seed}/disturbed/{number}"), self.plausible(number)
        for _ in range(random.choice((1, 1, 2, 3))):
            name = random.choice([name for name in DISTURBED if records.get(name)])
            record, fact = random.choice(records[name]), random.choice(DISTURBED[name])
            values = self.others(fact) if fact in NEEDED else (None, None, *self.others(fact))
            record[fact] = random.choice(values)
        return records

    def others(self, fact: str) -> tuple[Any, ...]:
        """Some values of a fact."""
        if fact in self.program.lists:
            return self.program.lists[fact].members
        return OTHERS.get(fact, ())


class _Housing(Story):
    """One home and the claim upon it."""

    def __init__(self, claims: Any, random: Random) -> None:
        super().__init__(claims, random)
        rates = BANDS[claims.year]
        self.rates = rates
        self.bands: Any = SimpleNamespace(low=rates.deductions[0], second=rates.deductions[1])
        self.begins_whole = program_first(claims)
        self.working_age = claims.scheme == "working_age"
        self.moved: int | None = None
        self.by_the_week = True

    # ---- the home

    def records(self) -> Records:
        pick = self.random
        begins, ends = self.first, self.last
        if self.chance(0.25):
            begins = pick.randint(self.first, self.last - 60)
        if self.first < begins < self.monday(self.first + 6):
            begins = self.monday(self.first + 6)  # a home of the days before is a rare case of its own
        if self.chance(0.1):
            ends = pick.randint(begins + 30, self.last)
            ends += (3 - ends) % 7  # a Sunday
            ends = min(ends, self.last)
        open_end = ends == self.last and self.chance(0.5)
        from_ = begins if begins > self.first else self.begins_whole - pick.randint(30, 900)
        self.moved = from_
        until = None if open_end else ends
        rents, charges, days = self.rents(from_, begins, ends, until)
        home: Record = {"account": "a", "from": from_, "to": until}
        found: Records = {"tenancies": [home], "rents": rents, "charges": charges}
        return found | self.claim(begins, ends, days)

    def rents(self, from_: int, begins: int, ends: int, until: int | None) -> tuple[list[Record], list[Record], list[int]]:
        """The rent with its charges in time, and the days on which the rent changes."""
        facts, charges = self.tenancy()
        self.by_the_week = facts["rent_frequency"] in BY_THE_WEEK
        days = sorted({self.put_off(self.random.randint(begins + 1, ends)) for _ in range(self.random.choice((0, 0, 0, 1, 1, 2)))})
        mondays = sorted({self.monday(self.random.randint(begins + 7, ends)) for _ in range(self.random.choice((0, 0, 0, 1, 1)))})
        mondays = [day for day in mondays if begins < day <= ends and day not in days]
        if self.chance(0.2) and facts["rent_free_weeks"]:
            mondays = sorted({*mondays, *self.without_rent(begins, ends)})
        edges = sorted({*days, *mondays})
        rows: list[Record] = []
        held: list[Record] = []
        spans = pairwise([from_, *edges, ends + 1])
        for first, end in spans:
            if first in days:
                facts["rent"] = self.amount(str(facts["frequency_"]), 50, 260)
            elif first in mondays:
                self.change_home(facts)
            to = until if end == ends + 1 else end - 1
            rows.append({"account": "a", **{n: v for n, v in facts.items() if n != "frequency_"}, "from": first, "to": to})
            held += [{"account": "a", **charge, "from": first, "to": to} for charge in charges]
        return rows, held, days

    def without_rent(self, begins: int, ends: int) -> list[int]:
        """The Monday on which a week or two without rent begin, and that on which they end."""
        first = self.monday(self.random.randint(begins + 7, ends))
        return [day for day in (first, first + 7 * self.random.choice((1, 2))) if begins < day <= ends]

    def put_off(self, day: int) -> int:
        """With rent by the week, the first Monday in April for the days before it: what counts on them is a rare case of its own."""
        monday = self.monday(self.first + 6)
        return monday if self.by_the_week and self.first < day < monday else day

    def monday(self, day: int) -> int:
        return day - (day - 4) % 7  # 5 January 1970 was a Monday

    def amount(self, frequency: str, least: int, most: int) -> Fraction:
        weekly = Fraction(self.random.randint(least * 100, most * 100), 100)
        return Fraction(int(weekly / TIMES[frequency] * 100), 100)

    def change_home(self, facts: Record) -> None:
        """Something else than the rent."""
        if facts.get("rent_free") or (facts["rent_free_weeks"] and self.chance(0.6)):
            facts["rent_free"] = not facts.get("rent_free")
        elif self.chance(0.5) and facts["rent_rules"] == "social_sector":
            facts["bedrooms"] = self.random.randint(1, 5)
        elif self.chance(0.3):
            facts["reasonable_rent"] = Fraction(self.random.randint(4000, 20000), 100)
        else:
            facts["other_occupiers"] = self.random.randint(0, 2)

    def tenancy(self) -> tuple[Record, list[Record]]:
        pick = self.random
        rules = pick.choice(RULES)
        if rules == "local_housing_allowance" and self.year < 2024:
            rules = "social_sector"
        frequency = pick.choice(FREQUENCIES)
        facts: Record = {"tenure": pick.choice(LANDLORDS[rules]), "rent_rules": rules, "rent_frequency": frequency}
        facts |= {
            "frequency_": frequency,
            "rent": self.amount(frequency, 60, 320),
            "bedrooms": Fraction(pick.choice((1, 1, 2, 2, 3, 3, 4, 5))),
        }
        facts["rent_free_weeks"] = Fraction(pick.choice((2, 4, 2, 1))) if self.chance(0.12) and TIMES[frequency] != 7 else None
        if facts["rent_free_weeks"] and self.chance(0.3):
            facts["rent_weeks_in_year"] = Fraction(53)
        if self.chance(0.15):
            facts["joint_tenants"] = Fraction(pick.choice((2, 2, 3)))
            if self.chance(0.3):
                facts["rent_share"] = Fraction(pick.choice((2500, 3333, 4000, 6667)), 10000)
            if self.chance(0.5):
                facts["joint_tenant_bedrooms"] = Fraction(pick.choice((0, 1, 2)))
        if self.chance(0.05):
            facts["residential_share"] = Fraction(pick.choice((5000, 7500, 8125)), 10000)
        for name, share in (("carer_bedrooms", 0.06), ("foster_bedrooms", 0.04), ("forces_bedrooms", 0.04), ("other_occupiers", 0.06)):
            if self.chance(share):
                facts[name] = Fraction(pick.choice((1, 1, 2)) if name == "other_occupiers" else 1)
        self.protections(facts)
        getattr(self, f"of_{rules}")(facts)
        if self.chance(0.08):
            facts["reasonable_rent"] = Fraction(pick.randint(5000, 20000), 100)
        if facts["tenure"] == "council_outside_rent_account" and self.chance(0.6):
            facts["temporary_accommodation"] = pick.choice(TEMPORARY)
        if rules == "exempt_accommodation" and self.chance(0.7):
            facts["specified_accommodation"] = True
        return facts, self.charges(facts, str(facts["tenure"]))

    def protections(self, facts: Record) -> None:
        if self.chance(0.06):
            facts["linked_person_died_on"] = self.monday(self.random.randint(self.first - 400, self.last))
            if self.chance(0.7) and facts["rent_rules"] != "exempt_accommodation":  # there no rent of before is kept
                facts["protected_rent"] = Fraction(self.random.randint(6000, 24000), 100)
        if self.chance(0.06):
            facts["thirteen_weeks_from"] = self.monday(self.random.randint(self.first - 120, self.last))

    def of_social_sector(self, facts: Record) -> None:
        if self.chance(0.06):
            facts["size_criteria_exemption"] = self.random.choice(SIZE_EXEMPTIONS)

    def of_local_housing_allowance(self, facts: Record) -> None:
        facts["broad_rental_market_area"] = self.random.choice(list(LHA_2024))
        if self.chance(0.25):
            facts["shared_accommodation"] = self.chance(0.8)
        if self.chance(0.08):
            facts["shared_rate_exception"] = self.random.choice(SHARED_EXCEPTIONS)

    def of_rent_officer(self, facts: Record) -> None:
        facts["claim_related_rent"] = Fraction(self.random.randint(6000, 25000), 100)
        if self.chance(0.4):
            facts["local_reference_rent"] = Fraction(self.random.randint(5000, 22000), 100)
        if self.chance(0.4):
            facts["single_room_rent"] = Fraction(self.random.randint(3000, 12000), 100)
        if self.chance(0.2):
            facts["determination_includes_meals"] = True

    def of_exempt_accommodation(self, facts: Record) -> None:
        """Nothing besides."""

    def of_before_1989(self, facts: Record) -> None:
        """Nothing besides."""

    def charges(self, facts: Record, tenure: str) -> list[Record]:
        found: list[Record] = []
        frequency = str(facts["frequency_"])
        kinds = self.random.sample(CHARGES, self.random.choice((0, 0, 1, 1, 2, 3)))
        found += [{"charge_kind": kind, "amount": self.amount(frequency, 1, 14)} for kind in kinds]
        if self.chance(0.2):
            one_room, known = self.chance(0.3), tenure.startswith("council_") or self.chance(0.25)
            for kind in self.random.sample(FUELS, self.random.choice((1, 2, 3, 4))):
                fuel: Record = {"charge_kind": kind, "amount": self.amount(frequency, 1, 9) if known else None}
                found.append({**fuel, "one_room": True} if one_room else fuel)
        if self.chance(0.1):
            meals: Record = {"charge_kind": self.random.choice(MEALS), "people": Fraction(self.random.choice((1, 2)))}
            found.append({**meals, "children": Fraction(self.random.choice((0, 0, 1)))})
        return found

    # ---- the claim

    def claim(self, begins: int, ends: int, charge_days: Sequence[int]) -> Records:
        found = super().claim(begins, ends, charge_days)
        for row in found["claims"]:
            for name in ONLY_COUNCIL_TAX:
                row.pop(name, None)
        starts: Any = found["claims"][0]["from"]
        if self.first < starts < self.monday(self.first + 6):  # recorded from 31 March, as the rules ask for those days
            for row in (row for rows in found.values() for row in rows if row.get("from") == starts):
                row["from"] = self.first - 1
        for rows in found.values():
            for row in rows:
                moved: Any = row
                row["from"] = self.put_off(moved["from"])
                row["to"] = None if moved["to"] is None else self.put_off(moved["to"] + 1) - 1
            rows[:] = [row for row in rows if row["to"] is None or row["from"] <= row["to"]]  # type: ignore[operator]
        return found

    def mark_charge_changes(self, spells: list[tuple[int, dict[str, Any]]], charge_days: Sequence[int]) -> None:
        """No need: the rules see a change of rent."""

    def claim_facts(self) -> Record:
        facts = super().claim_facts()
        if self.chance(0.05):
            facts["care_home"] = self.chance(0.8)
        if self.chance(0.03):
            facts["extended_payment"] = Fraction(self.random.randint(0, 20000), 100)
        if self.working_age:
            if self.chance(0.03):
                facts["universal_credit_run_on"] = True
            if self.chance(0.04):
                facts["transitional_addition"] = Fraction(self.random.randint(0, 4000), 100)
            if self.chance(0.1):
                facts["children_in_tax_credit"] = Fraction(self.random.choice((0, 2, 3)))
            if self.chance(0.1):
                facts["children_saved"] = self.chance(0.5)
            if self.chance(0.2):
                facts["benefits_for_cap"] = Fraction(self.random.randint(0, 50000), 100)
            for name, share in (("cap_grace_period", 0.04), ("cap_exempt", 0.03)):
                if self.chance(share):
                    facts[name] = self.chance(0.8)
        return facts

    def adult(self, role: str) -> dict[str, Any]:
        facts = super().adult(role)
        if self.chance(0.06) and role != "further_spouse":
            facts["cannot_share_bedroom"] = self.chance(0.8)
        if self.chance(0.3):
            facts["sex"] = self.random.choice(("female", "male"))
        return facts

    def child(self) -> dict[str, Any]:
        facts = super().child()
        facts["sex"] = self.random.choice(("female", "male"))
        if self.chance(0.08):
            facts["cannot_share_bedroom"] = self.chance(0.8)
        if self.chance(0.25) and facts["role"] == "child":  # ten or sixteen within the year
            born = date(self.year - self.random.choice((10, 16)), self.random.randint(1, 12), self.random.randint(1, 28))
            facts["born"] = born.toordinal() - EPOCH
            facts["role"] = "child" if self.year - born.year == 10 else "young_person"
        return facts

    # ---- non-dependants

    def arrival(self, state: dict[str, Any], day: int | None) -> None:
        super().arrival(state, day)
        facts = state["non_dependants"][list(state["non_dependants"])[-1]]
        for name in ("second_adult", "second_adult_benefit"):
            facts.pop(name, None)
        self.settle(facts)

    def settle(self, facts: Record) -> None:
        """What Housing Benefit asks of a non-dependant."""
        pick = self.random
        if "gross_income" not in facts and facts["in_work"] and self.chance(0.9):
            facts["gross_income"] = self.gross()
        facts["born"] = self.of_age()
        if facts.get("couple"):
            facts["other_born"] = self.of_age()
        for mine, other in (("exempt_because", ""), ("other_exempt_because", "other_")):
            if facts.get(mine) in WITHOUT_PLACE:
                facts[mine] = None
            if facts.get(mine) in ("universal_credit_without_earnings", "income_support", "jsa_income_based", "esa_income_related"):
                facts[f"{other}in_work"] = False
            if facts.get(mine) == "esa_income_related":
                facts[f"{other}component_in_allowance"] = self.chance(0.4)
        if self.chance(0.12):
            facts["joint_occupiers"] = Fraction(pick.choice((2, 3)))
            if self.chance(0.3):
                facts["deduction_share"] = Fraction(pick.choice((2500, 3333, 6667)), 10000)

    def of_age(self) -> int:
        """Of 17 to 60, often 18 or 25 within the year."""
        age = self.random.choice((18, 25)) if self.chance(0.25) else self.random.randint(19, 60)
        return date(self.year - age, self.random.randint(1, 12), self.random.randint(1, 28)).toordinal() - EPOCH

    def gross(self) -> Fraction:
        if self.chance(0.3):
            return Fraction(self.random.randint(0, 90_000), 100)
        return self.edge(*self.rates.begins)


def program_first(claims: Tenants) -> int:
    """The first day that is worked out, which may lie before 1 April."""
    return claims.program.first_day


class _Pensioners(_Housing):
    """The claim of somebody of pension age."""

    def records(self) -> Records:
        found = super().records()
        for row in found["claims"]:
            row["mixed_age_couple_saved"] = True
        return found


class _Others(_Housing, WorkingAgeStory):
    """The claim of somebody below pension age."""

    def records(self) -> Records:
        """With the amount of a benefit that decides by itself, which the benefit cap asks for."""
        found = super().records()
        for row in found["household"]:
            if row.get("passport") in PASSPORTS:
                paid: Record = {"person": row["person"], "income_kind": row["passport"], "frequency": "weekly"}
                amount = Fraction(self.random.randint(10, 16_000), 100)
                found["incomes"].append({**paid, "amount": amount, "from": row["from"], "to": row.get("to")})
        return found
