"""The councils and years over which accounts are worked out, real and made up."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import rbcalc.rulebook.rules as shipped
from agreement.accounts import Accounts, Records
from rbcalc._years import FinancialYear
from rbcalc_kernels.program.graph import Program
from rbcalc_kernels.program.linking import link

HERE = Path(__file__).parent / "councils"
TOTAL = int(os.environ.get("RBCALC_TEST_ACCOUNTS", "50000"))
"""Accounts in each of the large comparisons; RBCALC_TEST_ACCOUNTS asks for more."""


@dataclass(frozen=True)
class Scene:
    """A council in a year."""

    council: str
    year: str
    real: bool = True

    def __str__(self) -> str:
        return f"{self.council}-{self.year}"

    @property
    def program(self) -> Program:
        return _program(self)

    @property
    def accounts(self) -> Accounts:
        return _accounts(self)


SCENES = [
    Scene("hartlepool", "2013-14"),
    Scene("poole", "2013-14"),
    Scene("hartlepool", "2014-15"),
    Scene("west_dorset", "2014-15"),
    Scene("north_hertfordshire", "2018-19"),
    Scene("christchurch", "2018-19"),
    Scene("bcp", "2019-20"),
    Scene("dorset", "2020-21"),
    Scene("bcp", "2021-22"),
    Scene("bcp", "2023-24"),
    Scene("darlington", "2023-24"),
    Scene("stevenage", "2023-24"),
    Scene("darlington", "2024-25"),
    Scene("hartlepool", "2024-25"),
    Scene("dorset", "2025-26"),
    Scene("redcar_and_cleveland", "2025-26"),
    Scene("hartlepool", "2025-26"),
    Scene("east_hertfordshire", "2026-27"),
    Scene("north_hertfordshire", "2026-27"),
    Scene("every_choice", "2025-26", real=False),
]
"""One set of figures for the year."""
CHANGING = Scene("changes_within_the_year", "2025-26", real=False)
"""Figures that change within the year, and some beyond what the law allows: only the two evaluators meet it."""


@cache
def rules() -> shipped.Rules:
    return shipped.load()


@cache
def _program(scene: Scene) -> Program:
    if scene.real:
        return rules().council(scene.council).program(scene.year)
    year = FinancialYear.of(scene.year)
    return link(rules().library, [HERE / f"{scene.council}.yaml"], year.first_day, year.last_day, name=scene.council).program


@cache
def _accounts(scene: Scene) -> Accounts:
    return Accounts(_program(scene))


def share(scenes: Sequence[object], total: int = TOTAL) -> int:
    """How many accounts each scene takes, so that all together are no fewer than the total."""
    return -(-total // len(scenes))


def mixed(scene: Scene, first: int, last: int) -> list[Records]:
    """Accounts by number: of sixteen one lacks facts that the law needs, four are disturbed and the others plausible."""
    made = scene.accounts

    def account(number: int) -> Records:
        return made.disturbed(number) if number % 4 == 3 else made.lacking(number) if number % 16 == 1 else made.plausible(number)

    return [account(number) for number in range(first, last)]
