"""The work `council_tax`: the shipped rules on a sample caseload with people, for one council and year."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import rbcalc
from benchmarks.measuring import Contender, Figures, total
from benchmarks.native import Native
from rbcalc.caseload.model import Caseload
from rbcalc.rulebook.both import records_of
from rbcalc.running.run import Kernel
from rbcalc_kernels.compiled.spells import cut
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.language.types import Choice, Number
from rbcalc_kernels.program.graph import Ref

SAMPLE = 100


def first_council(year: str = "") -> tuple[str, str]:
    """A council that is billed today, and the year: the first member of the first partnership that lives."""
    rules = rbcalc.load()
    living = [rules.partnership(name) for name in rules.partnership_names]
    found = next(each for each in living if each.standing == "live")
    when = year or str(found.default_year)
    return found.councils(when)[0].name, when


@dataclass
class Work:
    """The work at one number of dwellings."""

    technologies = ("rbcalc", "exact", "memory")
    """The rules compiled, from registers to figures; the exact evaluator on the first accounts; and memory."""

    dwellings: int

    @cached_property
    def council(self) -> tuple[str, str]:
        """Whose rules, and of what year."""
        return first_council()

    @cached_property
    def kernel(self) -> Kernel:
        """The rules that bills and totals need, compiled."""
        name, year = self.council
        return Kernel(rbcalc.load().council(name).program(year))

    @cached_property
    def caseload(self) -> Caseload:
        """A sample caseload, imported."""
        name, year = self.council
        with tempfile.TemporaryDirectory(prefix="rbcalc-benchmark-") as folder:
            rbcalc.sample(rbcalc.load(), council=name, year=year, dwellings=self.dwellings, out=folder, force=True)
            return rbcalc.import_caseload(folder, {name: self.kernel.program}, council=name)

    @property
    def statements(self) -> int:
        """The statements that are worked out for an account of one period."""
        variant = self.kernel.compiled.single or self.kernel.compiled.general
        lines = [line for function in variant.uniform.functions for line in function.source.splitlines()]
        return sum(line.startswith("        ") and " = " in line for line in lines)

    def memory(self, native: Native, threads: int) -> Contender:
        """The triad, over as many bytes as the rows and the figures have."""
        batch, _, results = self.kernel.run(self.caseload.columns(), 1)
        moved = sum(total(entity.columns.values()) for entity in batch.entities.values()) + total(results.columns.values())
        return Contender("memory", threads, len(self.caseload.references), native.triad(moved, threads), bytes_moved=moved, note="triad")

    def rbcalc(self, threads: int) -> Contender:
        """Days cut into periods, people found for each, every rule worked out."""
        registers = self.caseload.columns()
        kernel = self.kernel
        accounts = len(self.caseload.references)
        held: list[Any] = []

        def run() -> None:
            held[:] = kernel.run(registers, threads)

        run()
        batch, _, results = held
        moved = sum(total(entity.columns.values()) for entity in batch.entities.values()) + total(results.columns.values())
        cutting, working = [], []
        for _ in range(3):
            begin = time.perf_counter()
            cut(kernel.program, registers, kernel.cuts)
            middle = time.perf_counter()
            kernel.compiled.run(batch, threads, checked=True)
            cutting.append(middle - begin)
            working.append(time.perf_counter() - middle)
        rows = {name: entity.count for name, entity in batch.entities.items()}
        note = (
            f"{', '.join(f'{count:,} {name}s' for name, count in rows.items())}; "
            f"{len(kernel.program.rules)} rules, {self.statements} statements; "
            f"cutting {np.median(cutting) / accounts * 1e9:.0f} ns and rules {np.median(working) / accounts * 1e9:.0f} ns an account, "
            f"{np.median(working) / accounts / self.statements * 1e9:.2f} ns a statement; "
            f"{int(results.doubt.sum())} in doubt, {int((results.fault > 0).sum())} refused"
        )

        def figures() -> Figures:
            batch, rejected, results = held
            found: Figures = {"kept": batch.kept[:SAMPLE].astype(np.int64), "refused": (results.fault[:SAMPLE] > 0).astype(np.int64)}
            assert not rejected.root.size or rejected.root.min() >= 0
            for ref in kernel.bill:
                if ref in results.columns and isinstance(kernel.types[ref], Number | Choice):
                    found[ref.name] = np.where(results.fault[:SAMPLE] > 0, 0, results.columns[ref][:SAMPLE].astype(np.int64))
            return found

        return Contender("rbcalc", threads, accounts, run, figures, bytes_moved=moved, note=note)

    def exact(self) -> Contender:
        """The exact evaluator, on the first accounts."""
        kernel, registers = self.kernel, self.caseload.columns()
        batch, _, results = kernel.run(registers, 1)
        rows = min(SAMPLE, len(batch.kept))
        refs = [ref for ref in kernel.bill if ref in results.columns and isinstance(kernel.types[ref], Number | Choice)]
        records = [records_of(kernel.program, registers, int(place)) for place in batch.kept[:rows]]
        evaluator, builder = Evaluator(kernel.program, kernel.compiled.outputs), Builder(kernel.program)
        found: Figures = {"kept": batch.kept[:rows].astype(np.int64), "refused": np.zeros(rows, dtype=np.int64)}
        found |= {ref.name: np.zeros(rows, dtype=np.int64) for ref in refs}

        def code(ref: Ref, value: Any) -> int:
            kind = kernel.types[ref]
            return kind.code(str(value)) if isinstance(kind, Choice) else int(value * results.denominators[ref])

        def run() -> None:
            for row in range(rows):
                try:
                    values = evaluator.run(builder.build(records[row]))
                except CalculationFault:
                    found["refused"][row] = 1
                    continue
                for ref in refs:
                    found[ref.name][row] = code(ref, values[ref][0])

        return Contender("exact", 1, rows, run, lambda: found, every=3)
