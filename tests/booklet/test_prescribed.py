"""The scheme that the law prescribes as a booklet, without any council and as it holds in one."""

from __future__ import annotations

import pytest

from rbcalc._years import FinancialYear
from rbcalc.rulebook.rules import Rules
from rbcalc.schemes.booklet import OWN, Booklet, Maker, booklet_file
from rbcalc.schemes.booklet_files import rendered, rows
from rbcalc.schemes.booklet_law import Law

YEAR = "2026-27"


@pytest.fixture(scope="module")
def booklet(rules: Rules) -> Booklet:
    return Maker(Law(rules, ""), FinancialYear.of(YEAR), booklet_file(rules, "pension_age")).made()


def test_it_has_the_amounts_of_the_year(booklet: Booklet) -> None:
    """SI 2026/27 reg. 6(2) and (3), SI 2012/2885 Sch. 1 para. 3."""
    figures = {(row[1], row[2]): row[3] for row in rows(booklet)}
    assert figures["Share of the weekly excess taken off for a day", ""] == "2 6/7 %"
    assert figures["Personal allowance", "single, older"] == "£256.00 a week"
    assert figures["Personal allowance", "couple, newer"] == "£363.25 a week"
    assert figures["Allowance for a child or young person", ""] == "£87.88 a week"
    assert "SI 2026/27" in next(row[6] for row in rows(booklet) if row[1] == "Personal allowance")


def test_it_is_about_pension_age_alone_and_tells_each_step_once(booklet: Booklet) -> None:
    assert booklet.groups[0].title != OWN
    assert not [row[1] for row in rows(booklet) if "working age" in row[1]]
    rungs = [rung for part in booklet.parts for chapter in part.chapters for rung in chapter.rungs]
    assert len(rungs) == len(set(rungs)) > 100
    income = next(rung for rung in rungs if rung.title == "Left out of this income")
    assert [line.when for line in income.lines].count("‘Kind of income’ is boarder") == 1  # noqa: RUF001 - as it is printed
    assert [part.continues for part in booklet.parts] == [False, True]
    assert rendered(booklet, "markdown").count("The steps that are told above belong to this too.") == 1
    assert "<strong>The same in every council, 2026-27</strong>" in rendered(booklet, "html")


def test_with_a_council_it_has_what_that_council_decided(booklet: Booklet, rules: Rules) -> None:
    found = Maker(rules.council("stevenage"), FinancialYear.of(YEAR), booklet_file(rules, "pension_age")).made()
    assert found.council == "Stevenage Borough Council"
    assert {row[1:4] for row in rows(booklet)} == {row[1:4] for row in rows(found)}
