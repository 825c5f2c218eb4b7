"""What is published gives no small count away: not by itself, not by subtraction, not through other tables or options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rbcalc.comparing.comparison import Published, Single, comparison
from rbcalc.comparing.suppression import Cell, Relations, determined, hidden
from whatif.made import Made, outcome, random_study, studies, study

Name = tuple[str, ...]
Sum = dict[Name, int]


def worked_out(sums: Iterable[Sum], unknown: set[Name]) -> set[Name]:
    """The unknowns that the sums determine, by elimination in fractions."""
    rows = [{name: Fraction(sign) for name, sign in each.items() if name in unknown} for each in sums]
    reduced: list[tuple[Name, dict[Name, Fraction]]] = []
    for given_row in rows:
        rest = given_row
        for pivot, by in reduced:
            if factor := rest.get(pivot):
                rest = _less(rest, by, factor)
        if rest:
            first = next(iter(rest))
            row = {name: value / rest[first] for name, value in rest.items()}
            reduced = [(other, _less(by, row, by[first]) if first in by else by) for other, by in reduced]
            reduced.append((first, row))
    return {pivot for pivot, row in reduced if len(row) == 1}


def _less(row: dict[Name, Fraction], by: dict[Name, Fraction], factor: Fraction) -> dict[Name, Fraction]:
    found = dict(row)
    for name, value in by.items():
        found[name] = found.get(name, Fraction(0)) - factor * value
    return {name: value for name, value in found.items() if value}


class Reader:
    """Somebody with the published tables, a pencil, and the knowledge of how tables of this kind add up."""

    def __init__(self, made: Made, shown: Published) -> None:
        self.made, self.shown = made, shown
        self.figures: dict[Name, Any] = {}
        self.missing: set[Name] = set()
        for row in shown.costs.to_pylist():
            self._take("cost", row, (), ("accounts", "known", "amount", "change"))
        for row in shown.outcomes.to_pylist():
            self._take("outcome", row, (row["outcome"],), ("accounts", "change"))
        for row in shown.distribution.to_pylist():
            self._take("range", row, (row["range"],), ("accounts", "change"))
        for row in shown.groups.to_pylist():
            names = ("accounts", "baseline", "amount", "change", "gaining", "losing", "unchanged")
            self._take("group", row, (row["group"], row["member"]), names)

    def _take(self, table: str, row: dict[str, Any], part: Name, columns: tuple[str, ...]) -> None:
        for column in columns:
            name = (table, row["option"], row["council"], *part, column)
            self.figures[name] = row[column]
            if row[column] is None:
                assert column in row["suppressed_columns"]
                assert row["suppressed"]
                self.missing.add(name)

    def sums(self) -> Iterator[Sum]:
        """All that adds up."""
        base = self.made.options[0].name
        for option in self.made.options:
            for council in (*self.made.councils, ""):
                yield from self._of(base, option.name, council)
        for name in self.figures:
            if name[2] == "":
                parts = [(*name[:2], council, *name[3:]) for council in self.made.councils]
                yield {name: -1} | {part: 1 for part in parts if part in self.figures}

    def _of(self, base: str, option: str, council: str) -> Iterator[Sum]:
        cost = ("cost", option, council)
        yield {(*cost, "amount"): 1, (*cost, "change"): -1, ("cost", base, council, "amount"): -1} if option != base else {}
        if option == base:
            return
        compared = ("compared", option, council)
        self.missing.add(compared)
        outcomes = {name[3]: name[:4] for name in self.figures if name[:3] == ("outcome", option, council)}
        steps = {name[3]: name[:4] for name in self.figures if name[:3] == ("range", option, council)}
        told = {name: place for name, place in outcomes.items() if name != "no_result"}
        yield {(*place, "accounts"): 1 for place in told.values()} | {compared: -1}
        yield {(*place, "change"): 1 for place in outcomes.values()} | {(*cost, "change"): -1}
        for side, names in (("lose", ("losing", "no_longer_entitled")), ("gain", ("gaining", "newly_entitled"))):
            for column in ("accounts", "change"):
                mine = {(*place, column): 1 for name, place in steps.items() if name.startswith(side)}
                yield mine | {(*outcomes[name], column): -1 for name in names}
        yield {(*steps["same"], "accounts"): 1, (*outcomes["unchanged"], "accounts"): -1}
        if "no_result" not in outcomes:
            yield {
                (*cost, "accounts"): 1,
                ("cost", base, council, "accounts"): -1,
                (*outcomes["newly_entitled"], "accounts"): -1,
                (*outcomes["no_longer_entitled"], "accounts"): 1,
            }
        yield from self._groups(base, option, council, outcomes, compared)

    def _groups(self, base: str, option: str, council: str, outcomes: dict[str, Name], compared: Name) -> Iterator[Sum]:
        places = {name[:5] for name in self.figures if name[:3] == ("group", option, council)}
        for place in places:
            yield {(*place, name): 1 for name in ("gaining", "losing", "unchanged")} | {(*place, "accounts"): -1}
            yield {(*place, "amount"): 1, (*place, "baseline"): -1, (*place, "change"): -1}
        both = {"gaining": ("gaining", "newly_entitled"), "losing": ("losing", "no_longer_entitled"), "unchanged": ("unchanged",)}
        for group in {place[3] for place in places}:
            mine = [place for place in places if place[3] == group]
            yield {(*place, "accounts"): 1 for place in mine} | {compared: -1}
            for column, names in both.items():
                yield {(*place, column): 1 for place in mine} | {(*outcomes[name], "accounts"): -1 for name in names}
            without = {(*outcomes["no_result"], "change"): 1} if "no_result" in outcomes else {}
            yield {(*place, "change"): 1 for place in mine} | without | {("cost", option, council, "change"): -1}
            if not without:
                yield {(*place, "amount"): 1 for place in mine} | {("cost", option, council, "amount"): -1}
                yield {(*place, "baseline"): 1 for place in mine} | {("cost", base, council, "amount"): -1}

    def across(self) -> Iterator[Sum]:
        """What is the same under every option, where the same accounts are known and compared."""
        base = self.made.options[0].name
        for option, council in product(self.made.options[1:], (*self.made.councils, "")):
            for known in (base, option.name):
                yield {("compared", option.name, council): 1, ("cost", known, council, "known"): -1}
        first = self.made.options[1].name if len(self.made.options) > 1 else ""
        for name in self.figures:
            if name[0] == "group" and name[-1] in ("accounts", "baseline") and name[1] != first:
                yield {name: 1, ("group", first, *name[2:]): -1}

    def works_out(self, sums: Iterable[Sum]) -> set[Name]:
        """The figures not shown that come out of the sums."""
        made = list(sums)
        return {name for name in worked_out(made, self.missing) if name[0] != "compared"}


@settings(max_examples=60, deadline=None)
@given(made=studies(most=120))
def test_no_suppressed_figure_comes_out_by_subtraction(made: Made) -> None:
    reader = Reader(made, comparison(made).publishable())
    assert not reader.works_out(reader.sums())
    # The options of these studies have claims on the same days where their number is even.
    if all(
        (made.outcomes[option.name][c].days == made.outcomes["baseline"][c].days).all() for option in made.options for c in made.councils
    ):
        assert not reader.works_out([*reader.sums(), *reader.across()])


@settings(max_examples=20, deadline=None)
@given(made=studies(rejects=True, most=120))
def test_nor_where_accounts_have_no_result(made: Made) -> None:
    reader = Reader(made, comparison(made).publishable())
    assert not reader.works_out(reader.sums())


@settings(max_examples=40, deadline=None)
@given(made=studies(rejects=True, most=120), threshold=st.integers(2, 12))
def test_nothing_that_rests_on_few_accounts_is_shown_and_the_rest_is_as_it_was(made: Made, threshold: int) -> None:
    whole = comparison(made)
    shown = whole.publishable(threshold)
    assert not hasattr(shown, "cases")
    for name, table in whole.tables.items():
        for row, published in zip(table.to_pylist(), shown.tables[name].to_pylist(), strict=True):
            assert published["suppressed"] == bool(published["suppressed_columns"])
            for column, value in row.items():
                assert published[column] == (None if column in published["suppressed_columns"] else value)
                if column in ("accounts", "known", "gaining", "losing", "unchanged") and published[column] is not None:
                    assert not 0 < published[column] < threshold
    for row in shown.groups.to_pylist():
        # Where an average, a change or a worst case is shown, enough accounts stand behind it.
        if row["average_week"] is not None:
            assert row["change"] is not None
        if row["largest_loss_week"] is not None:
            assert row["losing"] >= threshold


@settings(max_examples=30, deadline=None)
@given(made=studies(most=200))
def test_an_amount_rests_on_enough_accounts_whose_amounts_change(made: Made) -> None:
    shown = comparison(made).publishable()
    for option in made.options[1:]:
        for council in made.councils:
            before, after = (made.outcomes[name][council] for name in ("baseline", option.name))
            changed = before.amount != after.amount
            for row in shown.groups.to_pylist():
                if (row["option"], row["council"]) == (option.name, council) and row["change"]:
                    group = made.groups[council][row["group"]]
                    code = group.members.index(row["member"]) if row["member"] else -1
                    assert int((changed & (group.codes == code)).sum()) >= 5


def test_little_is_hidden_where_counts_are_large() -> None:
    made = random_study(2, {"a": 5_000, "b": 4_000}, 2)
    shown = comparison(made).publishable()
    assert not any(any(table["suppressed"].to_pylist()) for table in shown.tables.values())


def test_one_small_count_takes_few_others_with_it() -> None:
    size = 400
    base = outcome("baseline", "a", [50_000] * size, [365] * size)
    # Everybody loses or gains, but three of the tenants gain.
    tenure = [n % 2 for n in range(size)]
    after = [40_000 if tenure[n] else (60_000 if n % 4 else 40_000) for n in range(size)]
    after[1] = after[3] = after[5] = 60_000
    made = study({"a": {"baseline": base, "grid": outcome("grid", "a", after, [365] * size)}}, {"a": {"tenure": tenure}})
    shown = comparison(made).publishable().groups.to_pylist()
    hidden_columns = [
        [name for name in row["suppressed_columns"] if name in ("gaining", "losing")] for row in shown if row["council"] == "a"
    ]
    assert hidden_columns == [["gaining", "losing"], ["gaining", "losing"]]
    assert all(row["accounts"] == 200 and row["unchanged"] == 0 for row in shown)


def test_an_option_that_touches_few_households_does_not_show_what_it_costs() -> None:
    base = outcome("baseline", "a", [50_000] * 50, [365] * 50)
    other = outcome("grid", "a", [40_000] * 3 + [50_000] * 47, [365] * 50)
    made = study({"a": {"baseline": base, "grid": other}}, {"a": {"tenure": [0, 1] * 25}})
    singles = [Single("grid", "the change", made.outcomes["grid"], made.outcomes["baseline"])]
    shown = comparison(made, alone=singles).publishable()
    (cost,) = [row for row in shown.costs.to_pylist() if row["option"] == "grid" and row["council"] == "a"]
    assert (cost["amount"], cost["change"], cost["change_percent"]) == (None, None, None)
    for table, column in (("bodies", "amount"), ("changes", "alone"), ("checks", "expected")):
        rows = [row for row in shown.tables[table].to_pylist() if row["option"] == "grid" and row.get("unit", "£") == "£"]
        assert rows
        assert all(row[column] is None for row in rows), table
    assert all(row["holds"] for row in shown.checks.to_pylist())


# ---------------------------------------------------------------------------------------------- the solver by itself


def breakdown(*counts: int) -> Relations:
    """One breakdown with its total."""
    made = Relations()
    parts = [made.cell(place, count) for place, count in enumerate(counts)]
    made.total(parts, made.cell("total", sum(counts), 1))
    return made


@pytest.mark.parametrize(
    ("counts", "gone"),
    [
        ((10, 20, 30), set()),
        ((3, 20, 30), {0, 1}),  # the next smallest goes with it
        ((3, 0, 20, 30), {0, 2}),  # none is a count that is shown, and protects nothing
        ((1, 2, 20, 30), {0, 1, 2}),  # two small counts that add up to a small one
        ((3, 4, 20), {0, 1}),  # two that add up to enough
        ((1, 1, 1, 1, 1, 20), {0, 1, 2, 3, 4, 5}),  # five of which each could only be one
        ((3, 0, 0), {0, "total"}),
        ((0, 0), set()),
        ((2, 30), {0, 1}),
    ],
)
def test_a_breakdown(counts: tuple[int, ...], gone: set[Any]) -> None:
    assert hidden(breakdown(*counts)) == gone


@given(st.lists(st.integers(0, 30), min_size=1, max_size=5), st.integers(2, 9))
def test_a_reader_of_a_breakdown_is_left_with_several_possibilities(counts: list[int], threshold: int) -> None:
    made = breakdown(*counts)
    gone = hidden(made, threshold=threshold)
    if not gone or "total" in gone:
        assert all(not 0 < count < threshold for count in counts) or "total" in gone
        return
    there = sum(counts[place] for place in gone)
    assert there >= threshold
    # Every way in which what is not shown could make up what is known of it, none of it being nothing.
    ways = [way for way in product(range(1, there + 1), repeat=len(gone)) if sum(way) == there] if there <= 12 and len(gone) < 4 else []
    for place in range(len(gone)) if ways else ():
        assert {way[place] for way in ways} >= {1, 2} | set(range(1, threshold))


@st.composite
def crossed(draw: st.DrawFn) -> Relations:
    """A table of two or three ways with all its totals."""
    sizes = draw(st.lists(st.integers(2, 4), min_size=2, max_size=3))
    made = Relations()
    inner = {place: draw(st.one_of(st.integers(0, 8), st.integers(0, 100))) for place in product(*(range(size) for size in sizes))}
    totals: dict[tuple[int, ...], int] = {}
    for place, count in inner.items():
        for shown in product(*((at, -1) for at in place)):
            totals[shown] = totals.get(shown, 0) + count
    for place, count in totals.items():
        made.cell(place, count, place.count(-1))
    for place in totals:
        for way, at in enumerate(place):
            if at == -1:
                made.total([(*place[:way], part, *place[way + 1 :]) for part in range(sizes[way])], place)
    return made


@settings(max_examples=150, deadline=None)
@given(made=crossed())
@example(made=breakdown(1, 1, 1, 1))
def test_tables_of_several_ways(made: Relations) -> None:
    gone = hidden(made)
    assert {key for key, cell in made.cells.items() if 0 < cell.accounts < 5} <= gone
    named = [{(str(key),): sign for key, sign in each.items()} for each in made.sums]
    assert not worked_out(named, {(str(key),) for key in gone})
    assert not determined(made, gone)


def test_what_is_worked_out_is_told() -> None:
    made = breakdown(10, 20, 30)
    assert determined(made, [0]) == {0}
    assert determined(made, [0, 1]) == set()


def test_cells_that_are_not_printed_join_tables() -> None:
    """Two breakdowns of the same accounts whose number nobody prints."""
    made = Relations()
    made.cell("all", 40, printed=False)
    made.total([made.cell("a", 3), made.cell("b", 37)], "all")
    made.total([made.cell("c", 15), made.cell("d", 25)], "all")
    assert hidden(made) == {"a", "c"}, "the smallest of either keeps the number of all from coming out, and the small count with it"
    assert determined(made, {"a"}) == {"a", "all"}
    assert made.cells["all"] == Cell(40, 0, False)


def test_the_figures_of_all_councils_do_not_give_those_of_one_away() -> None:
    made = random_study(8, {"a": 12, "b": 900}, 1, calm=0.5)
    reader = Reader(made, comparison(made).publishable())
    assert reader.missing
    assert not reader.works_out(reader.sums())
