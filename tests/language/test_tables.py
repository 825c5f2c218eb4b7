"""Tables: by lists and by edges, with gaps, and worked out from others."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from language.linking_toolbox import BASE, FACTS, codes, evaluate, linked, records_of, report, rule, write
from rbcalc_kernels.exact.faults import CalculationFault, Reason
from rbcalc_kernels.program.graph import Program


def made(folder: Path, tables: str, *rules: str) -> Path:
    return write(folder, {"base.yaml": BASE + "".join(rules) + "tables:\n" + tables})


def answer(program: Program, **dwelling: str) -> object:
    row = evaluate(program, records_of(program, {**FACTS, "dwellings": {**FACTS["dwellings"], **dwelling}}))
    return row.children["period"][0].values["answer"]


def test_edges_and_upwards(tmp_path: Path) -> None:
    table = "  t: {unit: count, over: {from: £/week}, rows: {£0: 1, £100: 2, £200.50: 3}}\n"
    program = linked(made(tmp_path, table, rule("answer", "period", "count", "t[rent]"))).program
    for rent, found in (("£0", 1), ("£99.99", 1), ("£100", 2), ("£200.49", 2), ("£200.50", 3), ("£5000", 3)):
        assert answer(program, rent=rent) == found


def test_up_to_and_including_edges(tmp_path: Path) -> None:
    table = "  t: {unit: count, over: {up_to: £/week}, rows: {£200.50: 3, £100: 2, above: 9}}\n"
    program = linked(made(tmp_path, table, rule("answer", "period", "count", "t[rent]"))).program
    for rent, found in (("£0", 2), ("£100", 2), ("£100.01", 3), ("£200.50", 3), ("£200.51", 9)):
        assert answer(program, rent=rent) == found


def test_edges_below_nothing_and_dates(tmp_path: Path) -> None:
    tables = "  t: {unit: count, over: {from: £/week}, rows: {-£50: 1, £0: 2}}\n"
    tables += "  u: {unit: count, over: {from: date}, rows: {2020-01-01: 1, 2025-01-01: 2}}\n"
    rules = rule("answer", "period", "count", "t[rent - £120/week] + 10 * u[first_known(empty_since, 2020-01-01)]")
    program = linked(made(tmp_path, tables, rules)).program
    assert answer(program) == 11
    assert answer(program, rent="£120", empty_since="2025-01-01") == 22
    with pytest.raises(CalculationFault) as caught:
        answer(program, empty_since="2019-12-31")
    assert caught.value.reason is Reason.NO_CELL


SPARSE = """\
  published: {unit: £, over: {use: use, band: band}, sparse: yes, rows: {home: {A: £10, B: £20}, shop: {C: £7}}}
  ratio: {unit: rate, over: {band: band}, rows: {A: 1/2, B: 1, C: 3/2}}
"""
WORKED = (
    SPARSE
    + """\
  amount: {unit: £, over: {use: use, band: band}, round: "penny, half up", is: "first_known(published[use, band], base * ratio[band])"}
  only_published: {unit: £, over: {use: use, band: band}, is: "published[use, band] * 2"}
  all_uses: {unit: £, over: {band: band}, is: "sum(use: first_known(published[use, band], £0))"}
parameters:
  base: {unit: £, value: £3.33}
"""
)


def test_a_gap_is_an_error_unless_the_table_is_sparse(tmp_path: Path) -> None:
    ask = rule("answer", "period", "£", "published[first_known(use, home), band]")
    assert codes(made(tmp_path, SPARSE.replace("sparse: yes, ", ""), ask, rule("r", "period", "rate", "ratio[band]"))) == ["RB063"]
    assert codes(made(tmp_path, SPARSE, ask, rule("r", "period", "rate", "ratio[band]"))) == []


def test_reading_a_gap_rejects_the_row(tmp_path: Path) -> None:
    rules = rule("answer", "period", "£", "published[first_known(use, home), band]") + rule("r", "period", "rate", "ratio[band]")
    program = linked(made(tmp_path, SPARSE, rules)).program
    assert answer(program) == 20
    with pytest.raises(CalculationFault) as caught:
        answer(program, band="C")
    assert caught.value.reason is Reason.NO_CELL


@pytest.mark.parametrize(
    ("use", "band", "known", "first"), [("home", "A", True, 10), ("home", "C", False, -1), ("shop", "C", True, 7), ("shop", "A", False, -1)]
)
def test_a_gap_can_be_asked_about(tmp_path: Path, use: str, band: str, known: bool, first: int) -> None:
    cell = "published[first_known(use, home), band]"
    rules = rule("answer", "period", "yes/no", f"known({cell})") + rule("amount", "period", "£", f"first_known({cell}, -£1)")
    program = linked(made(tmp_path, SPARSE, rules, rule("r", "period", "rate", "ratio[band]"))).program
    row = evaluate(program, records_of(program, {**FACTS, "dwellings": {**FACTS["dwellings"], "use": use, "band": band}}))
    period = row.children["period"][0]
    assert (period.values["answer"], period.values["amount"]) == (known, first)
    assert all(cell.rows for cell in program.tables["published__known"].by_period)


def test_a_table_is_worked_out_from_others(tmp_path: Path) -> None:
    rules = rule("answer", "period", "£", "amount[first_known(use, home), band] + all_uses[band]") + rule(
        "twice", "period", "£", "first_known(only_published[first_known(use, home), band], £0)"
    )
    program = linked(made(tmp_path, WORKED, rules)).program
    cells = {keys: row[1][0] for keys, row in program.tables["amount"].by_period[0].rows.items()}
    assert cells == {("home", "A"): 10, ("home", "B"): 20, ("home", "C"): Fraction("5.00"), ("shop", "A"): Fraction("1.67"),
                     ("shop", "B"): Fraction("3.33"), ("shop", "C"): 7}  # fmt: skip
    assert {keys: row[1][0] for keys, row in program.tables["all_uses"].by_period[0].rows.items()} == {("A",): 10, ("B",): 20, ("C",): 7}
    assert set(program.tables["only_published"].by_period[0].rows) == {("home", "A"), ("home", "B"), ("shop", "C")}
    assert answer(program, use="shop", band="A") == Fraction("11.67")


def test_a_worked_out_table_follows_its_parameters_in_time(tmp_path: Path) -> None:
    tables = WORKED.replace(
        "base: {unit: £, value: £3.33}", "base: {unit: £, values: [{from: 2013-04-01, value: £1}, {from: 2025-10-01, value: £2}]}"
    )
    rules = (
        rule("answer", "period", "£", "amount[shop, B]")
        + rule("b", "period", "£", "all_uses[band]")
        + rule("c", "period", "£", "first_known(only_published[shop, band], £0)")
    )
    program = linked(made(tmp_path, tables, rules)).program
    assert [float(cells.rows["shop", "B"][1][0]) for cells in program.tables["amount"].by_period] == [1, 2]


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("{unit: £, over: {band: band}, is: '£1 / (ratio[band] - 1)'}", "RB043"),
        ("{unit: £, over: {band: band}, is: 'rent'}", "RB039"),
        ("{unit: £, over: {band: band}, is: 'sum(residents.income)'}", "RB050"),
        ("{unit: £, over: {band: band}, is: 'previous(rent, first: £0)'}", "RB051"),
        ("{unit: £, over: {band: band}, is: 'if reached(2025-05-01) then £1 else £2'}", "RB051"),
        ("{unit: £, over: {from: £}, is: '£1'}", "RB076"),
        ("{unit: £, over: {band: band}, is: '£1', rows: {A: £1}}", "RB076"),
        ("{unit: £, over: {band: tier}, is: '£1'}", "RB056"),
        ("{unit: £, over: {band: band}, is: 'sum(tier: £1)'}", "RB039"),
        ("{unit: £, over: {band: band}, is: 'ratio[band]'}", "RB040"),
        ("{unit: £, over: {band: band}, round: 3 decimals, is: '£1'}", "RB060"),
        ("{unit: £, over: {band: band}, rows: {A: £1, B: £2, D: £3}}", "RB039"),
        ("{unit: £, over: {band: band}, rows: {A: £1, B: £2}}", "RB063"),
        ("{unit: £, over: {band: band}, rows: {A: £1, B: £2, C: 3 days}}", "RB040"),
        ("{unit: £, over: {band: band, from: £}, rows: {A: {£0: £1}, B: {£1: £1}, C: {£0: £1}}}", "RB065"),
        ("{unit: £, over: {from: band}, rows: {A: £1}}", "RB076"),
        ("{unit: £, over: {band: band}, value: £1}", "RB035"),
    ],
)
def test_tables_that_do_not_fit(tmp_path: Path, table: str, code: str) -> None:
    keys = [word for word, there in (("band", "band: band" in table), ("rent as £", "from: £" in table)) if there] or ["band"]
    ask = rule("answer", "period", "£", f"t[{', '.join(keys)}]")
    found = codes(made(tmp_path, f"  t: {table}\n  ratio: {{unit: rate, over: {{band: band}}, rows: {{A: 1/2, B: 1, C: 3/2}}}}\n",
                       ask, rule("r", "period", "rate", "ratio[band]")))  # fmt: skip
    assert code in found


PLAIN = """\
tables:
  t: {unit: UNIT, over: {use: use, from: £/week}, rows: {home: {£0: CELL, £100: 90%}, shop: {£0: 80%}}}
  u: {unit: UNIT, over: {use: use}, rows: {home: CELL, shop: 80%}}
parameters:
  p: {unit: UNIT, value: CELL}
"""


@pytest.mark.parametrize(
    ("unit", "cell", "found"),
    [
        ("rate", "95", ["RB040", "RB040", "RB040"]),
        ("rate", "1.05", ["RB040", "RB040", "RB040"]),
        ("rate", "95%", []),
        ("rate", "105%", []),
        ("rate", "18/9", []),
        ("rate", "0.95", []),
        ("rate", "1", []),
        ("rate", "0", []),
        ("ratio", "95", []),
    ],
)
def test_a_plain_number_above_one_is_no_rate(tmp_path: Path, unit: str, cell: str, found: list[str]) -> None:
    """In a cell as in a single figure: 95 % is not 95 times."""
    asked = "t[first_known(use, home), rent] * u[first_known(use, home)] * p"
    text = PLAIN.replace("UNIT", unit).replace("CELL", cell)
    write(tmp_path, {"base.yaml": BASE + rule("answer", "period", "rate", asked) + text})
    assert codes(tmp_path) == found
    if found:
        assert f"help: write {cell}%; a divisor or a factor that is no share has unit: ratio" in report(tmp_path)
