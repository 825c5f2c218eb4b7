"""The work `rates`: accounts of business rates under the rules of the last year of the list of 2023."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

import rbcalc
from benchmarks.measuring import Contender, Figures, parts, total
from benchmarks.native import Native, address
from benchmarks.rates_numpy import Blocked
from benchmarks.rates_tables import tables
from rbcalc.caseload.model import Caseload
from rbcalc.rulebook.both import records_of
from rbcalc_kernels.compiled.columns import Batch, Column
from rbcalc_kernels.compiled.cutting import CutDates
from rbcalc_kernels.compiled.evaluator import Compiled, Results, compile_program
from rbcalc_kernels.compiled.spells import cut
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.operations import after_months
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.program.graph import Program, Ref

YEAR = "2025-26"
SAMPLE = 200
NAMED: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "work" / "rates" / "columns.yaml").read_text(encoding="utf-8"))
OWN: tuple[str, ...] = tuple(NAMED["own"])
LINES: tuple[str, ...] = tuple(NAMED["lines"])
GIVEN: dict[str, str] = {}
"""The columns of a period that the tables have, by what they are called here, in the order of the function in C."""
for each in NAMED["given"]:
    GIVEN |= each if isinstance(each, dict) else {each: each}
EARLIEST, LATEST = 3652, 47_846
"""The days between which a date may lie."""


def first_council() -> str:
    """A council whose rules of business rates the year has."""
    rules = rbcalc.load(subject="business_rates")
    for name in rules.council_names:
        try:
            rules.council(name).program(YEAR)
        except rbcalc.RulesError:
            continue
        return name
    raise LookupError(f"no council has rules of business rates in {YEAR}")


@dataclass
class Work:
    """The work at one number of accounts."""

    technologies = ("rbcalc", "c", "numpy", "exact", "memory")

    accounts: int

    @cached_property
    def council(self) -> str:
        """Whose rules."""
        return first_council()

    @cached_property
    def program(self) -> Program:
        """The rules, linked."""
        return rbcalc.load(subject="business_rates").council(self.council).program(YEAR)

    @cached_property
    def outputs(self) -> list[Ref]:
        """The lines of a bill, but those that nobody has in the tables."""
        named = {ref.name: ref for ref in self.program.outputs if ref.entity == "account"}
        return [named[name] for name in LINES]

    @cached_property
    def caseload(self) -> Caseload:
        """The tables, imported."""
        return rbcalc.import_caseload(
            tables(self.accounts, self.council, NAMED["freed"]), {self.council: self.program}, council=self.council
        )

    @cached_property
    def batch(self) -> Batch:
        """The accounts, cut into periods."""
        batch, rejected = cut(self.program, self.caseload.columns(), CutDates(self.program))
        assert not rejected.root.size
        return batch

    @cached_property
    def compiled(self) -> Compiled:
        """The rules as machine code."""
        return compile_program(self.program, self.outputs)

    @property
    def periods(self) -> dict[str, Column]:
        """The columns of the periods."""
        return self.batch.entities["period"].columns

    @cached_property
    def starts(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Where the accounts of each ratepayer begin, and the periods of each account."""
        whose, periods = self.batch.entities["account"].offsets, self.batch.entities["period"].offsets
        assert whose is not None and periods is not None
        return whose, periods

    @cached_property
    def figures(self) -> npt.NDArray[np.float64]:
        """What officers and the law set, as the function in C takes it: pounds, thousandths, per cent, ten-thousandths of a penny."""
        of, days = self.program, self.program.last_day - self.program.first_day + 1

        def value(name: str, whole: int = 1) -> float:
            found: Any = of.parameters[name].by_period[0]
            return float(Fraction(found) * whole)

        def rows(name: str) -> dict[tuple[str, ...], Any]:
            return {keys: cell[1][0] for keys, cell in of.tables[name].by_period[0].rows.items()}

        resets: Any = of.parameters["reset_occupation"].history
        history = of.parameters["small_multiplier"].history
        small: list[Any] = [each.value for each in history if -800 < each.first_day - of.first_day <= 0]
        caps, limits, relieved = rows("cap_of_2023"), rows("rural_limit"), rows("has_retail_relief")
        kinds, uses = of.lists["rural_kind"].members, of.lists["rating_use"].members
        return np.array([
            *(value(name, whole) for name, whole in NAMED["figures"].items()),
            100 * value("step_of_2023") * value("year_of_2023_scheme"), value("retail_share", 100),
            value("retail_cash_cap", 1_000_000), days, of.first_day, value("grace_begins"), value("longer_grace_from"),
            *(float(each.value) for each in resets),
            resets[-1].first_day,
            value("inflation_2023", 1000), *(float(later / earlier * 1000) for earlier, later in pairwise(small)),
            *(float(caps[size, year] * 100) for size in ("small", "medium", "large") for year in ("year_1", "year_2", "year_3")),
            *(-1 if kind in ("not_rural", "other_of_benefit") else float(limits[kind,]) for kind in kinds),
            *(value("retail_share", 100) * bool(relieved[use,]) for use in uses),
        ])  # fmt: skip

    @cached_property
    def ends_of_empty(self) -> npt.NDArray[np.int32]:
        """By the first day, the first day after the months that are not charged; after those of industry; after those of grace."""
        names = ("empty_months", "empty_months_industrial", "grace_months", "longer_grace_months")
        months: list[Any] = [self.program.parameters[name].by_period[0] for name in names]
        return np.array([after_months(day, Fraction(own)) for own in months for day in range(EARLIEST, LATEST + 1)], np.int32)

    @cached_property
    def own(self) -> list[npt.NDArray[Any]]:
        """The columns of the accounts, each of the type that the function in C takes."""
        columns = self.batch.entities["account"].columns
        kinds = ("int64", "uint8", "int64", "uint8", "float64", "uint8")
        return [np.ascontiguousarray(columns[name], kind) for name, kind in zip(OWN, kinds, strict=True)]

    @property
    def bytes_moved(self) -> int:
        """What a pass by hand reads and writes, counted once."""
        return total(self.periods[name] for name in GIVEN.values()) + total(self.own) + total(self.starts) + 8 * len(LINES) * self.accounts

    def rbcalc(self, threads: int) -> Contender:
        """The compiled rules; cutting is not counted."""
        held: list[Results] = []

        def run() -> None:
            held[:] = [self.compiled.run(self.batch, threads, checked=True, into=held[0] if held else None)]

        def figures() -> Figures:
            results = held[0]
            assert not results.fault.any() and not results.doubt.any()
            assert all(results.denominators[ref] == 100 for ref in self.outputs)
            return {ref.name: results.columns[ref].astype(np.int64) for ref in self.outputs}

        rows = ", ".join(f"{entity.count:,} {name}s" for name, entity in self.batch.entities.items())
        return Contender("rbcalc", threads, self.accounts, run, figures, bytes_moved=self.bytes_moved, note=rows)

    def c(self, native: Native, threads: int) -> Contender:
        """C by hand."""
        out = np.zeros((len(LINES), self.accounts), dtype=np.int64)
        parents = self.batch.entities["period"].parent
        assert parents is not None
        held = {"f": np.int64}
        arrays = [np.ascontiguousarray(column, held.get(column.dtype.kind)) for column in (self.periods[name] for name in GIVEN.values())]
        arrays.append(parents)
        places = (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
        into = (ctypes.c_void_p * len(LINES))(*(row.ctypes.data for row in out))
        columns = (ctypes.c_void_p * len(OWN))(*(array.ctypes.data for array in self.own))
        missing = np.zeros(self.accounts, dtype=np.uint8)
        whose, starts = self.starts
        figures, ends = address(self.figures), address(self.ends_of_empty)
        arguments = (places, columns, figures, ends, address(whose), address(starts), into, address(missing))
        ratepayers = whose.size - 1
        flags, function = native.fastest(ratepayers, arguments, "work_out_rates")

        def run() -> None:
            assert arrays and not missing[0]
            native.on_threads(function, ratepayers, threads, arguments)

        return Contender("c", threads, self.accounts, run, lambda: _figures(out), bytes_moved=self.bytes_moved, note=flags)

    def numpy(self, threads: int) -> Contender:
        """NumPy in blocks of ratepayers."""
        out = np.zeros((len(LINES), self.accounts), dtype=np.int64)
        whose, starts = self.starts
        own = Blocked(self.figures, self.ends_of_empty, {own: self.periods[name] for own, name in GIVEN.items()}, self.own, whose, starts)
        pool = ThreadPoolExecutor(threads)

        def run() -> None:
            for each in [pool.submit(own.run, *part, out) for part in parts(whose.size - 1, threads)]:
                each.result()

        return Contender("numpy", threads, self.accounts, run, lambda: _figures(out), close=pool.shutdown, bytes_moved=self.bytes_moved)

    def exact(self) -> Contender:
        """The exact evaluator, on the ratepayers of the first accounts."""
        registers, (whose, _) = self.caseload.columns(), self.starts
        few = int(np.searchsorted(whose, min(SAMPLE, self.accounts)))
        rows = int(whose[few])
        records = [records_of(self.program, registers, int(first)) for first in whose[:few]]
        evaluator, builder = Evaluator(self.program, self.outputs), Builder(self.program)
        found: Figures = {ref.name: np.zeros(rows, dtype=np.int64) for ref in self.outputs}

        def run() -> None:
            for place, each in enumerate(records):
                values = evaluator.run(builder.build(each))
                for ref in self.outputs:
                    found[ref.name][whose[place] : whose[place + 1]] = [int(value * 100) for value in values[ref]]

        return Contender("exact", 1, rows, run, lambda: found, every=3)

    def memory(self, native: Native, threads: int) -> Contender:
        """The triad, over as many bytes as the work moves."""
        return Contender(
            "memory", threads, self.accounts, native.triad(self.bytes_moved, threads), bytes_moved=self.bytes_moved, note="triad"
        )


def _figures(out: npt.NDArray[np.int64]) -> Figures:
    return {name: out[place].copy() for place, name in enumerate(LINES)}
