"""The works `reduction`, `reduction_grid`, `housing_benefit`: claims with their people, for Council Tax and for the rent.

`both` is the last two of one kind: the same people, first for Council Tax and then for the rent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

import rbcalc
from benchmarks.council_tax import first_council
from benchmarks.measuring import Contender, Figures, total
from benchmarks.numpy_graph import BLOCK, Arrays
from rbcalc.errors import UsageError
from rbcalc.rulebook.both import records_of
from rbcalc_kernels.compiled.columns import Batch
from rbcalc_kernels.compiled.cutting import CutDates
from rbcalc_kernels.compiled.evaluator import Compiled, Results, compile_program
from rbcalc_kernels.compiled.registers import RegisterColumns, not_given
from rbcalc_kernels.compiled.spells import cut
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.language.types import DATE, Choice, Number
from rbcalc_kernels.program.graph import Input, Program, Ref

SAMPLE = 100
SEED = 1
GRID = "grid_support"
"""The table that only schemes with bands of income have."""

WANTED = ("council_tax_reduction", "charge_total", "bill", "housing_benefit")
BEGAN, NEVER = 15_000, 2**31 - 1


@dataclass
class Work:
    """The work at one number of claims."""

    technologies = ("rbcalc", "rbcalc_fitted", "numpy_graph", "exact")
    """The compiled rules, the same compiled for the facts that these claims have, the generated statements over NumPy's arrays, and
    the exact evaluator on the first claims."""

    claims: int
    grid: bool = False
    rent: bool = False
    people: Work | None = None
    """Whose people these are; without it they are drawn."""

    year: str = ""
    """The year, where it is not that of today."""

    @cached_property
    def program(self) -> Program:
        """The rules of the first council billed today, or of the first that has bands of income."""
        rules = rbcalc.load()
        name, year = billed_council(self.year)
        if not self.grid:
            return rules.council(name).of("housing_benefit" if self.rent else "").program(year)
        for each in rules.council_names:
            try:
                program = rules.council(each).program(year)
            except (rbcalc.RulesError, UsageError):
                continue
            if GRID in program.tables:
                return program
        raise LookupError(f"no council has {GRID} in {year}")

    @cached_property
    def outputs(self) -> list[Ref]:
        """The bill, the reduction, and what is said of each award."""
        return [ref for ref in self.program.outputs if ref.name in WANTED or ref.entity == "award"]

    @cached_property
    def registers(self) -> dict[str, RegisterColumns]:
        """Couples of whom each has an income, one household in five with another adult."""
        made = Made(self.program, self.claims, self.rent).registers()
        if self.people is not None:
            same_people(self.program, made, self.people.program, self.people.registers)
        return made

    @cached_property
    def batch(self) -> Batch:
        """The claims, cut into periods."""
        batch, rejected = cut(self.program, self.registers, CutDates(self.program))
        assert not rejected.root.size
        return batch

    @cached_property
    def compiled(self) -> Compiled:
        """The rules as machine code."""
        return compile_program(self.program, self.outputs)

    def rbcalc(self, threads: int) -> Contender:
        """Every rule worked out, awards made on the way; cutting is not counted."""
        return self._contender("rbcalc", self.compiled, threads, None)

    def rbcalc_fitted(self, threads: int) -> Contender:
        """The same rules, compiled for rows without the facts that none of these claims has."""
        fitted = compile_program(self.program.without(not_given(self.program, self.registers)), self.outputs)
        return self._contender("rbcalc_fitted", fitted, threads, None)

    def numpy_graph(self) -> Contender:
        """NumPy in blocks: what runs is what the kernels say."""
        compiled = compile_program(self.program, self.outputs)
        for variant in compiled.variants:
            for plan in (variant.uniform, variant.mixed):
                for function in plan.functions:
                    variant.kernels[function.source] = Arrays(function.source)
        return self._contender("numpy_graph", compiled, 1, BLOCK)

    def _contender(self, technology: str, compiled: Compiled, threads: int, block: int | None) -> Contender:
        held: list[Results] = []

        def run() -> None:
            held[:] = [compiled.run(self.batch, threads, checked=True, block=block, into=held[0] if held else None)]

        run()
        columns = [column for entity in self.batch.entities.values() for column in entity.columns.values()]
        moved = total(columns) + total(held[0].columns.values())
        counts = {name: entity.count for name, entity in (self.batch.entities | held[0].entities).items() if entity.count}
        steps = statements(compiled, counts)
        rows = ", ".join(f"{count:,} {name}s" for name, count in counts.items())
        doubted, refused = int(held[0].doubt.sum()), int((held[0].fault > 0).sum())
        note = f"{rows}; {len(self.program.rules)} rules, {steps / 1e6:.0f} million statements; {doubted} in doubt, {refused} refused"

        def figures() -> Figures:
            results = held[0]
            settled = (results.fault == 0) & (results.doubt == 0)
            found = {ref.name: np.where(settled, results.columns[ref].astype(np.int64), 0) for ref in self._shown}
            sure = (results.doubt[:SAMPLE] == 0).astype(np.int64)
            return found | self._worked_out(np.flatnonzero(sure == 0), found)

        return Contender(technology, threads, self.claims, run, figures, bytes_moved=moved, note=note, steps=steps)

    @property
    def _shown(self) -> list[Ref]:
        return [ref for ref in self.outputs if ref.name in WANTED]

    def _worked_out(self, rows: npt.NDArray[np.intp], found: Figures) -> Figures:
        """The figures, those of some rows by the exact evaluator."""
        evaluator, builder = Evaluator(self.program, self.compiled.outputs), Builder(self.program)
        for row in rows.tolist():
            try:
                values = evaluator.run(builder.build(records_of(self.program, self.registers, row)))
            except CalculationFault:
                values = {}
            for ref in self._shown:
                found[ref.name][row] = int(values[ref][0] * self.compiled.denominators[ref]) if values else 0
        return found

    def exact(self) -> Contender:
        """The exact evaluator, on the first claims."""
        rows = np.arange(min(SAMPLE, self.claims))
        found: Figures = {ref.name: np.zeros(rows.size, dtype=np.int64) for ref in self._shown}
        return Contender("exact", 1, rows.size, lambda: void(self._worked_out(rows, found)), lambda: found, every=3)


class Both:
    """Council Tax Reduction and Housing Benefit of the same people: two programs over one set of claims, one after the other."""

    technologies = Work.technologies

    def __init__(self, claims: int, year: str = "") -> None:
        self.tenancies = Work(claims, rent=True, year=year)
        self.accounts = Work(claims, people=self.tenancies, year=year)
        self.parts = {"council tax": self.accounts, "rent": self.tenancies}

    def rbcalc(self, threads: int) -> Contender:
        """All rules of both."""
        return self._joined([each.rbcalc(threads) for each in self.parts.values()])

    def rbcalc_fitted(self, threads: int) -> Contender:
        """All rules of both, compiled for rows without the facts that none of these claims has."""
        return self._joined([each.rbcalc_fitted(threads) for each in self.parts.values()])

    def numpy_graph(self) -> Contender:
        """NumPy in blocks."""
        return self._joined([each.numpy_graph() for each in self.parts.values()])

    def exact(self) -> Contender:
        """The exact evaluator, on the first claims."""
        return self._joined([each.exact() for each in self.parts.values()])

    def _joined(self, contenders: list[Contender]) -> Contender:
        """What is done one after another, as one."""

        def run() -> None:
            for each in contenders:
                each.once()

        def figures() -> Figures:
            found: Figures = {}
            for name, each in zip(self.parts, contenders, strict=True):
                assert each.figures is not None
                found |= {f"{name}: {figure}": values for figure, values in each.figures().items()}
            return found

        first = contenders[0]
        return Contender(
            first.technology,
            first.threads,
            first.rows,
            run,
            figures,
            bytes_moved=sum(each.bytes_moved for each in contenders),
            steps=sum(each.steps for each in contenders),
            every=first.every,
            note="; ".join(f"{name}: {each.note}" for name, each in zip(self.parts, contenders, strict=True) if each.note),
        )


def billed_council(year: str) -> tuple[str, str]:
    """A council with rules for a year: the first that is billed today where none is named, else the first that has charges for it."""
    if not year:
        return first_council()
    rules = rbcalc.load()
    for name in rules.council_names:
        try:
            rules.council(name).program(year)
        except (rbcalc.RulesError, UsageError):
            continue
        return name, year
    raise LookupError(f"no council has charges for {year}")


SHARED = ("claims", "household", "incomes", "non_dependants")
"""The tables of people that Council Tax and the rent have in common."""


def same_people(
    program: Program, registers: dict[str, RegisterColumns], other_program: Program, others: dict[str, RegisterColumns]
) -> None:
    """Put what both programs know of people into the registers of the first, as the other has it."""
    types = {(fact.table, fact.name): fact.type for fact in other_program.inputs.values()}
    for name in SHARED:
        mine, theirs = registers[name], others[name]
        assert mine.count == theirs.count
        mine.owner = theirs.owner
        for fact in program.inputs.values():
            if fact.table == name and (name, fact.name) in types and not fact.built_in:
                if isinstance(fact.type, Choice) and fact.type != types[name, fact.name]:
                    raise ValueError(f"{name}.{fact.name} has other members")
                for column in (fact.name, f"{fact.name}?"):
                    if column in theirs.columns:
                        mine.columns[column] = theirs.columns[column]


def void(_: object) -> None:
    """Nothing, of something."""


def statements(compiled: Compiled, counts: dict[str, int]) -> int:
    """How many statements a pass works out: those of each function, for each of its rows."""
    variant = compiled.single or compiled.general
    found = 0
    for function in variant.uniform.functions:
        lines = sum(line.startswith("        ") and " = " in line for line in function.source.splitlines())
        found += lines * counts.get(function.space, 0)
    return found


class Made:
    """Registers drawn from a fixed seed, in which everything that is optional and not of interest is left out."""

    def __init__(self, program: Program, claims: int, rent: bool = False) -> None:
        self.claims, self.rent = claims, rent
        self._random = np.random.default_rng(SEED)
        self._facts: dict[str, list[Input]] = {}
        for fact in program.inputs.values():
            if not fact.built_in and fact.table is not None:
                self._facts.setdefault(fact.table, []).append(fact)

    def registers(self) -> dict[str, RegisterColumns]:
        """All of them, each fact from the day on which everything began."""
        claims, people = self.claims, 2 * self.claims
        own = np.arange(claims, dtype=np.int32)
        others = claims // 5
        whose = np.sort(self._random.choice(own, others, replace=False)).astype(np.int32)
        # Couples of whom one has reached pension age and the other has not turn on more than is made here.
        born = (-12_000, -7_000) if self.rent else (-12_000, -1_000)
        return {
            **(self._home(own) if self.rent else self._dwelling(own)),
            "claims": self._register("claims", claims, own, {"capital": (0, 1_200_000)}),
            "household": self._register("household", people, np.repeat(own, 2), {"role": ("applicant", "partner"), "born": born}),
            "incomes": self._register(
                "incomes",
                people,
                np.arange(people, dtype=np.int32),
                {
                    "income_kind": ("state_pension", "occupational_pension", "employed_earnings"),
                    "frequency": ("weekly",),
                    "amount": (1_000, 30_000),
                },
            ),
            "non_dependants": self._register("non_dependants", others, whose, {"in_work": (0, 2), "gross_income": (10_000, 80_000)}),
        }

    def _dwelling(self, own: npt.NDArray[np.int32]) -> dict[str, RegisterColumns]:
        return {
            "accounts": self._register("accounts", own.size, None, {}),
            "dwellings": self._register("dwellings", own.size, own, {}),
            "people": self._register("people", 0, own[:0], {}),
        }

    def _home(self, own: npt.NDArray[np.int32]) -> dict[str, RegisterColumns]:
        """Homes of social landlords, let by the week."""
        given = {
            "tenure": ("registered_provider",),
            "rent_rules": ("social_sector",),
            "rent": (8_000, 20_000),
            "rent_frequency": ("weekly",),
        }
        return {
            "tenancies": self._register("tenancies", own.size, None, {}),
            "rents": self._register("rents", own.size, own, given),
            **{name: self._register(name, 0, own[:0], {}) for name in ("charges", "payments", "recoveries", "earlier_overpayments")},
        }

    def _register(self, name: str, rows: int, owner: npt.NDArray[np.int32] | None, given: dict[str, tuple[Any, ...]]) -> RegisterColumns:
        columns: dict[str, npt.NDArray[Any]] = {}
        for fact in self._facts.get(name, []):
            values = self._values(fact, rows, given.get(fact.name))
            columns[fact.name] = values
            if fact.optional:
                columns[f"{fact.name}?"] = np.full(rows, fact.name in given, dtype=np.uint8)
            elif fact.name not in given and rows and not isinstance(fact.type, Choice):
                raise ValueError(f"{name} needs {fact.name}")
        made = RegisterColumns(rows, columns, owner)
        made.begins, made.ends = np.full(rows, BEGAN, dtype=np.int32), np.full(rows, NEVER, dtype=np.int32)
        return made

    def _values(self, fact: Input, rows: int, given: tuple[Any, ...] | None) -> npt.NDArray[Any]:
        if isinstance(fact.type, Choice):
            few = fact.type.members[: 1 if fact.optional else 5]
            codes = np.array([fact.type.code(name) for name in given or few])
            if fact.name == "role":
                return np.resize(codes, rows).astype(np.uint8)
            return codes[self._random.integers(0, codes.size, rows)].astype(np.uint8)
        low, high = given or (int(fact.low), int(fact.low) + 1)
        numbers = self._random.integers(low, high, rows)
        if not isinstance(fact.type, Number):
            return numbers.astype(np.int32 if fact.type == DATE else np.uint8)
        largest = max(abs(fact.low), abs(fact.high)) * fact.step.denominator
        if given is None:
            numbers = np.full(rows, int(fact.low * fact.step.denominator))
        return numbers.astype(next(kind for kind in (np.int8, np.int16, np.int32, np.int64) if largest <= np.iinfo(kind).max))
