"""The proof that a program's figures fit the machine exactly, without the source that rests on it."""

from __future__ import annotations

from collections.abc import Sequence

from rbcalc_kernels.compiled.lowering import Lowering
from rbcalc_kernels.compiled.plans import _deep
from rbcalc_kernels.program.graph import Program, Ref


def prove(program: Program, outputs: Sequence[Ref]) -> None:
    """Prove that the outputs, and all that they need, fit number forms for any rows.

    Where an entity's rows stand one to one with the root's, less is summed and no bound is wider.  Raises RulesError.
    """
    with _deep():
        lowering = Lowering(program, outputs)
        if lowering.layout.arrays(program) is None:
            raise ValueError("the program's figures do not fit its own kernels")
