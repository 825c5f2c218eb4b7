"""What kernels do to take less time: tables that only move along their list, values chosen by comparisons, columns used again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compiled.programs import ROOT, col, const, fact, node, program, rows, rule, table
from rbcalc_kernels.compiled.columns import Batch
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.compiled.registers import RegisterColumns, not_given
from rbcalc_kernels.language.types import COUNT, YES_NO, Choice
from rbcalc_kernels.program.graph import Bands, Op, Program, Ref

LETTERS = Choice("letter", ("a", "b", "c", "d"))


def moving(gives: str) -> Program:
    """The letter that a table gives for each letter."""
    cells: dict[tuple[str, ...], tuple[Any, Any]] = {(letter,): ((), (given,)) for letter, given in zip("abcd", gives, strict=True)}
    return program(
        [rule("next", node(Op.LOOKUP, col("letter", LETTERS), kind=LETTERS, value="next"))],
        [fact("letter", 0, 0, kind=LETTERS)],
        tables=[table("next", [LETTERS], cells, kind=LETTERS)],
    )


def test_a_table_that_moves_along_its_list_is_no_look_up_and_a_changed_one_is_seen() -> None:
    ref, batch = Ref(ROOT, "next"), Batch({ROOT: rows(letter=np.array([0, 1, 2, 3], dtype=np.int8))})
    same = compile_program(moving("abcd"), [ref], engine="python")
    assert "__cells" not in same.source
    assert same.run(batch).columns[ref].tolist() == [0, 1, 2, 3]
    turned = same.with_parameters(moving("dcba"))
    assert turned.run(batch).columns[ref].tolist() == [3, 2, 1, 0]
    assert "__cells" in turned.source


def test_a_value_chosen_by_comparisons_follows_its_table() -> None:
    def steps(*values: int) -> Program:
        cells: dict[tuple[str, ...], tuple[Any, Any]] = {(): ((0, 2, 5), values)}
        return program(
            [rule("extra", node(Op.LOOKUP, col("years"), value="extra"))],
            [fact("years", 0, 100)],
            tables=[table("extra", [], cells, Bands(COUNT, False))],
        )

    ref, batch = Ref(ROOT, "extra"), Batch({ROOT: rows(years=np.array([0, 1, 2, 4, 5, 100], dtype=np.int8))})
    made = compile_program(steps(0, 1, 3), [ref], engine="python")
    other = made.with_parameters(steps(3, 0, 1))
    assert other.source == made.source
    for each, expected in ((made, [0, 0, 1, 1, 3, 3]), (other, [3, 3, 0, 0, 1, 1])):
        results = each.run(batch)
        assert (results.columns[ref] / results.denominators[ref]).tolist() == expected


def test_columns_of_an_earlier_run_are_used_again_only_where_they_fit() -> None:
    ref = Ref(ROOT, "next")
    made = compile_program(moving("abcd"), [ref], engine="python")
    first = made.run(Batch({ROOT: rows(letter=np.array([0, 1], dtype=np.int8))}))
    again = made.run(Batch({ROOT: rows(letter=np.array([3, 2], dtype=np.int8))}), into=first)
    assert again.columns[ref] is first.columns[ref]
    assert again.columns[ref].tolist() == [3, 2]
    longer = made.run(Batch({ROOT: rows(letter=np.array([1, 1, 1], dtype=np.int8))}), into=first)
    assert longer.columns[ref] is not first.columns[ref]
    assert first.columns[ref].tolist() == [3, 2]


def asking() -> Program:
    """A number that may not be given, one more of it, and 7 where it is not."""
    one, seven = const(1), const(7)
    known = node(Op.KNOWN, kind=YES_NO, value=Ref(ROOT, "extra"))
    return program(
        [rule("more", node(Op.IF, known, node(Op.ADD, col("extra", COUNT), one), seven))],
        [fact("extra", 0, 9, optional=True), fact("sure", 0, 9)],
    )


def test_a_program_for_rows_without_a_fact_does_not_ask_for_it() -> None:
    ref, extra = Ref(ROOT, "more"), Ref(ROOT, "extra")
    numbers = np.array([3, 4], dtype=np.int8)
    nowhere = Batch({ROOT: rows(extra=numbers, sure=numbers, **{"extra?": np.zeros(2, dtype=np.uint8)})})
    somewhere = Batch({ROOT: rows(extra=numbers, sure=numbers, **{"extra?": np.array([0, 1], dtype=np.uint8)})})
    usual = compile_program(asking(), [ref], engine="python")
    fitted = compile_program(asking().without([extra]), [ref], engine="python")
    assert "extra" in usual.source
    assert "extra" not in fitted.source
    assert usual.run(somewhere).columns[ref].tolist() == [7, 5]
    assert usual.run(nowhere).columns[ref].tolist() == fitted.run(nowhere).columns[ref].tolist() == [7, 7]
    with pytest.raises(ValueError, match=r"account\.extra is given"):
        fitted.run(somewhere)
    assert fitted.with_parameters(asking()).run(somewhere).columns[ref].tolist() == [7, 5]


def test_only_what_may_be_missing_can_be_left_out() -> None:
    for ref in (Ref(ROOT, "sure"), Ref(ROOT, "nothing")):
        with pytest.raises(ValueError, match="is no optional fact"):
            asking().without([ref])


def test_what_no_row_gives_is_found() -> None:
    asked = replace(asking(), inputs={ref: replace(given, table="accounts") for ref, given in asking().inputs.items()})
    numbers, extra = np.array([3, 4], dtype=np.int8), Ref(ROOT, "extra")
    for columns, found in (
        ({"sure": numbers}, {extra}),
        ({"sure": numbers, "extra": numbers, "extra?": np.zeros(2, dtype=np.uint8)}, {extra}),
        ({"sure": numbers, "extra": numbers, "extra?": np.array([0, 1], dtype=np.uint8)}, set()),
        ({"sure": numbers, "extra": numbers}, set()),
    ):
        assert not_given(asked, {"accounts": RegisterColumns(2, columns)}) == found
    assert not_given(asked, {}) == {extra}
