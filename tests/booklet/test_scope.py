"""What is left of a program for a scheme gives what the whole program gives, on every case of the councils."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from rbcalc.letters.letter import LetterCases
from rbcalc.rulebook.rules import Rules
from rbcalc.schemes.booklet import booklet_file
from rbcalc.schemes.booklet_scope import Cut, Step, scopes
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.program.graph import Node, Program, Ref, Rule, Value

CASES = [
    "councils/hartlepool/reduction/2026-27.cases.yaml",
    "councils/stevenage/reduction/2026-27.cases.yaml",
    "councils/north_hertfordshire/reduction/2026-27.cases.yaml",
    "councils/poole/reduction/2015-16.cases.yaml",
    "england/council_tax_reduction/prescribed.cases.yaml",
]
PRESCRIBED = "england/council_tax_reduction"


def _own(program: Program, rules: Rules, path: Path) -> list[Rule]:
    shown = rules.library.shown(path)
    return [rule for rule in program.rules if not rule.hidden and rule.span is not None and rule.span.file == shown]


Readers = dict[tuple[int, str], Any]


@dataclass(frozen=True)
class Left:
    """What is left of a program, and what is settled in it."""

    steps: dict[str, list[Step]]
    settled: dict[Ref, Value]
    never_negative: set[Ref]


def _left(program: Program, rules: Rules, booklet: Path, scheme: str) -> Left:
    steps: dict[str, list[Step]] = {}
    for step in (step for part in scopes(program, _own(program, rules, booklet)) for step in part.steps if step.rule.rounding is None):
        steps.setdefault(step.rule.entity, []).append(step)
    cut = Cut(program, {Ref("assessment", "claim_scheme"): scheme})
    settled = {ref: found[0] for ref in cut.rules if (found := cut.settled(cut.rules[ref].body)) is not None}
    return Left(steps, settled, {ref for ref, rule in cut.rules.items() if cut.never_negative(rule.body)})


def _first(step: Step, evaluator: Evaluator, row: Row, readers: Readers) -> Value | None:
    def read(node: Node) -> Value:
        key = (id(node), row.entity)
        if key not in readers:
            readers[key] = evaluator.reader(node, row.entity)
        found = readers[key](row)
        assert isinstance(found, Value)
        return found

    return next((read(line.give) for line in step.lines if line.when is None or read(line.when)), None)


@pytest.mark.parametrize("path", CASES)
def test_a_step_that_was_cut_down_gives_what_the_rule_gives(path: str, rules: Rules) -> None:
    scheme = "pension_age" if path.startswith(PRESCRIBED) else "working_age"
    booklet = booklet_file(rules, scheme if path.startswith(PRESCRIBED) else None)
    held: dict[str, tuple[Left, Evaluator, Readers]] = {}
    compared = settled = 0
    for example in LetterCases(rules, booklet).read(rules.root / path):
        program = example.program
        if program.digest not in held:
            held[program.digest] = _left(program, rules, booklet, scheme), Evaluator(program, None), Readers()
        left, evaluator, readers = held[program.digest]
        root = build(program, example.records)
        try:
            evaluator.run(root)
        except CalculationFault:
            continue  # a case of a claim that is refused
        rows = list(root.walk())
        if any(row.values["claim_scheme"] != scheme for row in rows if row.entity == "assessment"):
            continue
        for row in rows:
            for step in left.steps.get(row.entity, []):
                assert _first(step, evaluator, row, readers) == row.values[step.rule.name], step.rule.name
                compared += 1
            for name, value in row.values.items():
                ref = Ref(row.entity, name)
                if ref in left.settled:
                    assert value == left.settled[ref], ref
                    settled += 1
                assert ref not in left.never_negative or not isinstance(value, Fraction) or value >= 0, ref
    assert compared > 100
    assert settled > 10
