"""What a paper works out and lays out besides the comparison's own figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from paper.dressed import Study
from rbcalc._years import FinancialYear
from rbcalc.comparing.comparison import Published
from rbcalc.papers import money, tables
from rbcalc.papers import sections as parts
from rbcalc.papers.file import Declared, Money
from rbcalc.papers.sections import Award, Block, Example, Matter
from rbcalc.papers.tables import WITHHELD, Column, Figures, Sheet
from rbcalc.papers.words import Wording, direction, joined, pence, percent, pounds, shortened, slug, wording
from rbcalc.rulebook.rules import load
from rbcalc.supposing.scenario_words import beside
from rbcalc_kernels.language.types import Choice


@dataclass
class Given:
    """A comparison that says what a test wants."""

    tables: dict[str, Any]

    def publishable(self) -> Published:
        return Published(self.tables, "", ())


def table(**columns: list[Any]) -> Any:
    return pa.table({name: pa.array(values) for name, values in columns.items()})


@pytest.fixture(scope="module")
def worded() -> Wording:
    return wording(load(), "council_tax_reduction", FinancialYear(2026))


@pytest.fixture
def study() -> Any:
    return Study(sizes={"north": 30}, options=1).study


def matter(study: Any, worded: Wording, declared: Declared | None = None, **given: Any) -> Matter:
    extra = {name: given.pop(name) for name in ("examples", "cliffs", "schemes") if name in given}
    return Matter(Figures.of(Given(given), study), worded, declared or Declared(), **extra)


COSTS = {
    "option": ["baseline", "option_0"],
    "council": ["north", "north"],
    "amount": [Decimal("1000.00"), Decimal("900.05")],
    "change": [Decimal("0.00"), Decimal("-99.95")],
}
BODIES = {
    "option": ["option_0", "option_0"],
    "council": ["north", "north"],
    "body": ["county", "billing_authority"],
    "change": [Decimal("-79.95"), Decimal("-20.00")],
}


def test_the_yield_is_net_of_what_was_declared(study: Any, worded: Wording) -> None:
    said = Declared(money=(Money("", "", Fraction(4, 5), Fraction(10), Fraction(5, 2)),))
    found = matter(study, worded, said, costs=table(**COSTS), bodies=table(**BODIES))
    (row,) = money.yields(found.figures, said, worded).rows
    more, rate, collected, fund, work, left, own = row[1:]
    assert (more, rate, collected) == (Decimal("99.95"), Decimal(80), Decimal("79.96"))
    assert (fund, work, left) == (Decimal("-10.00"), Decimal("-2.50"), Decimal("67.46"))
    assert own == pence(Fraction("79.96") * Fraction(2000, 9995))
    assert money.undeclared(found.figures, said) == []


def test_what_rests_on_a_missing_declaration_is_not_worked_out(study: Any, worded: Wording) -> None:
    said = Declared(money=(Money(collection_rate=Fraction(1, 2)),))
    found = matter(study, worded, said, costs=table(**COSTS), bodies=table(**{**BODIES, "body": ["county", "police"]}))
    (row,) = money.yields(found.figures, said, worded).rows
    assert row[3] == Decimal("49.98") and row[4:] == (None, None, None, None)
    assert money.undeclared(found.figures, said) == [
        "North Council, Option 1: the hardship fund and the cost of administration were not declared."
    ]


def test_the_equal_rise_comes_from_the_tax_bases(study: Any, worded: Wording) -> None:
    part, area, charged = Choice("part", ("billing_authority", "county")), Choice("area", ("a", "b")), Choice("charged_band", ("C", "D"))
    rows = {(p, a, c): ((), (Fraction(price),)) for p, price in (("billing_authority", 200), ("county", 900)) for a in "ab" for c in "CD"}
    held = SimpleNamespace(axes=(part, area, charged), bands=None, by_period=(SimpleNamespace(rows=rows),), title="")
    study.outcomes["baseline"]["north"].program.tables = {"amount_for_part": held}
    bases = {"option": ["baseline", "option_0"], "council": ["north"] * 2, "base": [Decimal("400.0"), Decimal("401.0")]}
    figures = matter(study, worded, tax_base=table(**bases, change=[Decimal("0.0"), Decimal("1.0")])).figures
    found = money.equivalents(figures, worded)
    assert found is not None
    assert found.rows == (("Option 1", Decimal("1.0"), Decimal("0.25"), Decimal("0.50")),)
    rows["billing_authority", "b", "D"] = ((), (Fraction(201),))
    assert money.own_charge(figures, worded, "north") is None


def test_single_changes_are_told_in_their_order(study: Any, worded: Wording) -> None:
    changes = table(
        option=["option_0"] * 2,
        council=["north"] * 2,
        change=["second", "first"],
        alone=[Decimal(1), Decimal(2)],
        together_without=[Decimal(3), Decimal(4)],
        order=[2, 1],
    )
    found = tables.changes(matter(study, worded, changes=changes).figures, "north", "option_0")
    assert found is not None
    assert [row[0] for row in found.rows] == ["first", "second"]


def test_worked_examples_tell_the_difference(study: Any, worded: Wording) -> None:
    example = Example("Couple", "in work", {"baseline": Award(Decimal("10.00"), "a"), "option_0": Award(Decimal("7.50"), "b")})
    (sheet,) = [block.sheet for block in parts.examples(matter(study, worded, examples=(example,))) if block.sheet is not None]
    assert [row[2:] for row in sheet.rows] == [(Decimal("10.00"), None, "a"), (Decimal("7.50"), Decimal("-2.50"), "b")]


def test_cliffs_show_the_worst_edges_and_few_people_not_at_all(study: Any, worded: Wording) -> None:
    edges = table(
        household=["one", "two", "three"],
        amount=[Decimal(100), Decimal(200), Decimal(300)],
        lost_a_week=[Decimal(5), Decimal(50), Decimal(1)],
        costs_more=[True, True, False],
        needed_to_be_back=[Decimal(120), None, None],
        what=["Taper", "Limit", "Step"],
        change=["", "ends", ""],
        close_below=[4, 5, 9],
    )
    (sheet,) = [block.sheet for block in parts.cliffs(matter(study, worded, cliffs={"option_0": edges})) if block.sheet is not None]
    assert [(row[0], row[4], row[5]) for row in sheet.rows] == [("two", "Limit: ends", 5), ("one", "Taper", WITHHELD)]
    (none,) = parts.cliffs(matter(study, worded, cliffs={"option_0": edges.slice(2)}))
    assert "there is no edge" in none.text


def test_schemes_show_what_the_council_decides(study: Any, worded: Wording) -> None:
    figure = SimpleNamespace(title="Capital limit", words="£10,000", since="1 April 2026", source="Scheme, 4.1", provisional=True)
    grid = SimpleNamespace(
        title="Support", sheet=SimpleNamespace(columns=("Income", "Share"), rows=(("any amount", "90 %"),)), sources=("Scheme",)
    )
    booklet = SimpleNamespace(groups=(SimpleNamespace(title="Decided", figures=(figure,), tables=(grid,)), None))
    sheets = [block.sheet for block in parts.schemes(matter(study, worded, schemes=(("Option 1", booklet),))) if block.sheet is not None]
    assert [sheet.caption for sheet in sheets] == ["Option 1: Decided", "Option 1: Support"]
    assert sheets[0].rows[0][3] == "Scheme, 4.1 (provisional)"


def test_an_option_is_told_beside_the_one_that_it_is_like(worded: Wording) -> None:
    made = Study(options=2)
    first, second = made.study.options[1:]
    grid = ("Grid: new", "Scale: 100 %, new", "Limit: £16,000 becomes £8,000", "Taper: another rule")
    finer = (grid[0], "Scale: 97 %, new", grid[2])
    made.study.options[1:] = [
        replace(first, changes=grid),
        replace(second, changes=finer, says="Sought among 3 points."),
    ]
    made.study.warnings[second.name] = ("No account of this caseload changes under it.",)
    found = list(parts.options(Matter(Figures.of(made.comparison, made.study), worded, Declared())))
    assert [block.items for block in found if block.kind == "list"] == [grid, ("Scale: 97 %, new", "not so: Taper: another rule")]
    told = [(block.kind, block.text) for block in found]
    assert ("text", "It changes what Option 1 changes, but for:") in told
    assert ("text", "Sought among 3 points.") in told
    assert ("warning", "No account of this caseload changes under it.") in told
    assert beside(grid, [("Option 1", grid)]) == ("Option 1", ())
    assert beside(grid, [("Option 1", finer[1:])]) == ("", grid)


def test_of_whom_each_line_is_where_councils_know_their_charges_otherwise(worded: Wording) -> None:
    bodies = {**BODIES, "option": ["option_0", "option_0"], "council": ["north", "south"], "body": ["whole", "county"]}
    made = Study()
    found = Figures(
        made.study, {"bodies": table(**bodies), "costs": table(**COSTS)}, ("north", "south"), {"option_0": "A", "baseline": "B"}
    )
    sheet = tables._whose(found, ["whole", "county"])
    assert sheet == "Not all councils know their charges by the same authorities. Whole: North Council; County: South Council."


def test_sections_without_anything_to_say_are_left_out(worded: Wording) -> None:
    made = Study(sizes={"north": 60})
    names = [section.name for section in parts.sections(Matter(Figures.of(made.comparison, made.study), worded, Declared()))]
    assert "cliffs" not in names and "schemes" not in names
    assert names.index("decision") < names.index("cost") < names.index("other-ways") < names.index("equality")


def test_equal_headings_are_one() -> None:
    columns = (Column("a"), Column("b"), Column("c", "count"))
    sheet = Sheet("x", "x", columns, (("one", "p", 1), ("one", "p", 2), ("two", "p", 3)), heads=2)
    laid = [(headings, [text for text, _ in cells]) for headings, cells in sheet.laid()]
    assert laid == [
        ([("one", 2, "rowgroup"), ("p", 1, "row")], ["1"]),
        ([("p", 1, "row")], ["2"]),
        ([("two", 1, "rowgroup"), ("p", 1, "row")], ["3"]),
    ]
    assert [column.title for column in tables.without(sheet, 0).columns] == ["b", "c"]


def test_a_withheld_figure_is_told_from_one_that_does_not_exist(study: Any, worded: Wording) -> None:
    costs = pa.table({**{k: pa.array(v) for k, v in COSTS.items()}, "rest": pa.array([None, None], pa.int64())})
    costs = costs.set_column(2, "amount", pa.array([None, Decimal("1.00")], pa.decimal128(18, 2)))
    costs = costs.append_column("suppressed", pa.array([True, False])).append_column("suppressed_columns", pa.array([["amount"], []]))
    first, second = matter(study, worded, costs=costs).figures.records("costs")
    assert (first["amount"], first["rest"], second["amount"]) == (WITHHELD, None, Decimal("1.00"))


def test_blocks_are_made_of_what_there_is() -> None:
    assert parts.sheet(None) == [] and parts.drawn(None) == []
    assert parts.text("a", "b") == Block("text", "a", "b")


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (pounds(Decimal("-1234.5")), "\u2212£1,234.50"),
        (pounds(Decimal("1234.5"), whole=True, signed=True), "+£1,235"),
        (pounds(Decimal("-0.4"), whole=True, signed=True), "£0"),
        (percent(Decimal("-1.25"), signed=True), "\u22121.3%"),
        (direction(Decimal(0)), "the same"),
        (direction(Decimal(-5)), "£5 less"),
        (joined(["a", "b", "c"]), "a, b and c"),
        (shortened("one  two three", 8), "one two…"),
        (slug('"><img Src'), "img-src"),
        (str(pence(Fraction(1, 200))), "0.01"),
        (str(pence(Fraction(-1, 200))), "-0.01"),
    ],
)
def test_figures_in_words(found: str, wanted: str) -> None:
    assert found == wanted
