"""The years over which claims for Housing Benefit are worked out, and how many of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agreement.housing_benefit.tenants import SCHEMES, Tenants
from agreement.scenes import rules
from independent.housing_benefit.amounts import YEARS
from rbcalc._years import FinancialYear
from rbcalc_kernels.program.graph import Program
from rbcalc_kernels.program.linking import link

HERE = Path(__file__).parent
TOTAL = int(os.environ.get("RBCALC_TEST_ACCOUNTS", "50000")) // 20
"""Claims in all years; RBCALC_TEST_ACCOUNTS asks for more."""


@dataclass(frozen=True)
class Scene:
    """A year, and pension age or working age."""

    year: int
    scheme: str

    def __str__(self) -> str:
        return f"{self.scheme}-{self.year}"

    @property
    def program(self) -> Program:
        return program_of(self.year)

    @property
    def tenants(self) -> Tenants:
        return _tenants(self)


SCENES = [Scene(year, scheme) for year in YEARS for scheme in SCHEMES]


@cache
def program_of(year: int) -> Program:
    """The program of Housing Benefit for the financial year that begins in a calendar year."""
    found = FinancialYear.of(f"{year}-{(year + 1) % 100:02}")
    return link(rules().library, [HERE / "a_council.yaml"], found.first_day, found.last_day, name="a_council").program


@cache
def _tenants(scene: Scene) -> Tenants:
    return Tenants(scene.program, scene.year, scene.scheme)


def share() -> int:
    """How many claims each scene takes, so that all together are no fewer than the total."""
    return -(-TOTAL // len(SCENES))
