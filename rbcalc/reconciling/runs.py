"""Accounts worked out again under a supposition: with other figures in the rules, or with other facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rbcalc._years import iso
from rbcalc.errors import UsageError
from rbcalc.explaining.explain import account_row
from rbcalc.rulebook.both import records_of
from rbcalc.running.run import REASONS, Kernel
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.spells import build
from rbcalc_kernels.language.types import Choice
from rbcalc_kernels.program.graph import Program, Reconciled, Ref

if TYPE_CHECKING:
    from rbcalc_kernels.compiled.registers import RegisterColumns

Pence = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
MOST_EXACT: Final = 300
"""So many accounts that a kernel leaves in doubt are worked out exactly under a supposition; others stay unknown."""


@dataclass(slots=True)
class Worked:
    """The figures of each root row in pence, one column for each figure compared, and whether they are known."""

    pence: Pence
    known: Mask
    reasons: dict[int, str] = field(default_factory=dict)  # of root rows without figures

    def equals(self, live: Pence) -> Mask:
        """The root rows whose figures are all known and all as given."""
        found: Mask = self.known & (self.pence == live).all(axis=1)
        return found


@dataclass(slots=True)
class Runner:
    """One council's kernel, for the figures that are compared."""

    kernel: Kernel
    figures: tuple[Reconciled, ...]
    threads: int = 2
    refs: tuple[Ref, ...] = field(init=False)

    def __post_init__(self) -> None:
        """The rules whose values are wanted."""
        self.refs = tuple(each.figure for each in self.figures)

    @property
    def program(self) -> Program:
        """The council's rules as they are."""
        return self.kernel.program

    def worked(self, registers: Mapping[str, RegisterColumns], program: Program | None = None) -> Worked:
        """The figures of each root row, by the rules as they are or with other figures in them.

        By the rules as they are every account that the kernel leaves in doubt is settled, and the others have a reason.
        """
        from rbcalc_kernels.compiled.spells import cut

        count = registers[self._root].count
        made = Worked(np.zeros((count, len(self.refs)), np.int64), np.zeros(count, bool))
        if not count:
            return made
        used = program or self.program
        compiled, cuts = self.kernel.compiled, self.kernel.cuts
        if program is not None:
            compiled, cuts = compiled.with_parameters(program), cuts.with_parameters(program)
        batch, rejected = cut(used, registers, cuts)
        results = compiled.run(batch, self.threads, checked=True)
        certain = (results.fault == 0) & (results.doubt == 0)
        gathered_in = batch.entities[used.root].parent
        if gathered_in is not None:
            certain = certain[gathered_in]
        rows = batch.kept[certain]
        for place, ref in enumerate(self.refs):
            made.pence[rows, place] = self._pence(ref, results.columns[ref][certain], results.denominators.get(ref, 1))
        made.known[rows] = True
        for root in batch.kept[~certain][: None if program is None else MOST_EXACT]:
            self._exact(used, registers, int(root), made, int(root))
        if program is None:
            for root, reason, register, day in zip(rejected.root, rejected.reasons, rejected.register, rejected.day, strict=True):
                made.reasons[int(root)] = f"{REASONS[str(reason)][0]}: {register}, {iso(int(day))}"
        return made

    def _exact(self, program: Program, registers: Mapping[str, RegisterColumns], root: int, made: Worked, at: int) -> None:
        try:
            top = build(program, records_of(program, registers, root))
            Evaluator(program, self.refs).run(top, None)
        except CalculationFault as fault:
            made.reasons[at] = f"{REASONS[str(fault.reason)][0]}: {fault.message}"
            return
        row = account_row(program, top, str(root))
        made.pence[at] = [int(Fraction(row.values[ref.name] or 0) * 100) for ref in self.refs]
        made.known[at] = True

    def exactly(self, registers: Mapping[str, RegisterColumns], roots: Sequence[int], program: Program) -> Worked:
        """The figures of a handful of root rows by rules that no kernel was made for, in the order given."""
        made = Worked(np.zeros((len(roots), len(self.refs)), np.int64), np.zeros(len(roots), bool))
        for place, root in enumerate(roots):
            self._exact(program, registers, root, made, place)
        return made

    def otherwise(self, registers: Mapping[str, RegisterColumns], program: Program) -> Worked:
        """The figures of a few root rows by rules that no kernel was made for: the generated source without machine code."""
        from rbcalc_kernels.compiled.evaluator import compile_program

        kernel = copy(self.kernel)
        kernel.program, kernel.compiled = program, compile_program(program, self.refs, engine="python")
        return replace(self, kernel=kernel, threads=1).worked(registers, program)

    @property
    def _root(self) -> str:
        return next(register.name for register in self.program.registers.values() if register.entity == self.kernel.root)

    @staticmethod
    def _pence(ref: Ref, values: Any, denominator: int) -> Pence:
        scaled = values.astype(np.int64) * 100
        if denominator not in (1, 100) and (scaled % denominator).any():
            raise UsageError("RC053", f"{ref} is not in whole pence", hint="name a rule of the whole year that is rounded to the penny")
        found: Pence = scaled // denominator
        return found

    def groups(self, registers: Mapping[str, RegisterColumns]) -> dict[Ref, Mask]:
        """For each list that the reports go by: which root rows have a row with which of its members."""
        count = registers[self._root].count
        refs = tuple(dict.fromkeys(ref for report in self.program.reports for ref in report.by))
        found: dict[Ref, Mask] = {}
        if not count:
            return found
        batch, _, results = self.kernel.run(registers, self.threads)
        for ref in refs:
            type_ = self.kernel.types[ref]
            assert isinstance(type_, Choice)
            codes = results.columns[ref] if ref in results.columns else batch.entities[ref.entity].columns[ref.name]
            there = np.zeros((count, len(type_.members)), bool)
            there[batch.kept[self._roots(batch, ref.entity)], codes] = True
            found[ref] = there
        return found

    def _roots(self, batch: Any, entity: str) -> Any:
        places: Any = np.arange(batch.entities[entity].count)
        while entity != self.kernel.root:
            places = batch.entities[entity].parent[places]
            entity = str(self.program.entities[entity].parent)
        return places
