"""Figures and rules that change within a year, and the days on which periods are cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from language.linking_toolbox import BASE, FACTS, based, codes, day, evaluate, linked, records_of, refused, rule, write
from rbcalc_kernels.program.graph import Program

Facts = dict[str, Any]


def periods(program: Program, facts: Facts, *names: str) -> list[tuple[object, ...]]:
    row = evaluate(program, records_of(program, {**FACTS, **facts}))
    return [tuple(period.values[name] for name in names) for period in row.children["period"]]


def with_parameter(folder: Path, values: str, *rules: str) -> Program:
    write(folder, {"base.yaml": BASE + "".join(rules) + f"parameters:\n  p:\n    unit: count\n    values:\n{values}"})
    return linked(folder).program


VALUES = "".join(f"      - {{from: {first}, value: {number}}}\n" for first, number in
                 (("2013-04-01", 1), ("2025-04-01", 2), ("2025-06-15", 3), ("2026-03-31", 4), ("2026-04-01", 5)))  # fmt: skip


def test_a_figure_cuts_the_year_where_it_changes(tmp_path: Path) -> None:
    program = with_parameter(tmp_path, VALUES, rule("answer", "period", "count", "p"))
    assert [(each.first_day, each.last_day) for each in program.periods] == [
        (day("2025-04-01"), day("2025-06-14")), (day("2025-06-15"), day("2026-03-30")), (day("2026-03-31"), day("2026-03-31")),
    ]  # fmt: skip
    assert periods(program, {}, "days", "answer") == [(75, 2), (289, 3), (1, 4)]


def test_a_figure_that_no_rule_reads_cuts_nothing(tmp_path: Path) -> None:
    assert len(with_parameter(tmp_path, VALUES, rule("answer", "period", "count", "1")).periods) == 1


@pytest.mark.parametrize(
    ("on", "figure"),
    [
        ("2025-06-14", 2),
        ("2025-06-15", 3),
        ("year_start", 2),
        ("year_end", 4),
        ("2013-04-01", 1),
        ("year_end + 1 days", 5),
        ("2014-01-01", 1),
    ],
)
def test_the_figure_of_another_day(tmp_path: Path, on: str, figure: int) -> None:
    text = on if on[0] != "y" or " " not in on else f"({on})"
    program = with_parameter(
        tmp_path, VALUES, rule("answer", "period", "count", f"p as at {text}"), rule("year_round", "account", "count", f"p as at {text}")
    )
    assert {answer for (answer,) in periods(program, {}, "answer")} == {figure}


def test_a_year_without_spells_may_not_read_what_changes(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"base.yaml": BASE + rule("answer", "account", "count", "p") + f"parameters:\n  p:\n    unit: count\n    values:\n{VALUES}"},
    )
    assert codes(tmp_path) == ["RB053"]
    assert codes(tmp_path, year=2024) == []


def test_a_figure_must_be_known_on_every_day(tmp_path: Path) -> None:
    gap = "      - {from: 2025-04-01, to: 2025-05-31, value: 1}\n      - {from: 2025-07-01, value: 2}\n"
    write(
        tmp_path, {"base.yaml": BASE + rule("answer", "period", "count", "p") + f"parameters:\n  p:\n    unit: count\n    values:\n{gap}"}
    )
    assert codes(tmp_path) == ["RB063"]


VERSIONS = """\
  answer:
    of: period
    unit: count
    output: yes
    round: whole number, half up
    versions:
      - {from: 2013-04-01, is: "1"}
      - from: 2025-07-01
        first:
          - {when: band = B, give: "2", because: band B}
          - {otherwise: "3", because: another band}
      - {from: 2025-10-01, round: "whole number, up", is: "4/3 * 3.1"}
      - {from: 2026-04-01, is: "9"}
"""


def test_a_rule_changes_within_the_year(tmp_path: Path) -> None:
    program = based(tmp_path, VERSIONS).program
    assert periods(program, {}, "days", "answer") == [(91, 1), (92, 2), (182, 5)]
    lines = program.rule("period", "answer").cases
    assert [case.because for case in lines if case.because] == ["band B", "another band"]


def test_a_rule_of_the_whole_year_may_not_change_within_it(tmp_path: Path) -> None:
    write(tmp_path, {"base.yaml": BASE + VERSIONS.replace("of: period", "of: account").replace("band = B", "yes")})
    assert set(codes(tmp_path)) & {"RB053", "RB082"}


def test_a_rule_that_is_not_yet_in_force_is_not_there(tmp_path: Path) -> None:
    later = rule("later", "period", "count", "1", **{"from": "2026-04-01"})
    write(tmp_path, {"base.yaml": BASE + later})
    with pytest.raises(KeyError):
        linked(tmp_path).program.rule("period", "later")
    assert linked(tmp_path, year=2026).program.rule("period", "later").name == "later"
    write(tmp_path, {"base.yaml": BASE + later + rule("answer", "period", "count", "later")})
    assert codes(tmp_path) == ["RB039"]


def test_reached_cuts_a_period_on_the_day(tmp_path: Path) -> None:
    program = based(tmp_path, rule("answer", "period", "yes/no", "reached(2025-10-01)")).program
    assert periods(program, {}, "days", "answer") == [(183, False), (182, True)]


@pytest.mark.parametrize(("on", "expected"), [("2025-03-31", [True]), ("2025-04-01", [True]), ("2025-04-02", [False, True]),
                                              ("2026-03-31", [False, True]), ("2026-04-01", [False])])  # fmt: skip
def test_reached_at_the_ends_of_the_year(tmp_path: Path, on: str, expected: list[bool]) -> None:
    program = based(tmp_path, rule("answer", "period", "yes/no", f"reached({on})")).program
    assert [answer for (answer,) in periods(program, {}, "answer")] == expected


def test_reached_through_other_rules_and_parameters(tmp_path: Path) -> None:
    rules = rule("clock", "period", "date", "if band = A then year_end else first_known(empty_since, year_start)")
    rules += rule("over", "period", "date", "months_after(clock, p)") + rule("answer", "period", "yes/no", "reached(over)")
    program = with_parameter(tmp_path, "      - {from: 2013-04-01, value: 6}\n", rules)
    empty = {"dwellings": {**FACTS["dwellings"], "empty_since": "2025-01-31"}}
    assert periods(program, empty, "days", "answer") == [(121, False), (244, True)]
    assert periods(program, {}, "days", "answer") == [(183, False), (182, True)]


def test_reached_of_members_cuts_the_period_they_belong_to(tmp_path: Path) -> None:
    adult = rule("adult", "resident", "yes/no", "not known(birth_date) or reached(years_after(first_known(birth_date, year_start), 18))")
    program = based(tmp_path, adult, rule("adults", "period", "count", "count(residents where adult)")).program
    people = {"people": [{"dwelling": "d", "from": "2000-01-01", "birth_date": born, "income": "£0", "student": "no"}
                         for born in ("2007-06-15", "2007-12-25", "2008-02-29", "1990-01-01")]}  # fmt: skip
    assert periods(program, people, "days", "adults") == [(75, 1), (193, 2), (65, 3), (32, 4)]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("first_day > 2025-05-01", "RB047"),
        ("2025-05-01 <= last_day", "RB047"),
        ("year(first_day) = 2025 and first_day = 2025-05-01", "RB047"),
        ("reached(first_day + 1 days)", "RB052"),
        ("reached(previous(empty, first: year_start))", "RB052"),
        ("reached(max(residents.birth_date where known(birth_date), none: year_start))", "RB052"),
        ("reached(14 days)", "RB040"),
        ("reached(2025-05-01, 2025-06-01)", "RB049"),
    ],
)
def test_what_cannot_be_asked_of_days(tmp_path: Path, expression: str, code: str) -> None:
    write(tmp_path, {"base.yaml": BASE + rule("empty", "period", "date", "year_start") + rule("answer", "period", "yes/no", expression)})
    assert set(codes(tmp_path)) == {code}


def test_only_what_is_cut_in_time_can_ask(tmp_path: Path) -> None:
    assert refused(tmp_path, "yes/no", "reached(2025-05-01)", of="account") == ["RB051"]
    assert refused(tmp_path, "£/week", "previous(income, first: £0)", of="resident") == ["RB051"]


def test_the_period_before(tmp_path: Path) -> None:
    rises = rule("rise", "period", "£/week", "rent - previous(rent, first: £0)")
    total = rule("so_far", "period", "days", "days + previous(so_far, first: 0 days)")
    program = based(tmp_path, rises, total).program
    changing = {"dwellings": [{**FACTS["dwellings"], "to": "2025-05-31"}, {**FACTS["dwellings"], "from": "2025-06-01", "rent": "£90/week"}]}
    assert periods(program, changing, "rise", "so_far") == [(100, 61), (-10, 365)]


@pytest.mark.parametrize(("year", "first"), [(2024, "2024-04-01"), (2025, "2025-03-31"), (2026, "2026-03-30"), (2027, "2027-03-29")])
def test_a_year_of_benefit_weeks_begins_with_the_monday_before(tmp_path: Path, year: int, first: str) -> None:
    base = BASE.replace("  account: {title: Account}", "  account: {title: Account, begins: monday}")
    assert base != BASE
    asked = rule("begun", "period", "yes/no", "reached(year_start)") + rule("length", "period", "days", "days_in_year")
    write(tmp_path, {"base.yaml": base + asked})
    program = linked(tmp_path, year=year).program
    assert program.first_day == day(first)
    assert program.parameters["year_start"].by_period[0] == day(f"{year}-04-01")
    since = {"accounts": {**FACTS["accounts"], "from": "2020-04-01"}}
    found = periods(program, since, "begun", "length")
    length = 366 if year == 2027 else 365
    assert found == [(True, length)] if first.endswith("04-01") else [(False, length), (True, length)]


def test_days_begin_with_monday_or_as_the_year_does(tmp_path: Path) -> None:
    base = BASE.replace("  account: {title: Account}", "  account: {title: Account, begins: tuesday}")
    write(tmp_path, {"base.yaml": base + rule("one", "period", "count", "1")})
    assert codes(tmp_path) == ["RB061"]


def test_a_figure_that_is_stated_again_divides_nothing(tmp_path: Path) -> None:
    again = "      - {from: 2025-06-01, value: 1, status: provisional}\n"
    values = "      - {from: 2024-04-01, value: 1}\n" + again + "      - {from: 2025-09-01, value: 2}\n"
    program = with_parameter(tmp_path, values, rule("one", "period", "count", "p"))
    assert [period.first_day for period in program.periods] == [day("2025-04-01"), day("2025-09-01")]
    assert program.parameters["p"].by_period == (1, 2)
    assert [dated.first_day for dated in program.parameters["p"].history] == [day("2024-04-01"), day("2025-06-01"), day("2025-09-01")]
