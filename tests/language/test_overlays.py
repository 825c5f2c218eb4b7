"""Statute, precepts, the council and scenarios laid over each other, day by day."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from language.linking_toolbox import BASE, FACTS, codes, day, evaluate, linked, records_of, rule, write
from rbcalc_kernels.program.graph import Program

COUNCIL = "kind: council\ntitle: Council\nadopted: transcribed, not adopted\nsource: {document: D}\n"
PRECEPT = COUNCIL.replace("council", "precept", 1)
SCENARIO = "kind: scenario\ntitle: What if\nsource: {note: supposed}\n"
PARAMETERS = """\
parameters:
  fixed: {unit: rate, value: 1%}
  local_one: {unit: rate, local: yes, value: 1%}
  chosen: {unit: rate, option: yes, value: 1%}
tables:
  price:
    unit: £
    local: yes
    over: {band: band}
    rows: {A: £1, B: £2, C: £3}
"""
RULES = (
    rule("sum_of_all", "period", "rate", "fixed + local_one + chosen")
    + rule("own_price", "period", "£", "price[band]")
    + rule("kept", "period", "count", "1", local="yes")
    + rule("locked", "period", "count", "1")
)


def made(folder: Path, **files: str) -> Path:
    return write(folder, {"base.yaml": BASE + RULES + PARAMETERS, **{f"{name}.yaml": text for name, text in files.items()}})


def figures(program: Program, name: str) -> list[float]:
    return [float(value) for value in program.parameters[name].by_period]


def prices(program: Program) -> list[tuple[float, ...]]:
    cells = [contents.rows for contents in program.tables["price"].by_period]
    return [tuple(float(rows[(band,)][1][0]) for band in "ABC") for rows in cells]


def test_a_later_kind_wins_whatever_the_dates(tmp_path: Path) -> None:
    files = {"precept": PRECEPT + "set:\n  local_one: {from: 2025-01-01, value: 2%}\n"}
    assert figures(linked(made(tmp_path, **files)).program, "local_one") == [0.02]
    files["council"] = COUNCIL + "set:\n  local_one: {from: 2024-01-01, value: 3%}\n"
    assert figures(linked(made(tmp_path, **files)).program, "local_one") == [0.03]
    files["a_scenario"] = SCENARIO + "set:\n  local_one: {from: 2023-01-01, value: 4%}\n"
    program = linked(made(tmp_path, **files)).program
    assert figures(program, "local_one") == [0.04]
    assert program.hypothetical


def test_within_a_kind_the_latest_statement_wins(tmp_path: Path) -> None:
    files = {
        "one": COUNCIL + "set:\n  local_one: {from: 2025-04-01, value: 2%}\n",
        "two": COUNCIL + "set:\n  local_one: {from: 2025-10-01, value: 3%}\n",
    }
    program = linked(made(tmp_path, **files)).program
    assert figures(program, "local_one") == [0.02, 0.03]
    assert [period.first_day for period in program.periods] == [day("2025-04-01"), day("2025-10-01")]
    assert not program.hypothetical


def test_after_its_last_day_a_figure_falls_back(tmp_path: Path) -> None:
    files = {"council": COUNCIL + "set:\n  local_one: {from: 2025-06-01, to: 2025-08-31, value: 2%}\n"}
    program = linked(made(tmp_path, **files)).program
    assert figures(program, "local_one") == [0.01, 0.02, 0.01]
    assert [dated.first_day for dated in program.parameters["local_one"].history][-2:] == [day("2025-06-01"), day("2025-09-01")]
    row = evaluate(program, records_of(program, FACTS))
    assert [period.values["days"] for period in row.children["period"]] == [61, 92, 212]


def test_a_figure_of_a_past_year_is_forgotten(tmp_path: Path) -> None:
    past = (
        COUNCIL
        + "from: 2024-04-01\nto: 2025-03-31\nset:\n  local_one: {value: 9%}\n"
        + "replace:\n  kept: {of: period, unit: count, reason: r, is: '9'}\n"
    )
    program = linked(made(tmp_path, council=past)).program
    assert figures(program, "local_one") == [0.01]
    assert evaluate(program, records_of(program, FACTS)).children["period"][0].values["kept"] == 1
    assert figures(linked(tmp_path, year=2024).program, "local_one") == [0.09]


@pytest.mark.parametrize(("name", "allowed"), [("local_one", True), ("chosen", True), ("fixed", False)])
@pytest.mark.parametrize("head", [COUNCIL, PRECEPT])
def test_a_council_sets_what_is_local_or_an_option(tmp_path: Path, head: str, name: str, allowed: bool) -> None:
    made(tmp_path, council=head + f"set:\n  {name}: {{from: 2025-04-01, value: 2%}}\n")
    assert codes(tmp_path) == ([] if allowed else ["RB067"])


def test_a_scenario_may_set_anything(tmp_path: Path) -> None:
    made(
        tmp_path,
        what_if=SCENARIO
        + "set:\n  fixed: {from: 2025-04-01, value: 2%}\n"
        + "replace:\n  locked: {of: period, unit: count, from: 2025-04-01, reason: r, is: '5'}\n",
    )
    program = linked(tmp_path).program
    row = evaluate(program, records_of(program, FACTS))
    assert row.children["period"][0].values["locked"] == 5
    assert figures(program, "fixed") == [0.02]


@pytest.mark.parametrize("section", ["entities: {x: {parent: period}}", "inputs: {x: {of: period, unit: yes/no, register: dwellings}}",
                                     "registers: {x: {of: account, key: k}}"])  # fmt: skip
def test_what_is_recorded_is_for_statute(tmp_path: Path, section: str) -> None:
    made(tmp_path, council=COUNCIL + section + "\n")
    assert "RB067" in codes(tmp_path)


def test_rules_are_replaced_and_dropped_where_they_are_local(tmp_path: Path) -> None:
    replacement = "replace:\n  {name}: {{of: period, unit: count, from: 2025-10-01, reason: r, is: '7'}}\n"
    program = linked(made(tmp_path, council=COUNCIL + replacement.format(name="kept"))).program
    row = evaluate(program, records_of(program, FACTS))
    assert [(period.values["days"], period.values["kept"]) for period in row.children["period"]] == [(183, 1), (182, 7)]
    assert program.rule("period", "kept").origin == "council"
    made(tmp_path, council=COUNCIL + replacement.format(name="locked"))
    assert codes(tmp_path) == ["RB067"]
    made(tmp_path, council=COUNCIL + "drop:\n  kept: {reason: r}\n")
    with pytest.raises(KeyError):
        linked(tmp_path).program.rule("period", "kept")
    made(tmp_path, council=COUNCIL + "drop:\n  locked: {reason: r}\n")
    assert codes(tmp_path) == ["RB067"]
    made(tmp_path, council=COUNCIL + "drop:\n  nothing: {reason: r}\n")
    assert codes(tmp_path) == ["RB068"]


def test_two_files_of_one_kind_may_not_say_two_things_of_one_day(tmp_path: Path) -> None:
    for body in ("set:\n  local_one: {from: 2025-04-01, value: %s%%}\n", "set:\n  price: {from: 2025-04-01, rows: {A: £%s}}\n",
                 "replace:\n  kept: {of: period, unit: count, from: 2025-04-01, reason: r, is: '%s'}\n"):  # fmt: skip
        made(tmp_path, one=COUNCIL + body % 2, two=COUNCIL + body % 3)
        assert codes(tmp_path) == ["RB062"]


def test_one_name_in_two_entities_is_replaced_where_it_is_meant(tmp_path: Path) -> None:
    base = BASE + rule("share", "resident", "count", "1", local="yes") + rule("total", "account", "count", "1", local="yes")
    base += rule("total", "resident", "count", "2", local="yes").replace("total", "other")
    council = COUNCIL + "replace:\n  share: {of: resident, unit: count, from: 2025-04-01, reason: r, is: '3'}\n"
    write(tmp_path, {"base.yaml": base, "council.yaml": council})
    assert codes(tmp_path) == []
    write(tmp_path, {"council.yaml": council.replace("of: resident", "of: period")})
    assert codes(tmp_path) == ["RB066"]


def test_tables_are_laid_over_each_other_by_the_members_of_the_first_axis(tmp_path: Path) -> None:
    files = {
        "precept": PRECEPT + "set:\n  price: {from: 2025-04-01, rows: {B: £20}}\n",
        "council": COUNCIL + "set:\n  price: {from: 2025-04-01, rows: {C: £30}}\n",
        "other": COUNCIL + "set:\n  price: {from: 2025-10-01, to: 2025-12-31, rows: {A: £100}}\n",
    }
    assert prices(linked(made(tmp_path, **files)).program) == [(1, 20, 30), (100, 20, 30), (1, 20, 30)]


def test_the_order_of_the_files_does_not_matter(tmp_path: Path) -> None:
    files = {"z_statute_is_last": BASE + RULES + PARAMETERS, "a_council": COUNCIL + "set:\n  local_one: {from: 2025-04-01, value: 2%}\n"}
    write(tmp_path, {f"{name}.yaml": text for name, text in files.items()})
    one = linked(tmp_path, sorted(tmp_path.glob("*.yaml"))).program
    other = linked(tmp_path, sorted(tmp_path.glob("*.yaml"), reverse=True)).program
    assert figures(one, "local_one") == figures(other, "local_one") == [0.02]
    assert one.digest == other.digest


def test_provisional_figures_in_use_are_named(tmp_path: Path) -> None:
    council = COUNCIL + "status: provisional\nset:\n  local_one: {from: 2025-04-01, value: 2%}\n  chosen: {from: 2026-04-01, value: 2%}\n"
    assert linked(made(tmp_path, council=council)).program.provisional == ("local_one",)


# ------------------------------------------------------------------------------------ one statute over another's rules


def worked_out(program: Program, name: str) -> list[object]:
    row = evaluate(program, records_of(program, FACTS))
    return [period.values[name] for period in row.children["period"]]


SUBJECT = "kind: statute\ntitle: Another benefit\nextends: [base]\nfrom: 2010-01-01\nsource: {law: Second Act, url: second}\n"


def test_a_statute_lays_figures_and_rules_over_those_of_another(tmp_path: Path) -> None:
    replaced = "replace:\n  locked: {of: period, unit: count, is: 2, reason: The Second Act counts two.}\n"
    files = {"subject": SUBJECT + "set:\n  fixed: {value: 7%}\n" + replaced}
    program = linked(made(tmp_path, **files)).program
    assert figures(program, "fixed") == [0.07]
    assert worked_out(program, "locked") == [2]
    files["council"] = COUNCIL + "set:\n  local_one: {from: 2024-01-01, value: 3%}\n"
    files["subject"] += "  sum_of_all: {of: period, unit: rate, is: local_one, reason: The Second Act looks at one.}\n"
    assert worked_out(linked(made(tmp_path, **files)).program, "sum_of_all") == [Fraction(3, 100)]


def test_a_statute_cites_where_another_subjects_rule_stands_in_its_own_law(tmp_path: Path) -> None:
    lines = """\
  in_lines:
    of: period
    unit: count
    output: yes
    source: {law: First Act, paragraph: "1"}
    first:
      - {when: band = A, give: 1, because: one, source: {paragraph: "1(a)"}}
      - {when: band = B, give: 2, because: two, source: {law: Third Act, paragraph: "9"}}
      - {otherwise: 3, because: three}
"""
    cited = SUBJECT + 'cite:\n  in_lines: {law: Second Act, paragraph: "22"}\n  fixed: {law: Second Act, paragraph: "23"}\n'
    base = BASE.replace("{document: Made up for tests}", "{law: First Act, url: first}")
    (tmp_path / "base.yaml").write_text(base + RULES + lines + PARAMETERS, encoding="utf-8")
    (tmp_path / "subject.yaml").write_text(cited, encoding="utf-8")
    program = linked(tmp_path).program
    rule_ = next(each for each in program.rules if each.name == "in_lines")
    assert rule_.source is not None and rule_.source.text == "Second Act, 22"
    assert [case.source.text for case in rule_.cases if case.source is not None] == ["Second Act, 22", "Third Act, 9", "Second Act, 22"]
    assert program.parameters["fixed"].history[0].source.text == "Second Act, 23"


def test_a_council_cites_nothing_for_others(tmp_path: Path) -> None:
    found = codes(made(tmp_path, council=COUNCIL + "cite:\n  locked: {law: Ours}\n"))
    assert found == ["RB067"]
    assert codes(made(tmp_path, council="kind: statute\ntitle: T\ncite:\n  lokced: {law: Ours}\n")) == ["RB068"]
