"""The shipped rules, and booklets made from them once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest

from rbcalc._years import FinancialYear
from rbcalc.rulebook.rules import Rules, load
from rbcalc.schemes.booklet import Maker, booklet_file

Made = Callable[[str, str], Maker]


@pytest.fixture(scope="session")
def rules() -> Rules:
    return load()


@pytest.fixture(scope="session")
def made(rules: Rules) -> Made:
    """What makes the booklet of a council and year."""

    @lru_cache(maxsize=16)
    def maker(council: str, year: str) -> Maker:
        return Maker(rules.council(council), FinancialYear.of(year), booklet_file(rules))

    return maker
