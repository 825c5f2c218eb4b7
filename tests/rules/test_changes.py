"""The change since last year that a bill shows (SI 2011/3038, Schedule 1)."""

from __future__ import annotations

from fractions import Fraction

import pytest

import rbcalc
from rbcalc.schemes.changes import changes


def shown(council: str, year: str) -> dict[str, tuple[Fraction | None, Fraction | None]]:
    """Last year's amount and the change of each band D line of the first area."""
    lines = changes(rbcalc.load().council(council), year)["change_since_last_year"]
    area = next(line.keys[1] for line in lines if line.last is not None)
    return {line.keys[0]: (line.last, line.change) for line in lines if line.keys[1:] == (area, "D")}


@pytest.mark.parametrize(
    ("part", "last", "change"),
    [
        # Both are put over 1,905.93, the council's and the social care amount of last year together: 2.9985 and 1.9975 per cent.
        ("billing_authority", "1666.26", "3.0"),
        ("adult_social_care", "239.67", "2.0"),
        ("police", "280.58", "4.6"),
    ],
)
def test_two_lines_over_one_base(part: str, last: str, change: str) -> None:
    """Dorset Council, your bill explained 2024/25."""
    assert shown("dorset", "2024-25")[part] == (Fraction(last), Fraction(change))


def test_one_line_is_compared_with_both() -> None:
    """SI 2025/8: from 2025-26 there is one line, compared with the council's and the social care amount together."""
    assert shown("dorset", "2025-26")["billing_authority"] == (Fraction("2001.15"), Fraction("5.0"))


def test_a_year_without_figures_before_it_has_no_change() -> None:
    """Nothing is made up where last year's amounts are not known."""
    lines = changes(rbcalc.load().council("poole"), "2013-14")["change_since_last_year"]
    assert lines
    assert all(line.last is None and line.change is None for line in lines)
