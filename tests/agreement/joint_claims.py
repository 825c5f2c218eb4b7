"""Made-up claims of several people who are jointly liable for one account: beside each other, or one after the other.

Each account follows from its program and its number alone.  People of pension age and of working age are mixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from random import Random

from agreement.accounts import Record, Records
from agreement.claims import Claims, joined
from agreement.working_age_claims import WorkingAgeClaims
from rbcalc_kernels.program.graph import Program

OWN = ("claims", "household", "incomes", "non_dependants")
KEYS = ("account", "claim", "person", "non_dependant")


class JointClaims:
    """The claims of a program's council and year, two or three on an account."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.kinds = (Claims(program, "joint"), WorkingAgeClaims(program, "joint"))

    def plausible(self, number: int) -> Records:
        """One account with its claims."""
        pick = Random(f"joint/{self.program.name}/{self.program.first_day}/{number}")
        found = dict(pick.choice(self.kinds).story(pick).records())
        account, dwellings = found["accounts"][0], found["dwellings"]
        begins = max(int(account["from"] or 0), self.program.first_day)
        ends = self.program.last_day if account["to"] is None else int(account["to"])
        changes = [int(after["from"] or 0) for before, after in pairwise(dwellings) if _facts(before) != _facts(after)]
        for place in range(pick.choice((1, 1, 1, 2))):
            other = pick.choice(self.kinds).story(pick).claim(begins, ends, changes)
            other = {name: [_renamed(record, str(place)) for record in rows] for name, rows in other.items()}
            if pick.random() < 0.3 and ends > begins:  # one goes and the other comes
                day = pick.randint(begins + 1, ends)
                found |= {name: _until(found[name], day - 1) for name in OWN}
                other = {name: _since(rows, day) for name, rows in other.items()}
            sides = [found, other] if pick.random() < 0.5 else [other, found]
            found |= {name: [*sides[0][name], *sides[1][name]] for name in OWN}
        sharing = {key: pick.random() < 0.8 for key in dict.fromkeys(claim["claim"] for claim in found["claims"])}
        for claim in found["claims"]:
            if claim.get("jointly_liable") is None and sharing[claim["claim"]]:
                claim["jointly_liable"] = Fraction(2)
        if pick.random() < 0.3:
            found |= {name: joined(list(found[name])) for name in OWN}
        return found


def of_claim(records: Records, key: object) -> Records:
    """The records of an account with one of its claims alone."""
    people = {record["person"] for record in records["household"] if record["claim"] == key}
    own = {name: [record for record in records[name] if record["claim"] == key] for name in ("claims", "household", "non_dependants")}
    return {**records, **own, "incomes": [record for record in records["incomes"] if record["person"] in people]}


def _facts(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in ("from", "to")}


def _renamed(record: Record, suffix: str) -> Record:
    return {name: f"{value}{suffix}" if name in KEYS[1:] else value for name, value in record.items()}


def _until(rows: Sequence[Record], day: int) -> list[Record]:
    return [{**row, "to": day if row["to"] is None else min(int(row["to"]), day)} for row in rows if int(row["from"] or 0) <= day]


def _since(rows: Sequence[Record], day: int) -> list[Record]:
    return [{**row, "from": max(int(row["from"] or 0), day)} for row in rows if row["to"] is None or int(row["to"]) >= day]
