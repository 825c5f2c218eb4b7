"""Lowered programs kept on disk: a changed figure uses them, anything else that changed does not, and none is stale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiled.programs import ROOT, Batch, Op, Ref, check_against, col, const, fact, figure, node, program, rounded, rows, rule, table
from rbcalc_kernels.compiled import plans
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.compiled.plans import shape
from rbcalc_kernels.language.types import COUNT, Choice
from rbcalc_kernels.program.graph import Entity, Node, Period, Program, Rule

OUT = Ref(ROOT, "out")
SPELL = "spell"
KINDS = Choice("kinds", ("one", "two"))
BODY = rounded(node(Op.MUL, col("a"), Node(Op.PARAMETER, COUNT, (), "rate")))
PAID = Node(Op.ADD, COUNT, (BODY, Node(Op.LOOKUP, COUNT, (col("kind", KINDS),), "charge")))


@pytest.fixture
def lowered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A cache folder of the test's own; filled with a word for each time that a program is lowered."""
    monkeypatch.setenv("RBCALC_CACHE_DIR", str(tmp_path / "cache"))
    found: list[str] = []
    before = plans._lowered

    def noted(*given: Any) -> Any:
        found.append("lowered")
        return before(*given)

    monkeypatch.setattr(plans, "_lowered", noted)
    return found


def made(rate: str = "1/4", charge: int = 7, rules: Sequence[Rule] = (rule("out", PAID),), high: int = 100, **more: Any) -> Program:
    """A program with one parameter and one table."""
    cells = {(member,): ((), (charge + place,)) for place, member in enumerate(KINDS.members)}
    facts = [fact("a", 0, high), fact("kind", 0, 0, kind=KINDS)]
    return program(rules, facts, [figure("rate", rate)], [table("charge", [KINDS], cells)], **more)


def worked_out(given: Program) -> list[int]:
    """The figures of a fresh compilation, held against the plain reading."""
    batch = Batch({ROOT: rows(a=np.arange(50, dtype=np.int16), kind=np.arange(50, dtype=np.int8) % 2)})
    results = compile_program(given, [OUT], engine="numba").run(batch)
    check_against(given, batch, [OUT], results)
    figures: list[int] = results.columns[OUT].tolist()
    return figures


def test_a_changed_figure_shows_and_is_not_lowered_again(lowered: list[str]) -> None:
    """Parameters and tables are read when the kernel runs; their figures are no part of what is kept."""
    first = worked_out(made())
    assert lowered == ["lowered"]
    for rate, charge in (("1/2", 7), ("1/4", 9), ("2/5", 8)):
        assert worked_out(made(rate, charge)) != first
    assert lowered == ["lowered"]
    assert worked_out(made()) == first


def test_a_figure_beyond_what_was_proved(lowered: list[str]) -> None:
    """A figure with another range has a plan of its own, the one that lowering makes; each is found again."""
    first, second = worked_out(made()), worked_out(made("123456", 7))
    assert first != second
    assert len(lowered) == 2
    assert (worked_out(made()), worked_out(made("123456", 7))) == (first, second)
    assert len(lowered) == 2


CHANGES: dict[str, Program] = {
    "a rule": made(rules=[rule("out", node(Op.ADD, PAID, const(1)))]),
    "the title of a rule": made(rules=[replace(rule("out", PAID), title="Another")]),
    "a further rule": made(rules=[rule("more", const(3)), rule("out", node(Op.ADD, PAID, col("more")))]),
    "a range": made(high=2_000_000),
    "an entity": made(entities=[Entity(ROOT, None), Entity(SPELL, ROOT, ordered=True, spell=True)]),
    "the step of a figure": replace(made(), parameters={"rate": figure("rate", "1/4", step="1/1000")}),
    "the year": replace(made(), last_day=20_909, periods=(Period(20_544, 20_909),)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_else_changed_is_lowered(lowered: list[str], what: str) -> None:
    """A changed rule, range or entity is another program, whose figures are its own."""
    worked_out(made())
    worked_out(CHANGES[what])
    assert len(lowered) == 2


def test_changed_code_is_another_plan(lowered: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of the kernels, or of Python, uses nothing that this one kept."""
    names = {shape(made(), [OUT])}
    monkeypatch.setattr(plans, "code_state", lambda: "another")
    names.add(shape(made(), [OUT]))
    monkeypatch.setattr(plans.sys, "version", "another")
    names.add(shape(made(), [OUT]))
    names.add(shape(made(), [Ref(ROOT, "other")]))
    assert len(names) == 4
    assert shape(made(), [OUT]) == shape(made("1/2", 9), [OUT])


@pytest.mark.parametrize("place", [0, 31, 32, 500, -1, None])
def test_a_damaged_plan_is_made_again(lowered: list[str], tmp_path: Path, place: int | None) -> None:
    """A flipped bit, or a file cut short: nothing of it is opened, and the figures are right."""
    before = worked_out(made())
    (path,) = (tmp_path / "cache" / "kernels").glob("*.plan")
    whole = bytearray(path.read_bytes())
    if place is None:
        path.write_bytes(whole[:100])
    else:
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
    assert worked_out(made()) == before
    assert len(lowered) == 2
    assert path.read_bytes()[:32] != b""
    assert worked_out(made("1/2")) != before
    assert len(lowered) == 2


def test_python_keeps_nothing(lowered: list[str], tmp_path: Path) -> None:
    """The engine for a handful of rows is not worth a file."""
    compile_program(made(), [OUT], engine="python")
    assert not (tmp_path / "cache").exists()
