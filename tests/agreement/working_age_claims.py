"""Made-up claims of people below pension age, as records by register: around the limits of the default scheme.

What neither the law nor the records say for certain is left out: students' grants, and self-employed people's earnings by the month.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from random import Random
from typing import Any

from agreement.accounts import EPOCH, Record
from agreement.claims import CARE, EARNED, NOTHING, PARTLY, WEEKS, WHOLE, Claims, Story, pounds
from independent.council_tax_reduction.amounts import WORKING
from independent.council_tax_reduction.working_age import PASSPORTS

SELF_EMPLOYED_PERIODS = ("weekly", "four_weekly", "yearly")
"""Their earnings go by the days of the period that they are for (DS para 50(2)), which a month does not tell."""
SICK: tuple[str, ...] = ("incapacity_benefit", "severe_disablement_allowance", "mobility_supplement", "esa_contributory")
OTHER: tuple[str, ...] = (*WHOLE, "occupational_pension", "annuity", "other_income", "listed_income", "jsa_contribution_based")
NONE_OF_IT: tuple[str, ...] = (*NOTHING, "adoption_allowance", "trust_payment_for_needs", "armed_forces_independence_payment")
IN_PART: tuple[str, ...] = (*PARTLY, "student_loan", "war_disablement_pension", "spousal_maintenance")


class WorkingAgeClaims(Claims):
    """The claims of a program's council and year."""

    def __init__(self, program: Any, seed: str = "") -> None:
        super().__init__(program, f"working_age/{seed}")

    def story(self, random: Random) -> Story:
        """An account and a claim upon it, not told yet."""
        return _Story(self, random)


class _Story(Story):
    """One account and the claim upon it."""

    def claim_facts(self) -> Record:
        facts: Record = {"capital": self.capital()}
        if self.chance(0.1):
            facts["jointly_liable"] = Fraction(self.random.choice((1, 2, 3)))
        if self.chance(0.3):
            facts["family_premium_saved"] = self.chance(0.6)
            facts["lone_parent_rate_saved"] = bool(facts["family_premium_saved"]) and self.chance(0.3)
        if self.chance(0.04):
            facts["extended_reduction"] = Fraction(self.random.randint(0, 4000), 100)
        if self.chance(0.05):
            facts["only_students_besides"] = self.chance(0.7)
        return facts

    def capital(self) -> Fraction:
        if self.chance(0.4):
            return Fraction(self.random.randint(0, 600_000), 100)
        if self.chance(0.3):
            return Fraction(self.random.randint(600_000, 1_650_000), 100)
        return self.edge(6_000, 6_250, 6_500, 15_750, 16_000)

    # ---- people

    def people(self) -> dict[str, dict[str, Any]]:
        found = {"p0": self.adult("applicant")}
        if self.chance(0.4):
            found["p1"] = self.adult("partner")
            if self.chance(0.04):
                found["p2"] = self.adult("further_spouse")
        for place in range(self.random.choice((0, 0, 0, 1, 1, 2, 3))):
            found[f"c{place}"] = self.child()
        if self.chance(0.03) and "p2" not in found:
            for person in found.values():
                if person["role"] in ("applicant", "partner"):
                    person["student"] = True
        return found

    def birth(self) -> date:
        if self.chance(0.1):  # 25 within the year, or about it
            return date(self.year - 25, self.random.randint(1, 12), self.random.randint(1, 28))
        if self.chance(0.15):
            return date(self.year - self.random.randint(19, 24), self.random.randint(1, 12), self.random.randint(1, 28))
        return date(self.year - self.random.randint(26, 58), self.random.randint(1, 12), self.random.randint(1, 28))

    def adult(self, role: str) -> dict[str, Any]:
        born = self.birth()
        if role == "partner" and self.chance(0.05):
            born = date(self.year - self.random.randint(70, 85), 5, 5)
        facts: dict[str, Any] = {"role": role, "born": born.toordinal() - EPOCH, "incomes": [], "cared_for": False}
        if self.chance(0.2):
            facts["care_benefit"] = self.random.choice(CARE)
            if self.chance(0.1):
                facts["care_benefit_suspended"] = True
        for name, share in (("blind", 0.05), ("carer", 0.15), ("cared_for", 0.1), ("long_term_sick", 0.07), ("mobility_benefit", 0.05)):
            if self.chance(share):
                facts[name] = self.chance(0.85)
        if self.chance(0.2):
            facts["esa_component"] = self.component()
        self.incomes(facts, role)
        if self.chance(0.35):
            facts["weekly_work"] = Fraction(self.random.choice((0, 15, 16, 29, 30, 40)))
        for name, share in (("special_occupation", 0.08), ("additional_earnings_disregard", 0.04)):
            if self.chance(share):
                facts[name] = self.chance(0.8)
        if self.chance(0.04):
            facts |= {"exempt_work": True, "exempt_work_limit": self.edge(20, 25, 101, 195)}
        elif self.chance(0.02):
            facts["parental_contribution"] = Fraction(self.random.randint(0, 3000), 100)
        elif self.chance(0.02):
            facts["student_maintenance"] = Fraction(self.random.randint(0, 9000), 100)
            if self.chance(0.5):
                facts["student_award"] = Fraction(self.random.randint(0, 9000), 100)
        return facts

    def component(self) -> str:
        """A phase or component of employment and support allowance; that for work-related activity where its amount is known."""
        kinds = ["assessment_phase", "support", "support", "work_related_activity_without_component"]
        if WORKING[self.year].work_related:
            kinds += ["work_related_activity"] * 2
        return self.random.choice(kinds)

    def incomes(self, person: dict[str, Any], role: str) -> None:
        found: list[Record] = []
        level = Fraction(WORKING[self.year].couple)

        def add(kind: str, weekly: Fraction, **more: Any) -> None:
            own = kind in ("self_employed_earnings", "royalties")
            period = self.random.choice(
                SELF_EMPLOYED_PERIODS
                if own
                else ("weekly",) * 4 + ("four_weekly",) * 3 + ("monthly", "monthly", "quarterly", "yearly", "fortnightly")
            )
            found.append({"income_kind": kind, "frequency": period, "amount": pounds(weekly * WEEKS[period]), **more})

        if self.chance(0.5):
            add(self.random.choice((*EARNED, "royalties", "other_statutory_pay")), level * self.random.randint(5, 250) / 100)
        small = (3, 5, 10, 15, 20, 25, Fraction("17.10"), Fraction("22.10"), Fraction("37.10"), 60, 180, 350)
        for kinds, share in ((EARNED, 0.15), (IN_PART, 0.25), (OTHER, 0.3), (NONE_OF_IT, 0.2), (SICK, 0.1)):
            if self.chance(share):
                kind = self.random.choice(kinds)
                more = {"loan_interest": Fraction(self.random.randint(0, 3000), 100)} if kind == "home_income_annuity" else {}
                add(kind, self.edge(*small), **more)
        if self.chance(0.25):
            add("working_tax_credit", self.edge(*small))
        if self.chance(0.3):
            add("child_tax_credit", level * self.random.randint(10, 110) / 100)
        person["incomes"] = found

    # ---- benefits that decide by themselves, and Universal Credit

    def benefit(self, state: dict[str, Any]) -> None:
        """One of them begins, another takes its place, or it ends."""
        claim, people = state["claim"], state["people"]
        adults = [person for person in people.values() if person["role"] in ("applicant", "partner")]
        for person in adults:
            person.pop("passport", None)
        for name in ("award", "maximum", "earnings", "other_income"):
            claim.pop(f"universal_credit_{name}", None)
        holder = self.random.choice(adults)
        if self.chance(0.3):
            holder["passport"] = self.random.choice(PASSPORTS)
        elif self.chance(0.7):
            maximum = Fraction(self.random.randint(30_000, 200_000), 100)
            earned = Fraction(self.random.randint(0, 250_000), 100) if self.chance(0.6) else Fraction(0)
            other = Fraction(self.random.randint(0, 60_000), 100) if self.chance(0.3) else Fraction(0)
            award = max(maximum - pounds(earned * Fraction(55, 100)) - other, Fraction(0))
            claim |= {"universal_credit_award": award, "universal_credit_maximum": maximum}
            claim |= {"universal_credit_earnings": earned, "universal_credit_other_income": other}
            if self.chance(0.5):
                holder["passport"] = "universal_credit"

    def begin(self, state: dict[str, Any]) -> None:
        if self.chance(0.3):
            self.benefit(state)

    # ---- changes

    def change(self, state: dict[str, Any], day: int) -> None:
        kinds: list[Callable[[dict[str, Any], int], None]] = [
            self.change_income,
            self.change_income,
            self.change_partner,
            self.change_benefit,
            self.change_capital,
            lambda state, _: self.benefit(state),
            self.change_non_dependant,
            self.change_child,
        ]
        for _ in range(self.random.choice((1, 1, 1, 2))):
            self.random.choice(kinds)(state, day)

    def change_partner(self, state: dict[str, Any], day: int) -> None:
        people = state["people"]
        if "p1" in people:
            universal = people["p1"].get("passport") == "universal_credit"
            people.pop("p2", None)
            del people["p1"]
            if universal:
                people["p0"]["passport"] = "universal_credit"
        elif not people["p0"].get("student"):
            people["p1"] = self.adult("partner")
