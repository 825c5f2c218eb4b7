"""`rbcalc show scheme` and `rbcalc show diff --scheme` in each form."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]
FOR = ("--council", "hartlepool", "--year", "2026-27")


def test_a_scheme_is_printed_for_a_terminal_a_page_and_a_spreadsheet(rbcalc: Run) -> None:
    ran = rbcalc("show", "scheme", *FOR)
    assert ran.code == 0, ran.said
    assert "Status: transcribed, not adopted." in ran.out
    assert "£116.20" in ran.out
    assert "…" not in ran.out  # nothing is cut off at the edge of a table
    assert rbcalc("show", "scheme", *FOR, "--format", "markdown").out.startswith("# Council Tax Reduction for people of working age\n")
    assert rbcalc("show", "scheme", *FOR, "--format", "html").out.startswith("<!DOCTYPE html>")
    rows = list(csv.DictReader(io.StringIO(rbcalc("show", "scheme", *FOR, "--format", "csv").out)))
    found = {(row["Figure"], row["For"]): row for row in rows}
    limit = found["Limit of capital in the council's scheme", ""]
    assert (limit["By whom"], limit["Value"], limit["From"]) == ("Decided by the council", "£10,000.00", "1 April 2026")
    assert (
        found["Share of the charge that the scheme meets, by weekly income up to and including", "90 %, couple"]["Value"]
        == "up to £162.69 a week"
    )
    made = json.loads(rbcalc("show", "scheme", "council_tax_reduction", *FOR, "--format", "json").out)
    assert (made["council"], made["year"], made["schema_version"]) == ("Hartlepool Borough Council", "2026-27", 1)


def test_the_scheme_that_the_law_prescribes_needs_no_council(rbcalc: Run) -> None:
    ran = rbcalc("show", "scheme", "pension_age", "--format", "csv")
    assert "the latest year there are charges for" in ran.err
    assert {row["By whom"] for row in csv.DictReader(io.StringIO(ran.out))} == {
        "Left as the rules behind the scheme have it; the council could decide otherwise",
        "Set by law",
    }


def test_two_schemes_are_told_apart_in_each_form(rbcalc: Run) -> None:
    years = ("show", "diff", "2025-26", "2026-27", "--council", "stevenage", "--scheme")
    assert "changes from counted to ignored" in rbcalc(*years).out
    rows = list(csv.DictReader(io.StringIO(rbcalc(*years, "--format", "csv").out)))
    assert rows[0]["By whom"] == "Decided by the council"
    assert any((row["Old"], row["New"]) == ("£144.65 a week", "£150.15 a week") for row in rows)
    sections = json.loads(rbcalc(*years, "--format", "json").out)["sections"]
    assert sections[0]["title"] == "Decided by the council"
    councils = rbcalc("show", "diff", "stevenage", "darlington", "--year", "2026-27", "--scheme", "--format", "markdown")
    assert "is 91.5 % in Stevenage Borough Council and 80 % in Darlington Borough Council" in councils.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "rates", *FOR, "--format", "html"), "rates has no HTML"),
        (("show", "rates", *FOR, "--scheme"), "--scheme is for diff, not for rates"),
        (("show", "scheme", "one", "two", *FOR), "one booklet at a time"),
        (("show", "scheme", "another", *FOR), "no booklet is called another"),
        (("show", "scheme", "--year", "2026-27"), "which council?"),
        (("show", "scheme", "council_tax_reduction", "--year", "2026-27"), "which council?"),
        (("show", "scheme", "pension_age", "--year", "2031-32"), "the rules do not reach 2031-32"),
        (("show", "scheme", "--council", "bcp", "--year", "2023-24"), "has no such scheme in 2023-24"),
        (("show", "scheme", "--council", "bcp", "--year", "2031-32"), "has no published charges for 2031-32"),
    ],
)
def test_what_cannot_be_shown_is_said_with_a_remedy(arguments: tuple[str, ...], said: str, rbcalc: Run) -> None:
    ran = rbcalc(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "help:" in ran.err
