"""The work `bill`: one small set of rules, and the same work in every technology."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.by_hand import RESULTS, Constants, duckdb_session, polars_query
from benchmarks.measuring import Contender, Figures, parts, total
from benchmarks.native import Native, address
from benchmarks.numpy_by_hand import Blocked, Doubles, Narrow
from rbcalc_kernels.compiled.columns import Batch, EntityColumns
from rbcalc_kernels.compiled.evaluator import Compiled, Results, compile_program
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.language.types import YES_NO, Choice, Number
from rbcalc_kernels.program.graph import Program
from rbcalc_kernels.program.library import Library
from rbcalc_kernels.program.linking import link

NAME = "bill"
FOLDER = Path(__file__).with_name("work") / NAME
FIRST_DAY, LAST_DAY = 20_544, 20_908  # 1 April 2026 to 31 March 2027
SEED = 2026
SAMPLE = 500
"""Accounts that the exact evaluator works out: it takes some tenths of a millisecond for each."""
BUILT_IN = ("first_day", "last_day", "days")


@cache
def program() -> Program:
    """The rules, linked."""
    return link(Library(FOLDER), sorted(FOLDER.glob("*.yaml")), FIRST_DAY, LAST_DAY, name=NAME).program


def facts() -> tuple[str, ...]:
    """The columns of a period, in the order of the rules, and its days."""
    return (*(ref.name for ref in program().inputs if ref.entity == "period" and ref.name not in BUILT_IN), "days")


def constants(of: Program) -> Constants:
    """What is set by officers, as whole numbers."""

    def hundredths(name: str) -> int:
        return int(of.parameters[name].by_period[0] * 100)  # type: ignore[operator]

    def pence(name: str) -> npt.NDArray[np.int32]:
        table = of.tables[name]
        rows = table.by_period[0].rows
        cells = [int(rows[keys][1][0] * 100) for keys in product(*(axis.members for axis in table.axes))]  # type: ignore[operator]
        return np.array(cells, dtype=np.int32).reshape([len(axis.members) for axis in table.axes])

    names = (
        "capital_ignored", "capital_step", "income_for_step", "capital_limit",
        "for_single", "for_couple", "for_child", "for_severe_disability", "for_carer", "taper",
    )  # fmt: skip
    return Constants(
        pence("amount"), pence("deduction"), 100 - hundredths("one_adult_off"), 100 - hundredths("no_adult_off"),
        LAST_DAY - FIRST_DAY + 1, *(hundredths(name) for name in names),
    )  # fmt: skip


def columns(rows: int) -> dict[str, npt.NDArray[Any]]:
    """A caseload: the same for the same number of rows."""
    random = np.random.default_rng([SEED, rows])

    def some(share: float) -> npt.NDArray[np.uint8]:
        return (random.random(rows, dtype=np.float32) < share).astype(np.uint8)

    def drawn(*weights: float) -> npt.NDArray[np.int8]:
        edges = np.cumsum(weights)[:-1] / sum(weights)
        return np.searchsorted(edges, random.random(rows, dtype=np.float32), side="right").astype(np.int8)

    def pence(share: float, middle: float, most: int) -> npt.NDArray[np.int32]:
        amounts = np.minimum(random.gamma(2.0, middle / 2.0, rows), most)
        return np.where(some(share) != 0, amounts, 0).astype(np.int32)

    adults = drawn(2, 35, 50, 10, 3)
    found: dict[str, npt.NDArray[Any]] = {
        "area": random.integers(0, 64, rows, dtype=np.int8),
        facts()[1]: drawn(36, 23, 19, 11, 6, 3, 1.5, 0.5),
        "adapted": some(0.02),
        "adults": adults,
        "not_counting": np.minimum(drawn(90, 7, 3), adults),
        "income": pence(0.97, 33_000, 2_000_000),
        "capital": pence(0.7, 900_000, 200_000_000),
        "couple": some(0.8) * (adults > 1),
        "children": drawn(75, 11, 9, 4, 1),
        "severe_disability": drawn(88, 10, 2),
        "carers": drawn(90, 8, 2),
        "first_other": drawn(70, 6, 6, 6, 6, 6) * (adults > 1),
        "second_other": drawn(60, 8, 8, 8, 8, 8) * (adults > 2),
        "passported": some(0.3),
        "days": np.where(some(0.75) != 0, 365, random.integers(1, 365, rows)).astype(np.int16),
    }
    assert tuple(found) == facts()
    return found


def batch(found: dict[str, npt.NDArray[Any]]) -> Batch:
    """The caseload as the kernels take it: one period for each account."""
    rows = len(found["days"])
    first = np.arange(rows + 1, dtype=np.int64)
    return Batch({"account": EntityColumns(rows), "period": EntityColumns(rows, dict(found), first[:-1].astype(np.int32), first)})


def scenario(of: Program) -> Program:
    """The same rules with one figure changed, to see that nothing else has to be made again."""
    from dataclasses import replace

    parameters = dict(of.parameters)
    parameters["taper"] = replace(parameters["taper"], by_period=(Fraction(25, 100),))
    return replace(of, parameters=parameters)


@dataclass
class Bill:
    """The work at one number of rows."""

    technologies = ("rbcalc", "c", "numpy", "numpy_narrow", "polars", "duckdb", "exact", "memory")

    rows: int

    @cached_property
    def program(self) -> Program:
        """The rules."""
        return program()

    @cached_property
    def constants(self) -> Constants:
        """Their figures."""
        return constants(self.program)

    @cached_property
    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The caseload."""
        return columns(self.rows)

    @cached_property
    def compiled(self) -> Compiled:
        """The rules as kernels."""
        return compile_program(self.program, self.program.outputs)

    @property
    def bytes_moved(self) -> int:
        """What a pass reads and writes, counted once."""
        return total(self.columns.values()) + 4 * len(RESULTS) * self.rows

    def rbcalc(self, threads: int) -> Contender:
        """The compiled rules."""
        given = batch(self.columns)
        held: list[Results] = []

        def run() -> None:
            held[:] = [self.compiled.run(given, threads, checked=True, narrow=True, into=held[0] if held else None)]

        def figures() -> Figures:
            results = held[0]
            assert not results.fault.any() and not results.doubt.any()
            assert all(results.denominators[ref] == 100 for ref in results.columns)
            return {ref.name: column.astype(np.int64) for ref, column in results.columns.items()}

        return Contender("rbcalc", threads, self.rows, run, figures, bytes_moved=self.bytes_moved)

    def c(self, native: Native, threads: int) -> Contender:
        """C by hand."""
        out = np.zeros((len(RESULTS), self.rows), dtype=np.int32)
        arrays = [*(self.columns[name] for name in facts()), *out]
        places = (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
        constants = self.constants
        tables = (constants.amounts, constants.deductions, constants.figures)
        arguments = (places, *(address(table) for table in tables))
        flags, function = native.fastest(self.rows, arguments)
        keep = (arrays, tables)

        def run() -> None:
            assert keep
            native.on_threads(function, self.rows, threads, arguments)

        return Contender("c", threads, self.rows, run, lambda: _figures(out), bytes_moved=self.bytes_moved, note=flags)

    def numpy(self, threads: int) -> Contender:
        """NumPy in blocks, whole numbers in doubles."""
        return self._numpy("numpy", Doubles, threads)

    def numpy_narrow(self, threads: int) -> Contender:
        """NumPy in blocks, the quickest that was found."""
        return self._numpy("numpy_narrow", Narrow, threads)

    def _numpy(self, name: str, kind: type[Blocked], threads: int) -> Contender:
        out = np.zeros((len(RESULTS), self.rows), dtype=np.int32)
        own, given = [kind(self.constants) for _ in range(threads)], SimpleNamespace(**self.columns)
        pool = ThreadPoolExecutor(threads)

        def run() -> None:
            if threads == 1:
                own[0].run(given, 0, self.rows, out)
            else:
                shares = zip(own, parts(self.rows, threads), strict=True)
                for each in [pool.submit(blocked.run, given, *part, out) for blocked, part in shares]:
                    each.result()

        return Contender(name, threads, self.rows, run, lambda: _figures(out), close=pool.shutdown, bytes_moved=self.bytes_moved)

    def polars(self, threads: int) -> Contender:
        """polars, in a process of its own, since its threads are counted when it is imported."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        before = os.environ.get("POLARS_MAX_THREADS")
        os.environ["POLARS_MAX_THREADS"] = str(threads)
        try:
            process = context.Process(target=polars_worker, args=(theirs, self.rows), daemon=True)
            process.start()
        finally:
            os.environ.pop("POLARS_MAX_THREADS")
            if before is not None:
                os.environ["POLARS_MAX_THREADS"] = before
        note = ours.recv()

        def ask(word: str) -> Any:
            ours.send(word)
            return ours.recv()

        def close() -> None:
            ours.send("end")
            process.join()
            process.close()

        return Contender("polars", threads, self.rows, None, lambda: ask("figures"), lambda: ask("run"), close, self.bytes_moved, note=note)

    def duckdb(self, threads: int) -> Contender:
        """DuckDB over a table of its own."""
        connection, query = duckdb_session(self.columns, self.constants, threads)
        held: list[Any] = []

        def run() -> None:
            held[:] = [connection.sql(query).to_arrow_table()]

        def figures() -> Figures:
            # Several threads give rows in any order: the timed result is compared in total, and rows are asked for again in order.
            ordered = connection.sql(
                query.replace("SELECT charge, reduction,", "SELECT row_place, charge, reduction,") + " ORDER BY row_place"
            ).to_arrow_table()
            found = {name: ordered[name].to_numpy().astype(np.int64) for name in RESULTS}
            totals = {name: int(held[0][name].to_numpy().astype(np.int64).sum()) for name in RESULTS}
            assert totals == {name: int(column.sum()) for name, column in found.items()}
            return found

        return Contender("duckdb", threads, self.rows, run, figures, close=connection.close, bytes_moved=self.bytes_moved)

    def exact(self) -> Contender:
        """The exact evaluator, on the first accounts."""
        rows = min(SAMPLE, self.rows)
        evaluator, builder = Evaluator(self.program, self.program.outputs), Builder(self.program)
        records = [self._records(row) for row in range(rows)]
        found = np.zeros((len(RESULTS), rows), dtype=np.int64)

        def run() -> None:
            for row in range(rows):
                root = builder.build(records[row])
                values = evaluator.run(root)
                for place, ref in enumerate(self.program.outputs):
                    found[place, row] = int(values[ref][0] * 100)  # type: ignore[operator]

        return Contender("exact", 1, rows, run, lambda: _figures(found), every=3)

    def _records(self, row: int) -> dict[str, Any]:
        records: dict[str, dict[str, Any]] = {
            "accounts": {"account": "A", "dwelling": "D"},
            "dwellings": {"dwelling": "D", "from": 0, "to": None},
        }
        for ref, fact in self.program.inputs.items():
            if ref.name not in self.columns or ref.name == "days":
                continue
            code = int(self.columns[ref.name][row])
            value: Any = (
                Fraction(code, fact.step.denominator) if isinstance(fact.type, Number) else bool(code) if fact.type == YES_NO else code
            )
            records[fact.table][fact.column or fact.name] = fact.type.members[code] if isinstance(fact.type, Choice) else value
        records["accounts"] |= {"from": FIRST_DAY, "to": FIRST_DAY + int(self.columns["days"][row]) - 1}
        return {name: [record] for name, record in records.items()}

    def memory(self, native: Native, threads: int) -> Contender:
        """The triad, over as many bytes as the work moves."""
        return Contender("memory", threads, self.rows, native.triad(self.bytes_moved, threads), bytes_moved=self.bytes_moved, note="triad")


def _figures(out: npt.NDArray[Any]) -> Figures:
    return {name: out[place].astype(np.int64) for place, name in enumerate(RESULTS)}


def polars_worker(connection: Any, rows: int) -> None:
    """Times the query when told to; the quicker of polars' two engines."""
    work = Bill(rows)
    query = polars_query(work.columns, work.constants)
    best: dict[str, float] = {}
    for engine in ("in-memory", "streaming"):
        query.collect(engine=engine)
        begin = time.perf_counter()
        query.collect(engine=engine)
        best[engine] = time.perf_counter() - begin
    engine: Any = min(best, key=lambda each: best[each])
    connection.send(engine)
    frame: Any = None
    while (word := connection.recv()) != "end":
        if word == "run":
            begin = time.perf_counter()
            frame = query.collect(engine=engine)
            connection.send(time.perf_counter() - begin)
        else:
            connection.send({name: frame[name].to_numpy().astype(np.int64) for name in RESULTS})
