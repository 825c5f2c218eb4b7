"""Schemes told apart: two years and two councils, with the council's own decisions first."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from rbcalc.schemes.booklet import GROUPS, Maker
from rbcalc.schemes.booklet_changes import Comparison, Teller
from rbcalc.schemes.booklet_files import differing, rendered
from rbcalc.schemes.booklet_tables import ranges
from rbcalc.schemes.booklet_words import quoted
from rbcalc_kernels.language.types import COUNT, Number
from rbcalc_kernels.program.graph import Bands

HERE = Path(__file__).parent
Made = Callable[[str, str], Maker]


@pytest.fixture(scope="module")
def years(made: Made) -> Comparison:
    return Teller(made("stevenage", "2025-26"), made("stevenage", "2026-27")).told()


@pytest.fixture(scope="module")
def councils(made: Made) -> Comparison:
    return Teller(made("hartlepool", "2026-27"), made("darlington", "2026-27")).told()


def golden(name: str, text: str) -> None:
    """Compare with the approved text; UPDATE_GOLDEN=1 writes it anew, to be read again."""
    path = HERE / "golden" / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_two_years_read_as_they_were_approved(years: Comparison) -> None:
    golden("stevenage_2025-26_2026-27.md", rendered(years, "markdown"))


def test_two_councils_read_as_they_were_approved(councils: Comparison) -> None:
    text = rendered(councils, "markdown")
    golden("hartlepool_darlington_2026-27.md", text[: text.index("\n## Not decided by the council")] + "\n")


def test_the_council_s_decisions_come_first_and_the_law_after_them(years: Comparison) -> None:
    assert [section.title for section in years.sections][:1] == ["Decided by the council"]
    assert years.sections[-1].title == GROUPS[-1]
    first = years.sections[0].differences[0]
    assert (first.old, first.new) == ("counted", "ignored")
    assert (
        first.told
        == quoted("How each kind of income is counted, working age") + " for war disablement pension changes from counted to ignored."
    )
    assert first.old_source.startswith("SI 2012/2886")
    assert first.new_source.startswith("Stevenage council tax support scheme 2026-27")


def test_figures_are_told_with_the_way_they_go(years: Comparison) -> None:
    told = [one.told for section in years.sections for one in section.differences]
    assert quoted("Personal allowance of working age") + " for couple goes up from £144.65 a week to £150.15 a week." in told
    band = (
        quoted("Deduction for somebody in remunerative work, by gross weekly income")
        + " goes up from £5.00 a week (below £266.00 a week) to £5.20 a week (below £279.00 a week)."
    )
    assert band in told


def test_councils_are_told_apart_by_name(councils: Comparison) -> None:
    told = [one.told for one in councils.sections[0].differences]
    assert (
        quoted("Limit of capital in the council's scheme")
        + " is £10,000.00 in Hartlepool Borough Council and £16,000.00 in Darlington Borough Council."
        in told
    )
    assert quoted("Largest share of the charge that the council's scheme meets") + " is only in Darlington Borough Council: 80 %." in told
    assert councils.sections[0].tables[0].table.grid
    assert councils.sections[0].steps[0].title == "Reduction for a day under the council's own scheme"
    kept = {one.title for section in councils.sections for one in section.steps}
    assert "Couple" not in kept  # a step that both have alike
    assert "Taken off for income, for a day" in councils.sections[-1].alone(1)
    assert "Column of the grid" in councils.sections[-1].alone(0)


def test_turned_round_each_figure_that_differs_is_there_again(councils: Comparison, made: Made) -> None:
    back = Teller(made("darlington", "2026-27"), made("hartlepool", "2026-27")).told()
    there = {(row[1], row[2], row[3], row[4]) for row in differing(councils)}
    assert {(row[1], row[2], row[4], row[3]) for row in differing(back)} == there
    assert back.count == councils.count


def test_nothing_differs_from_itself(made: Made) -> None:
    same = Teller(made("stevenage", "2026-27"), made("stevenage", "2026-27")).told()
    assert same.count == 0
    assert not list(differing(same))
    assert "Nothing differs." in rendered(same, "markdown")
    assert "<p>Nothing differs.</p>" in rendered(same, "html")


def test_bands_that_moved_are_told_by_what_they_give(made: Made) -> None:
    told = [one.told for one in Teller(made("dorset", "2023-24"), made("dorset", "2024-25")).told().sections[0].differences]
    assert told
    law = [
        one.told
        for section in Teller(made("stevenage", "2025-26"), made("stevenage", "2026-27")).told().sections
        for one in section.differences
    ]
    moved = (
        quoted("Share of the Council Tax, by gross weekly income of the second adults")
        + " for 15 %: the range was below £276.00 a week and is now below £289.00 a week."
    )
    assert moved in law


@pytest.mark.parametrize(
    ("upper", "edges", "values", "words"),
    [
        (True, [100, 200], 3, ("up to £100.00 a week", "over £100.00, up to £200.00 a week", "over £200.00 a week")),
        (True, [100], 1, ("up to £100.00 a week",)),
        (False, [0, 100], 2, ("below £100.00 a week", "from £100.00 a week")),
        (False, [0], 1, ("any amount",)),
        (False, [50, 100], 2, ("from £50.00, below £100.00 a week", "from £100.00 a week")),
    ],
)
def test_ranges_say_which_end_is_in_them(upper: bool, edges: list[int], values: int, words: tuple[str, ...]) -> None:
    assert ranges(Bands(Number("£/week"), upper), [Fraction(edge) for edge in edges], values) == words


def test_ranges_of_plain_numbers_have_no_unit() -> None:
    assert ranges(Bands(COUNT, upper=True), [Fraction(2), Fraction(4)], 3) == ("up to 2", "over 2, up to 4", "over 4")
