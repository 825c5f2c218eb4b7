"""What `rebill` is asked for beside bills: a mistake in it is said before any work begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SAMPLE = ["rebill", "--council", "stevenage", "--year", "2026-27", "--sample"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--collection-rate", "98"], "as 98.5%, or stevenage=98.5%"),
        (["--collection-rate", "elsewhere=98%"], "no collection rate: elsewhere=98%"),
        (["--earnings-growth", "3%"], "add --roll-forward"),
        (["--roll-forward", "--earnings-growth", "lots"], "no rate of growth: lots"),
    ],
)
def test_a_mistake_is_told_with_a_remedy(rbcalc: Callable[..., Any], options: list[str], told: str) -> None:
    ran = rbcalc(*SAMPLE, *options)
    assert ran.code == 2
    assert told in ran.err


def test_a_year_without_upratings_is_told(rbcalc: Callable[..., Any]) -> None:
    ran = rbcalc("rebill", "--council", "stevenage", "--year", "2024-25", "--sample", "--roll-forward")
    assert ran.code == 2
    assert "years there are: 2025-26, 2026-27" in ran.err
