"""Made-up accounts, as records by register: plausible stories around the limits of the rules, and disturbed copies of them.

What lies at a limit is worked out from the program: the dates at which its rules divide time, and the amounts with which
they compare a fact.  Each account follows from its program and its number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.language.types import DATE, YES_NO, Choice, Number
from rbcalc_kernels.program.graph import Input, Node, Op, Program, Ref, Value

Record = dict[str, Value | None]
Records = dict[str, list[Record]]

EPOCH = date(1970, 1, 1).toordinal()
COMPARES = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)
VACANT = "BEGHIJKLQRTF"
OCCUPIED = "MOPVWNSUDAC"
NO_LIMITS = ["detained", "severely_impaired", "student", "student_nurse", "language_assistant", "student_spouse", "hospital_patient"]
NO_LIMITS += ["care_home", "hostel", "religious_community", "visiting_forces", "international_headquarters", "diplomat"]
NEEDED = {
    "accounts": ("landlord_liable", "fallen_due", "instalments_left", "notice_date"),
    "dwellings": ("empty_since", "class_since", "exemption_clock"),
    "people": ("birth_date", "left_course", "weekly_pay", "weekly_hours", "cares_for_family"),
}
"""Facts that the law may need, by register: without one of them an account may have to be refused."""
HOUSEHOLDS = ["mixed"] * 6 + ["one", "couple", "couple", "students", "impaired", "children", "detained", "disregarded"]


def day(year: int, month: int, number: int) -> int:
    """Days since 1970."""
    return date(year, month, number).toordinal() - EPOCH


def nodes(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    work = [node]
    while work:
        found = work.pop()
        yield found
        work += found.args


def leaf(node: Node) -> Ref | None:
    """The one fact that an expression rests on."""
    found = {n.value for n in nodes(node) if n.op is Op.COLUMN and isinstance(n.value, Ref)}
    return found.pop() if len(found) == 1 else None


class Limits:
    """For each fact, what lies at a limit of the rules."""

    def __init__(self, program: Program) -> None:
        self.program = program
        evaluator = Evaluator(program, wanted=())
        self.dates: dict[Ref, list[Callable[[int], int]]] = {}
        for entity, node in program.cuts:
            ref = leaf(node)
            if ref is not None and ref in program.inputs:
                self.dates.setdefault(ref, []).append(self._reader(evaluator, entity, node, ref))
        self.amounts: dict[Ref, list[Fraction]] = {}
        for rule in program.rules:
            for node in nodes(rule.body):
                if node.op in COMPARES:
                    self._compare(*node.args)

    def _reader(self, evaluator: Evaluator, entity: str, node: Node, ref: Ref) -> Callable[[int], int]:
        read = evaluator.reader(node, entity)
        names = (entity, *self.program.ancestors(entity))

        def at(value: int) -> int:
            row: Row | None = None
            for name in reversed(names):
                row = Row(name, {ref.name: value} if name == ref.entity else {}, parent=row)
            assert row is not None
            found = read(row)
            assert isinstance(found, int)
            return found

        return at

    def _compare(self, left: Node, right: Node) -> None:
        for one, other in ((left, right), (right, left)):
            ref = one.value if one.op is Op.COLUMN else None
            if isinstance(ref, Ref) and ref in self.program.inputs and isinstance(one.type, Number):
                figure = self.program.parameters[other.value].by_period[0] if other.op is Op.PARAMETER else other.value  # type: ignore[index]
                if isinstance(figure, Fraction):
                    self.amounts.setdefault(ref, []).append(figure)

    def date_for(self, random: Random, ref: Ref, pivot: int) -> int:
        """A date for which one of the rules' limits falls on the pivot."""
        at = random.choice(self.dates[ref])
        value = pivot
        for _ in range(3):
            try:
                value += pivot - at(value)
            except CalculationFault:
                break
        return value

    def amount_for(self, random: Random, found: Input) -> Fraction:
        """An amount at a limit, or a step beside it."""
        limits = self.amounts.get(Ref(found.entity, found.name), [found.low])
        value = random.choice(limits) + found.step * random.choice((-1, 0, 0, 1, 1000))
        return min(max(value, found.low), found.high)


class Accounts:
    """The accounts of a program."""

    def __init__(self, program: Program, seed: str = "") -> None:
        self.program = program
        self.limits = Limits(program)
        self.seed = f"{seed}/{program.name}/{program.first_day}"
        self.first, self.last = program.first_day, program.last_day
        self.inputs = {ref.name: found for ref, found in program.inputs.items()}
        years = (self.first, self.last)
        begins = (date.fromordinal(EPOCH + self.first)).year
        self.marks = [*years, self.first + 1, self.last - 1, day(begins, 5, 1), day(begins, 10, 31), day(begins, 11, 1), day(begins, 11, 2)]
        self.marks += [
            day(begins, 11, 2),
            day(begins + 1, 3, 1),
            day(begins + 1, 3, 1) - 1,
            day(begins, 4, 15),
            day(begins + 1, 1, 1),
            *(p.first_day for p in program.periods[1:]),
        ]
        self.notices = [
            self.first - 90,
            self.first - 1,
            self.first,
            self.first + 14,
            self.first + 15,
            day(begins, 4, 30),
            day(begins, 5, 1),
        ]
        self.notices += [day(begins, 12, 31), day(begins + 1, 1, 1), self.last, *(day(begins, month, 15) for month in range(6, 13))]

    def plausible(self, number: int) -> Records:
        """Facts that fit each other, so that the statute can be applied to them in one way only."""
        return _Story(self, Random(f"{self.seed}/{number}")).records()

    def disturbed(self, number: int) -> Records:
        """The same with facts missing, added, changed and moved, whether they make sense or not."""
        random = Random(f"{self.seed}/{number}/disturbed")
        story = _Story(self, random)
        records = story.records()
        for found in self.program.inputs.values():
            for record in records.get(found.table, ()) if not found.built_in else ():
                if random.random() < 0.12:
                    record[found.column] = self._any(random, found, story.pivot())
        for record in [*records["dwellings"], *records["people"]]:
            if random.random() < 0.02:
                record["from"] = random.choice((story.begins, story.begins + 1, story.pivot()))
            if random.random() < 0.02:
                record["to"] = random.choice((None, story.ends, story.pivot()))
        if random.random() < 0.1:
            records["people"] = records["people"][:1]
        return records

    def lacking(self, number: int) -> Records:
        """The same as a plausible account, without some of the facts that the law needs."""
        random = Random(f"{self.seed}/{number}/lacking")
        records = _Story(self, random, whole=False).records()
        held = [(r, name) for table, names in NEEDED.items() for r in records[table] for name in names if r.get(name) is not None]
        held += [(r, "occupation") for r in records["dwellings"] if r.get("recorded_adults") == 0]
        for record, name in random.sample(held, min(len(held), random.choice((1, 1, 2, 3)))):
            record[name] = None
        return records

    def _any(self, random: Random, found: Input, pivot: int) -> Value | None:
        if found.optional and random.random() < 0.3:
            return None
        if found.type == YES_NO:
            return random.random() < 0.5
        if isinstance(found.type, Choice):
            return random.choice(found.type.members)
        ref = Ref(found.entity, found.name)
        if found.type == DATE:
            value = self.limits.date_for(random, ref, pivot) if ref in self.limits.dates else random.choice(self.notices)
            return int(min(max(value + random.choice((-1, 0, 0, 1)), found.low), found.high))
        return self.limits.amount_for(random, found) if random.random() < 0.9 else random.choice((found.low, found.high))


class _Story:
    """One account: who lived in the dwelling, or why it stood empty, stretch by stretch."""

    def __init__(self, accounts: Accounts, random: Random, *, whole: bool = True) -> None:
        self.accounts, self.random, self.limits = accounts, random, accounts.limits
        self.whole = whole
        """Whether every fact that the law needs is given."""
        self.first, self.last = accounts.first, accounts.last
        self.begins, self.ends = self.first, self.last
        self.presumed = False
        if not self.chance(0.25):
            self.begins = max(self.first, min(self.mark(), self.last - 1))
            self.ends = min(self.last, self.begins + random.choice((0, 1, 10, 29, 30, 60, 100)))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def mark(self) -> int:
        near = self.random.choice(self.accounts.marks) + self.random.choice((-1, 0, 0, 1))
        return near if self.chance(0.4) else self.random.randint(self.first, self.last)

    def pivot(self) -> int:
        """A day of the account on which something is to happen."""
        if self.chance(0.1):
            return self.random.choice((self.begins, self.ends))
        return min(max(self.mark(), self.begins), self.ends) if self.chance(0.3) else self.random.randint(self.begins, self.ends)

    def limit(self, entity: str, name: str) -> int:
        """A date at whose limit something happens within the account, or a day beside it."""
        value = self.limits.date_for(self.random, Ref(entity, name), self.pivot()) + self.random.choice((-1, 0, 0, 0, 1))
        found = self.accounts.inputs[name]
        return int(min(max(value, found.low), found.high))

    def amount(self, name: str) -> Fraction:
        return self.limits.amount_for(self.random, self.accounts.inputs[name])

    def member(self, name: str) -> str:
        return self.random.choice(self.accounts.program.lists[name].members)

    def records(self) -> Records:
        cuts = sorted({self.pivot() for _ in range(self.random.choice((0, 0, 1, 1, 2, 3)))} - {self.begins})
        edges = [self.begins, *cuts, self.ends + 1]
        self.fixed: Record = {"dwelling": "d", "band": self.member("band"), "area": self.member("area")}
        if self.chance(0.15):
            self.fixed["disabled_reduction"] = self.chance(0.8)
        if self.chance(0.12):
            self.fixed["annexe"] = self.member("annexe_use")
        dwellings: list[Record] = []
        people: list[Record] = []
        for first, end in pairwise(edges):
            made, living = self.stretch(first, end - 1)
            dwellings += made
            people += living
        if self.chance(0.5):
            dwellings[0]["from"] = self.begins - self.random.choice((1, 400))
            dwellings[-1]["to"] = None
        self.random.shuffle(people)
        account = self.account()
        if any(person.get("disregard") == "severely_impaired" for person in people):
            account["landlord_liable"] = self.chance(0.3)
        if self.presumed and self.whole:
            account["care_leaver_birth_date"] = None  # whether such a care leaver lives alone is not known
        return {"accounts": [account], "dwellings": dwellings, "people": people}

    def stretch(self, first: int, last: int) -> tuple[list[Record], list[Record]]:
        kind = self.random.choice(("occupied",) * 6 + ("unfurnished",) * 4 + ("furnished",) * 3 + ("recorded", "presumed"))
        facts = {**self.fixed}
        if self.chance(0.1):
            facts["band"] = self.fixed["band"] = self.member("band")
        if self.chance(0.1):
            facts["disabled_reduction"] = self.chance(0.8)
        people: list[Record] = []
        if kind == "occupied":
            facts["occupation"] = self.random.choice(("main_home", None))
            people = self.household(first, last)
            if self.chance(0.1):
                facts["exemption"] = self.random.choice(OCCUPIED)
        elif kind in ("unfurnished", "furnished"):
            facts |= self.vacant(kind, first)
        else:
            facts["occupation"] = self.random.choice(("main_home", None))
            self.presumed |= kind == "presumed"
            if kind == "recorded":
                facts["recorded_adults"] = Fraction(self.random.choice((0, 1, 1, 2, 3)))
                facts["occupation"] = facts["occupation"] if facts["recorded_adults"] else "main_home"
        return self.split(facts, first, last), people

    def vacant(self, kind: str, first: int) -> Record:
        facts: Record = {"occupation": kind, "empty_since": min(self.limit("period", "empty_since"), first)}
        if kind == "unfurnished" and self.chance(0.3):
            facts["repair_since"] = min(self.limit("period", "repair_since"), first)
        if self.chance(0.3):
            facts["prescribed_class"] = self.member("prescribed_class")
            facts["class_since"] = min(self.limit("period", "class_since"), first)
        if self.chance(0.25):
            facts["exemption"] = self.random.choice(VACANT + "BBFFF" + OCCUPIED)
            if facts["exemption"] in ("B", "F") and (facts["exemption"] == "B" or self.chance(0.8)):
                clock = self.limit("period", "exemption_clock")
                facts["exemption_clock"] = min(clock, first) if facts["exemption"] == "B" else clock
        return facts

    def split(self, facts: Record, first: int, last: int) -> list[Record]:
        """Records of a stretch: one, or several in which nothing, or only whether the band is reduced, differs."""
        if last > first and self.chance(0.2):
            middle = self.random.randint(first, last - 1)
            later = {**facts, "disabled_reduction": True} if self.chance(0.2) else facts
            return [{**facts, "from": first, "to": middle}, {**later, "from": middle + 1, "to": last}]
        return [{**facts, "from": first, "to": last}]

    def household(self, first: int, last: int) -> list[Record]:
        """People of whom one is there on every day."""
        theme = self.random.choice(HOUSEHOLDS)
        size = {"one": 1, "couple": 2}.get(theme, self.random.choice((1, 1, 2, 3)))
        found: list[Record] = []
        for place in range(size):
            begins, ends = first, last
            if place and self.chance(0.5):
                begins = self.random.randint(first, last)
                ends = self.random.randint(begins, last)
            if ends > begins and self.chance(0.25):
                middle = self.random.randint(begins, ends - 1)
                profile = self.person(theme)
                other = {**profile, **self.reason()} if self.chance(0.7) else profile
                found += [{**profile, "from": begins, "to": middle}, {**other, "from": middle + 1, "to": ends}]
            else:
                found.append({**self.person(theme), "from": begins, "to": ends})
        return found

    def person(self, theme: str) -> Record:
        adult: Record = {"dwelling": "d", "birth_date": None if self.chance(0.1) else self.first - self.random.randint(9_500, 30_000)}
        if theme == "mixed":
            if self.chance(0.4):
                adult["birth_date"] = self.birthday()
            return {**adult, **(self.reason() if self.chance(0.5) else {})}
        if theme == "students":
            kinds = ("student", "student", "language_assistant", "student_spouse")
            return self.school_leaver() if self.chance(0.2) else {**adult, "disregard": self.random.choice(kinds)}
        if theme == "impaired":
            return {**adult, "disregard": self.random.choice(("severely_impaired", "severely_impaired", "student"))}
        if theme == "children":
            return {**adult, "birth_date": self.birthday()}
        if theme == "detained":
            return {**adult, "disregard": "detained"}
        return {**adult, **self.reason()} if theme == "disregarded" else adult

    def birthday(self) -> int:
        """A date of birth whose limit falls within the account; now and then a 29 February."""
        born = self.limit("resident", "birth_date")
        year = date.fromordinal(EPOCH + born).year
        return day(year - year % 4, 2, 29) if self.chance(0.1) and year % 400 not in (100, 200, 300) and year >= 1904 else born

    def school_leaver(self) -> Record:
        born = self.birthday() if self.chance(0.5) else self.first - 18 * 365 - self.random.randint(100, 300)
        left = (
            self.limit("resident", "left_course")
            if self.chance(0.6)
            else self.random.choice((*self.accounts.marks, *[self.begins - 1] * 8))
        )
        return {"dwelling": "d", "birth_date": born, "disregard": "school_leaver", "left_course": left}

    def reason(self) -> Record:
        """A reason for a disregard, with facts at its limits."""
        kind = self.random.choice(
            (*NO_LIMITS, "young", "trainee", "apprentice", "leaver", "leaver", "leaver", "worker", "worker", "carer", "carer")
        )
        if kind == "young":
            return {"disregard": "child_benefit", "birth_date": self.birthday()}
        if kind == "trainee":
            return {"disregard": "youth_trainee", "birth_date": self.birthday()}
        if kind == "leaver":
            return self.school_leaver()
        some: dict[str, Any] = {"weekly_pay": self.amount("weekly_pay"), "weekly_hours": self.amount("weekly_hours")}
        if kind == "worker":
            return {"disregard": "care_worker", **some}
        if kind == "carer":
            return {"disregard": "carer", **some, "cares_for_family": self.chance(0.25)}
        return {"disregard": kind, **some} if kind == "apprentice" else {"disregard": kind}

    def account(self) -> Record:
        whole = self.begins == self.first and self.ends == self.last
        found: Record = {"account": "a", "dwelling": "d", "from": self.begins, "to": self.ends}
        if whole and self.chance(0.5):
            found["from"], found["to"] = self.first - self.random.choice((1, 500)), None
        if self.chance(0.5):
            found["notice_date"] = self.random.choice(self.accounts.notices) + self.random.choice((-1, 0, 0, 0))
        if self.chance(0.2):
            found["twelve_instalments"] = self.chance(0.8)
        if self.chance(0.12):
            found["fallen_due"] = Fraction(self.random.choice((0, 1, 5000, 20_000, 90_000, self.random.randint(0, 200_000))), 100)
            found["instalments_left"] = Fraction(self.random.randint(0, 12))
            found["notice_date"] = found.get("notice_date") or self.random.choice(self.accounts.notices)
        if self.chance(0.12):
            found["discretionary_reduction"] = Fraction(self.random.choice((0, 1, 15_000, 999_999, self.random.randint(0, 300_000))), 100)
        if self.chance(0.1):
            found["one_off_due"] = self.chance(0.7)
        if self.chance(0.15):
            found["landlord_liable"] = self.chance(0.7)
        if self.chance(0.15):
            found["care_leaver_birth_date"] = self.limit("account", "care_leaver_birth_date")
        return found
