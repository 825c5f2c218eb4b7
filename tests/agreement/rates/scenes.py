"""The years over which ratepayers are worked out, and how many of them."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import rbcalc.rulebook.rules as shipped
from agreement.accounts import Records
from agreement.rates.ratepayers import Ratepayers
from rbcalc._years import FinancialYear
from rbcalc_kernels.program.graph import Program
from rbcalc_kernels.program.linking import link

HERE = Path(__file__).parent
YEARS = range(2010, 2027)
TOTAL = int(os.environ.get("RBCALC_TEST_ACCOUNTS", "50000")) // 40
"""Ratepayers in all years; RBCALC_TEST_ACCOUNTS asks for more.  One of them is the work of twenty accounts of Council Tax."""
MACHINE = 2021
"""The year whose rules are made into machine code, which takes long: the one with the most reliefs."""


@cache
def rules() -> shipped.Rules:
    """The rules that are shipped."""
    return shipped.load()


@cache
def program_of(year: int) -> Program:
    """The program of business rates for the financial year that begins in a calendar year."""
    found = FinancialYear.of(f"{year}-{(year + 1) % 100:02}")
    return link(rules().library, [HERE / "a_council.yaml"], found.first_day, found.last_day, name="a_council").program


@cache
def ratepayers_of(year: int) -> Ratepayers:
    """The made-up ratepayers of a year."""
    return Ratepayers(program_of(year), year)


def share(total: int = TOTAL) -> int:
    """How many ratepayers each year takes, so that all together are no fewer than the total."""
    return -(-total // len(YEARS))


def mixed(year: int, first: int, last: int) -> list[Records]:
    """Ratepayers by number: every fourth is disturbed, and the others are plausible."""
    made = ratepayers_of(year)
    return [made.disturbed(number) if number % 4 == 3 else made.plausible(number) for number in range(first, last)]


def accounts_in(records: Records, year: int) -> list[str]:
    """The accounts that have a day in the year, in the order in which they began."""
    program = program_of(year)
    order = sorted(records["rates_accounts"], key=lambda record: int(record["from"] or 0))
    within = (r for r in order if int(r["from"] or 0) <= program.last_day and (r["to"] is None or int(r["to"]) >= program.first_day))
    return [str(record["rates_account"]) for record in within]
