"""Made-up claims for a reduction, as records by register: people of pension age around the limits of the prescribed scheme.

Each claim follows from its program and its number alone.  The figures at whose edges incomes lie are those of the
independent calculation, so that an edge that the rules have moved is met from both sides.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from random import Random
from typing import Any

from agreement.accounts import EPOCH, Record, Records
from independent.council_tax_reduction.amounts import BANDS, TWO_RATES
from independent.council_tax_reduction.dates import week_of
from independent.council_tax_reduction.pension_age import pension_age_day
from rbcalc_kernels.program.graph import Program

PENSIONS = ("state_pension", "occupational_pension", "personal_pension", "annuity")
EARNED = ("employed_earnings", "self_employed_earnings", "statutory_sick_pay", "statutory_maternity_pay", "other_statutory_pay")
PARTLY: tuple[str, ...] = (
    "war_disablement_pension",
    "war_widows_pension",
    "guaranteed_income_payment",
    "persecution_pension",
    "widowed_parents_allowance",
    "trust_payment_for_needs",
    "boarder",
    "sub_tenant",
    "spousal_maintenance",
    "working_tax_credit",
    "home_income_annuity",
)
WHOLE: tuple[str, ...] = (
    "carers_allowance",
    "esa_contributory",
    "bereavement_allowance",
    "maternity_allowance",
    "listed_income",
    "notional_income",
)
WHOLE += ("severe_disablement_allowance", "industrial_injuries_benefit", "jsa_contribution_based", "equity_release")
NOTHING: tuple[str, ...] = (
    "child_benefit",
    "child_tax_credit",
    "child_maintenance",
    "attendance_allowance",
    "dla_care",
    "dla_mobility",
    "pip_daily_living",
)
NOTHING += ("guardians_allowance", "rent_from_property", "charitable_payment", "mobility_supplement", "war_pension_supplement")
NOTHING += ("foster_allowance", "bereavement_support_payment", "victims_compensation", "constant_attendance_allowance", "pip_mobility")
WEEKS: dict[str, int | Fraction] = {
    "weekly": 1,
    "fortnightly": 2,
    "four_weekly": 4,
    "monthly": Fraction(52, 12),
    "quarterly": 13,
    "yearly": 52,
}
CARE: tuple[str, ...] = ("attendance_allowance", "dla_care_lowest", "dla_care_middle", "dla_care_highest", "pip_daily_living_standard")
CARE += ("pip_daily_living_enhanced", "armed_forces_independence_payment")
EXEMPT: tuple[str, ...] = (
    "lives_elsewhere",
    "youth_training",
    "full_time_student",
    "patient_over_52_weeks",
    "pension_credit",
    "income_support",
)
EXEMPT += ("jsa_income_based", "esa_income_related", "disregarded")
LATER_EXEMPT = ("forces_on_operations", "universal_credit_without_earnings")
SECOND = ("income_support", "pension_credit", "jsa_income_based", "esa_income_related")
CREDITS = ("guarantee_credit", "savings_credit")


def pounds(amount: Fraction) -> Fraction:
    """To the penny, down."""
    return Fraction(int(amount * 100), 100)


def copied(state: dict[str, Any]) -> dict[str, Any]:
    """A state of a claim, of which nothing changes when the other one does."""
    people = {key: {**person, "incomes": list(person["incomes"])} for key, person in state["people"].items()}
    return {
        "claim": dict(state["claim"]),
        "people": people,
        "non_dependants": {key: dict(one) for key, one in state["non_dependants"].items()},
    }


class Claims:
    """The claims of a program's council and year."""

    def __init__(self, program: Program, seed: str = "") -> None:
        self.program = program
        self.seed = f"claims/{seed}/{program.name}/{program.first_day}"
        self.first, self.last = program.first_day, program.last_day
        self.year = date.fromordinal(EPOCH + self.first).year

    def plausible(self, number: int) -> Records:
        """Facts that fit each other, so that the law can be applied to them."""
        return self.story(Random(f"{self.seed}/{number}")).records()

    def story(self, random: Random) -> Story:
        """An account and a claim upon it, not told yet."""
        return Story(self, random)


class Story:
    """One account and the claim upon it."""

    def __init__(self, claims: Claims, random: Random) -> None:
        self.random, self.year = random, claims.year
        self.first, self.last = claims.first, claims.last
        self.program = claims.program
        self.bands = BANDS[claims.year]

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def edge(self, *amounts: Fraction | int) -> Fraction:
        """One of the amounts, or a penny beside it."""
        value = Fraction(self.random.choice(amounts)) + Fraction(self.random.choice((-1, 0, 0, 1)), 100)
        return max(value, Fraction(0))

    # ---- the account

    def records(self) -> Records:
        pick = self.random
        begins, ends = self.first, self.last
        if self.chance(0.2):
            begins = pick.randint(self.first, self.last - 60)
        if self.chance(0.15):
            ends = pick.randint(begins + 30, self.last)
        open_end = ends == self.last and self.chance(0.5)
        account: Record = {
            "account": "a",
            "dwelling": "d",
            "from": begins if begins > self.first else begins - 400,
            "to": None if open_end else ends,
        }
        dwellings, charge_days = self.dwellings(begins, ends)
        found: Records = {"accounts": [account], "dwellings": dwellings, "people": []}
        found |= self.claim(begins, ends, charge_days)
        return found

    def dwellings(self, begins: int, ends: int) -> tuple[list[Record], list[int]]:
        lists = self.program.lists
        facts: Record = {
            "dwelling": "d",
            "band": self.random.choice(lists["band"].members),
            "area": self.random.choice(lists["area"].members),
        }
        facts |= {"occupation": "main_home", "recorded_adults": Fraction(self.random.choice((1, 1, 2, 2, 3)))}
        days = sorted({self.random.randint(begins + 1, ends) for _ in range(self.random.choice((0, 0, 0, 1, 1, 2)))})
        made, changes = [], []
        edges = [begins, *days, ends + 1]
        for first, end in itertools.pairwise(edges):
            made.append({**facts, "from": first if first > begins else begins - 900, "to": end - 1 if end <= ends else None})
            before = dict(facts)
            if self.chance(0.6):
                facts["recorded_adults"] = Fraction(1 if facts["recorded_adults"] != 1 else 2)
            elif self.chance(0.5):
                facts["disabled_reduction"] = not facts.get("disabled_reduction")
            else:
                facts["band"] = self.random.choice(lists["band"].members)
            if end <= ends and before != facts:
                changes.append(end)
        return made, changes

    # ---- the claim

    def claim(self, begins: int, ends: int, charge_days: Sequence[int]) -> Records:
        pick = self.random
        since = begins if begins > self.first or self.chance(0.5) else pick.randint(self.first, self.last - 30)
        since = min(since, ends)
        claimed: dict[str, int | None] = {"claimed_on": None, "liable_since": None}
        if since > self.first or self.chance(0.3):
            claimed["claimed_on"] = since + pick.choice((0, 0, 0, 1, 3, 6, -2, -9))
        if claimed["claimed_on"] is not None and since == begins and self.chance(0.7):
            claimed["liable_since"] = begins
        state: dict[str, Any] = {"claim": claimed | self.claim_facts(), "people": self.people(), "non_dependants": {}}
        self.begin(state)
        for _ in range(pick.choice((0, 0, 0, 1, 1, 2))):
            self.arrival(state, None)
        days = self.change_days(since, ends, charge_days)
        record_from = since if since > self.first else since - 300
        spells: list[tuple[int, dict[str, Any]]] = [(record_from, copied(state))]
        for day in days:
            state["claim"]["told_on"] = state["claim"]["told_late"] = None
            self.change(state, day)
            spells.append((day, copied(state)))
        self.mark_charge_changes(spells, charge_days)
        last = ends if self.chance(0.85) else pick.randint(max(days[-1] if days else since, since), ends)
        return self.as_records(spells, None if last == self.last and self.chance(0.5) else last)

    def begin(self, state: dict[str, Any]) -> None:
        """What else is there at first."""

    def change_days(self, since: int, ends: int, charge_days: Sequence[int]) -> list[int]:
        """Days on which something changes, often several in one week."""
        found: set[int] = set()
        for _ in range(self.random.choice((0, 0, 1, 1, 2, 3, 4))):
            near = [*found, *charge_days]
            day = self.random.choice(near) + self.random.randint(-4, 4) if near and self.chance(0.4) else self.random.randint(since, ends)
            if since < day <= ends:
                found.add(day)
        return sorted(found)

    def mark_charge_changes(self, spells: list[tuple[int, dict[str, Any]]], charge_days: Sequence[int]) -> None:
        """Para 46(7): an officer notes the day on which the tax changed in the week of a change."""
        for day, state in spells[1:]:
            week = week_of(date.fromordinal(EPOCH + day)).toordinal() - EPOCH
            same = [other for other in charge_days if week <= other < week + 7]
            state["claim"]["other_change_on"] = min(same) if same else None

    def claim_facts(self) -> Record:
        facts: Record = {"capital": self.capital()}
        if self.chance(0.1):
            facts["jointly_liable"] = Fraction(self.random.choice((1, 2, 3)))
        if self.chance(0.3):
            facts["family_premium_saved"] = self.chance(0.6)
        if self.chance(0.2):
            facts["children_saved"] = self.chance(0.5)
        if self.chance(0.1):
            facts["children_in_tax_credit"] = Fraction(self.random.choice((0, 2, 3)))
        if self.chance(0.04):
            facts["extended_reduction"] = Fraction(self.random.randint(0, 4000), 100)
        if self.chance(0.03):
            facts["continuing_reduction"] = self.chance(0.8)
        if self.chance(0.05):
            facts["only_students_besides"] = self.chance(0.7)
        return facts

    def capital(self) -> Fraction:
        if self.chance(0.4):
            return Fraction(self.random.randint(0, 1_000_000), 100)
        if self.chance(0.3):
            return Fraction(self.random.randint(1_000_000, 1_650_000), 100)
        return self.edge(10_000, 10_500, 11_000, 15_500, 16_000)

    # ---- people

    def people(self) -> dict[str, dict[str, Any]]:
        found = {"p0": self.adult("applicant")}
        if self.chance(0.45):
            found["p1"] = self.adult("partner")
        for place in range(self.random.choice((0, 0, 0, 0, 1, 1, 2, 3))):
            found[f"c{place}"] = self.child()
        if self.chance(0.25):
            self.credit(found, {})
        return found

    def birth(self) -> date:
        years = self.random.randint(67, 95)
        if self.chance(0.35) and self.year <= 2018:  # 65 within the year
            day = date(self.year - 65, 4, 1) + timedelta(days=self.random.randint(0, 365))
            return max(min(day, date(1953, 4, 5)), date(1950, 4, 6)) if self.year == 2018 else day
        if self.chance(0.35) and self.year >= 2021:
            return date(1955, 3, 31) + timedelta(days=self.random.choice((-40, -1, 0, 1, 2, 40)))
        return date(self.year - years, self.random.randint(1, 12), self.random.randint(1, 28))

    def adult(self, role: str) -> dict[str, Any]:
        born = self.birth()
        while role == "applicant" and pension_age_day(born) > date(self.year, 4, 1):
            born -= timedelta(days=30)
        if role == "partner" and self.chance(0.2):
            born = date(self.year - self.random.randint(30, 60), 5, 5)
        facts: dict[str, Any] = {"role": role, "born": born.toordinal() - EPOCH, "incomes": [], "cared_for": False}
        if self.chance(0.25):
            facts["care_benefit"] = self.random.choice(CARE)
            if self.chance(0.1):
                facts["care_benefit_suspended"] = True
        for name, share in (("blind", 0.07), ("carer", 0.12), ("cared_for", 0.12), ("long_term_sick", 0.05), ("mobility_benefit", 0.05)):
            if self.chance(share):
                facts[name] = self.chance(0.85)
        self.incomes(facts, role)
        if self.chance(0.2):
            facts["weekly_work"] = Fraction(self.random.choice((0, 15, 16, 29, 30, 40)))
        for name, share in (("special_occupation", 0.05), ("additional_earnings_disregard", 0.04), ("earnings_disregard_kept", 0.03)):
            if self.chance(share):
                facts[name] = self.chance(0.8)
        if self.chance(0.03):
            facts |= {"exempt_work": True, "exempt_work_limit": self.edge(20, 25, 101, 195)}
        if self.chance(0.03):
            facts["parental_contribution"] = Fraction(self.random.randint(0, 8000), 100)
        if self.chance(0.03):
            facts["student_maintenance"] = Fraction(self.random.randint(0, 9000), 100)
            if self.chance(0.5):
                facts["student_award"] = Fraction(self.random.randint(0, 9000), 100)
        return facts

    def child(self) -> dict[str, Any]:
        born = date(self.year - self.random.randint(1, 15), self.random.randint(1, 12), self.random.randint(1, 28))
        facts: dict[str, Any] = {"role": "child", "born": born.toordinal() - EPOCH, "incomes": []}
        if self.chance(0.2):
            facts["role"], facts["born"] = "young_person", date(self.year - 17, 6, 6).toordinal() - EPOCH
        if self.chance(0.25):
            facts["care_benefit"] = self.random.choice(CARE[1:6])
        for name, share in (("blind", 0.05), ("mobility_benefit", 0.1)):
            if self.chance(share):
                facts[name] = True
        if self.chance(0.3):
            facts["childcare_cost"] = Fraction(
                self.random.choice((5000, 17_499, 17_500, 17_501, 15_000, self.random.randint(0, 30_000))), 100
            )
        return facts

    def incomes(self, person: dict[str, Any], role: str) -> None:
        found: list[Record] = []
        level = Fraction(TWO_RATES[max(self.year, 2021)].single_before)

        def add(kind: str, weekly: Fraction, **more: Any) -> None:
            period = self.random.choice(
                ("weekly",) * 4 + ("four_weekly",) * 3 + ("monthly", "monthly", "quarterly", "yearly", "fortnightly")
            )
            found.append({"income_kind": kind, "frequency": period, "amount": pounds(weekly * WEEKS[period]), **more})

        for kind in PENSIONS:
            if self.chance(0.5 if kind == "state_pension" else 0.25):
                add(kind, level * self.random.randint(10, 110) / 100)
        for kinds, share in ((EARNED, 0.3), (PARTLY, 0.3), (WHOLE, 0.2), (NOTHING, 0.2)):
            if self.chance(share):
                kind = self.random.choice(kinds)
                more = {"loan_interest": Fraction(self.random.randint(0, 3000), 100)} if kind == "home_income_annuity" else {}
                amount = self.edge(5, 10, 15, 20, 25, Fraction("17.10"), Fraction("22.10"), Fraction("37.10"), 60, 180, 350)
                add(kind, amount, **more)
                if kinds is PARTLY and self.chance(0.4):
                    add(self.random.choice(PARTLY[:-1]), self.edge(10, 15, 20, 40))
        person["incomes"] = found

    def credit(self, people: dict[str, dict[str, Any]], claim: dict[str, Any]) -> None:
        """Pension credit begins, changes or ends."""
        holder = people["p0"] if "p1" not in people or self.chance(0.7) else people["p1"]
        for person in people.values():
            person.pop("passport", None)
            person["incomes"] = [income for income in person["incomes"] if income["income_kind"] not in CREDITS]
        kind = holder["passport"] = self.random.choice(("guarantee_credit", "savings_credit"))
        amount = Fraction(self.random.randint(1, 2000 if kind == "savings_credit" else 10_000), 100)
        holder["incomes"].append({"income_kind": kind, "frequency": "weekly", "amount": amount})

    # ---- non-dependants

    def arrival(self, state: dict[str, Any], day: int | None) -> None:
        """A non-dependant, who moved in on the day, or before the claim."""
        pick, held = self.random, state["non_dependants"]
        facts: Record = {}
        facts["in_work"] = self.chance(0.5)
        if facts["in_work"] and self.chance(0.85):
            facts["gross_income"] = self.gross()
        if self.chance(0.2):
            facts["exempt_because"] = self.exempt()
        if self.chance(0.25):
            facts |= {"couple": True, "other_in_work": self.chance(0.5)}
            if self.chance(0.3):
                facts["other_exempt_because"] = self.exempt()
        if self.chance(0.15):
            facts["ignored_for_severe_disability"] = self.chance(0.7)
        if self.chance(0.25):
            facts["second_adult"] = True
            if self.chance(0.5):
                facts["second_adult_benefit"] = pick.choice(SECOND)
            else:
                facts["gross_income"] = self.gross()
        if day is not None:
            facts["moved_in"] = day
        elif self.chance(0.4):
            facts["moved_in"] = self.first - pick.choice((5000, 400, 181, 182, 183, 90, 30))
        held[f"n{len(held)}"] = facts

    def gross(self) -> Fraction:
        if self.chance(0.3):
            return Fraction(self.random.randint(0, 90_000), 100)
        bands = self.bands
        return self.edge(bands.second_from, bands.third_from, bands.top_from, bands.fifteen_below, bands.seven_and_a_half_below)

    def exempt(self) -> str:
        return self.random.choice(EXEMPT + LATER_EXEMPT)

    # ---- changes

    def change(self, state: dict[str, Any], day: int) -> None:
        """One thing changes, or two."""
        kinds: list[Callable[[dict[str, Any], int], None]] = [
            self.change_income,
            self.change_income,
            self.change_partner,
            self.change_benefit,
            self.change_capital,
            self.change_credit,
            self.change_non_dependant,
            self.change_non_dependant,
            self.change_child,
        ]
        for _ in range(self.random.choice((1, 1, 1, 2))):
            self.random.choice(kinds)(state, day)

    def change_income(self, state: dict[str, Any], day: int) -> None:
        person = self.random.choice([p for p in state["people"].values() if p["role"] in ("applicant", "partner")])
        kept = [income for income in person["incomes"] if income["income_kind"] in CREDITS]
        self.incomes(person, person["role"])
        person["incomes"] += kept

    def change_capital(self, state: dict[str, Any], day: int) -> None:
        state["claim"]["capital"] = self.capital()

    def change_partner(self, state: dict[str, Any], day: int) -> None:
        if "p1" in state["people"]:
            del state["people"]["p1"]
        else:
            state["people"]["p1"] = self.adult("partner")

    def change_benefit(self, state: dict[str, Any], day: int) -> None:
        person = self.random.choice(list(state["people"].values()))
        if person["role"] in ("applicant", "partner"):
            name = self.random.choice(("blind", "carer", "cared_for", "long_term_sick"))
            person[name] = not person.get(name)
            if self.chance(0.4):
                person["care_benefit"] = self.random.choice((*CARE, None))
        else:
            person["care_benefit"] = self.random.choice((*CARE[1:6], None))

    def change_credit(self, state: dict[str, Any], day: int) -> None:
        self.credit(state["people"], state["claim"])
        if self.chance(0.6):
            state["claim"]["told_on"] = day + self.random.choice((-10, 0, 1, 5, 20, 40))
        if self.chance(0.2):
            state["claim"]["told_late"] = True

    def change_child(self, state: dict[str, Any], day: int) -> None:
        children = [key for key, person in state["people"].items() if person["role"] in ("child", "young_person")]
        if children and self.chance(0.5):
            del state["people"][self.random.choice(children)]
        else:
            state["people"][f"c{day}"] = self.child()

    def change_non_dependant(self, state: dict[str, Any], day: int) -> None:
        held = state["non_dependants"]
        if not held or self.chance(0.4):
            self.arrival(state, day)
        elif self.chance(0.4):
            del held[self.random.choice(list(held))]
        else:
            facts = held[self.random.choice(list(held))]
            facts["in_work"], facts["gross_income"] = True, self.gross()
            facts["exempt_because"] = None
            if self.chance(0.8):
                facts["deduction_rose_on"] = day
                facts["deduction_before"] = self.random.choice((Fraction(0), self.bands.low, self.bands.second))

    # ---- records

    def as_records(self, spells: list[tuple[int, dict[str, Any]]], last: int | None) -> Records:
        found: dict[str, list[Record]] = {"claims": [], "household": [], "incomes": [], "non_dependants": []}
        ends: list[int | None] = [*(day - 1 for day, _ in spells[1:]), last]
        for (first, state), end in zip(spells, ends, strict=True):
            days: Record = {"from": first, "to": end}
            facts = dict(state["claim"])
            if any(person.get("passport") == "savings_credit" for person in state["people"].values()):
                facts["assessed_income"] = Fraction(self.random.randint(10_000, 45_000), 100)
                facts["assessed_income_earnings_left_out"] = Fraction(self.random.choice((0, 10, 20)))
            found["claims"].append({"account": "a", "claim": "k", **facts, **days})
            for key, person in state["people"].items():
                found["household"].append({"claim": "k", "person": key, **{n: v for n, v in person.items() if n != "incomes"}, **days})
                found["incomes"] += [{"person": key, **income, **days} for income in person["incomes"]]
            for key, facts in state["non_dependants"].items():
                found["non_dependants"].append({"claim": "k", "non_dependant": key, **facts, **days})
        if self.chance(0.5):
            found = {name: joined(rows) for name, rows in found.items()}
        return found


def joined(rows: list[Record]) -> list[Record]:
    """Records of which one goes on where an equal one ends, as one."""
    found: list[Record] = []
    for row in rows:
        said = {name: value for name, value in row.items() if name not in ("from", "to")}
        for other in found:
            to = other["to"]
            if to is not None and to == int(row["from"] or 0) - 1 and {n: v for n, v in other.items() if n not in ("from", "to")} == said:
                other["to"] = row["to"]
                break
        else:
            found.append(dict(row))
    return found
