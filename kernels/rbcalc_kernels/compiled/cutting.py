"""The dates at which spells are divided, worked out in bulk: a small program of its own, made from the cuts of another."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.columns import Batch
from rbcalc_kernels.compiled.evaluator import Compiled, compile_program
from rbcalc_kernels.language.types import DATE, YES_NO
from rbcalc_kernels.program.graph import Node, Op, Program, Ref, Rule

NEVER: Final = 2**31 - 1
_YES: Final = Node(Op.CONST, YES_NO, (), True)


class CutDates:
    """Gives `spells.cut` the dates of a program's cuts."""

    def __init__(self, program: Program, *, engine: str | None = None) -> None:
        """Compile the cuts of `program`, if it has any; `engine` as for `compile_program`."""
        self.refs = tuple(Ref(entity, f"cut_{place}") for place, (entity, _) in enumerate(program.cuts))
        rules = []
        for ref, (entity, day) in zip(self.refs, program.cuts, strict=True):
            sure = certain(day, program)
            body = day if sure == _YES else Node(Op.IF, DATE, (sure, day, Node(Op.CONST, DATE, (), NEVER)), None, day.span)
            rules.append(Rule(ref.name, entity, DATE, body, f"a day on which {entity} rows are divided", span=day.span))
        self.program = replace(program, rules=tuple(rules), cuts=())
        self.compiled: Compiled | None = compile_program(self.program, self.refs, engine=engine) if self.refs else None

    def __call__(self, batch: Batch) -> Mapping[int, npt.NDArray[np.int32]]:
        """The dates, by the place of the cut, for each row of its entity."""
        if self.compiled is None:
            return {}
        results = self.compiled.run(batch)
        return {place: results.columns[ref].astype(np.int32, copy=False) for place, ref in enumerate(self.refs)}

    def with_parameters(self, program: Program) -> CutDates:
        """The same for a program that differs in figures only."""
        other = copy(self)
        other.program = replace(program, rules=self.program.rules, cuts=())
        other.compiled = self.compiled.with_parameters(other.program) if self.compiled is not None else None
        return other


def certain(node: Node, program: Program) -> Node:
    """The condition under which `node` reads no optional fact that was not given."""
    if node.op is Op.COLUMN:
        assert isinstance(node.value, Ref)
        declared = program.inputs.get(node.value)
        return Node(Op.KNOWN, YES_NO, (), node.value, node.span) if declared is not None and declared.optional else _YES
    if node.op is Op.IF:
        test, then, otherwise = node.args
        chosen = _choice(test, certain(then, program), certain(otherwise, program))
        return _both(certain(test, program), chosen)
    if node.op in (Op.AND, Op.OR):
        left, right = node.args
        later = certain(right, program)
        needed = _choice(left, later, _YES) if node.op is Op.AND else _choice(left, _YES, later)
        return _both(certain(left, program), needed)
    joined = _YES
    for arg in node.args:
        joined = _both(joined, certain(arg, program))
    return joined


def _choice(test: Node, then: Node, otherwise: Node) -> Node:
    return then if then == otherwise else Node(Op.IF, YES_NO, (test, then, otherwise), None, test.span)


def _both(one: Node, other: Node) -> Node:
    if one == _YES:
        return other
    return one if other in (_YES, one) else Node(Op.AND, YES_NO, (one, other), None, one.span)
