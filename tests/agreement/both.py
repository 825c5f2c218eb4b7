"""Many accounts through the exact evaluator and through the compiled one, as columns that can be compared at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from agreement.accounts import Records
from rbcalc.rulebook.both import encoded
from rbcalc_kernels.compiled.cutting import CutDates
from rbcalc_kernels.compiled.evaluator import Compiled, compile_program
from rbcalc_kernels.compiled.spells import cut
from rbcalc_kernels.exact.evaluator import Evaluator
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.language.types import Choice, Number, Type
from rbcalc_kernels.program.graph import Program, Ref, Value

NO_CODE = -(2**62)
"""Stands for a figure that is no whole number of the compiled evaluator's fractions."""


def refs_of(program: Program) -> tuple[Ref, ...]:
    """Every rule of a program that has an author."""
    return tuple(Ref(rule.entity, rule.name) for rule in program.rules if not rule.hidden)


@dataclass
class Columns:
    """Every rule's values in the order of the accounts, with the account that each row belongs to.

    `refused` gives for an account why it was not worked out.  `doubt` holds the accounts whose figures the kernel does not
    vouch for, so that a run has them worked out exactly.
    """

    values: dict[Ref, Any] = field(default_factory=dict)
    account: dict[str, Any] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    doubt: set[int] = field(default_factory=set)

    def of_accounts(self, order: Sequence[int]) -> Columns:
        """The same with account `i` called `order[i]`, rows in the order of the new names."""
        names = np.array(order)
        found = Columns({}, {}, {int(names[i]): reason for i, reason in self.refused.items()}, {int(names[i]) for i in self.doubt})
        places = {}
        for entity, accounts in self.account.items():
            renamed = names[accounts]
            places[entity] = np.argsort(renamed, kind="stable")
            found.account[entity] = renamed[places[entity]]
        found.values = {ref: column[places[ref.entity]] for ref, column in self.values.items()}
        return found

    def settled(self, exactly: Exactly, records: Sequence[Records], denominators: Mapping[Ref, int]) -> Columns:
        """The same with the accounts in doubt worked out exactly, as a run does it."""
        doubtful = sorted(self.doubt)
        exact = exactly.run([records[number] for number in doubtful], denominators)
        for ref, column in self.values.items():
            column[np.isin(self.account[ref.entity], doubtful)] = exact.values[ref]
        return self


class Compiling:
    """A program compiled for every value of every rule, with what cuts its periods."""

    def __init__(self, program: Program, engine: str | None = None, like: Compiling | None = None) -> None:
        self.program, self.refs = program, refs_of(program)
        self.compiled: Compiled
        if like is None:
            self.cuts = CutDates(program, engine=engine)
            self.compiled = compile_program(program, self.refs, engine=engine, keep=True)
        else:
            self.cuts, self.compiled = like.cuts.with_parameters(program), like.compiled.with_parameters(program)

    def run(self, records: Sequence[Records], *, threads: int = 1, block: int | None = None) -> Columns:
        """Work out the accounts."""
        return self.run_registers(encoded(self.program, records), threads=threads, block=block)

    def run_registers(self, registers: Mapping[str, Any], *, threads: int = 1, block: int | None = None) -> Columns:
        """Work out accounts that are columns already."""
        batch, rejected = cut(self.program, registers, self.cuts)
        results = self.compiled.run(batch, threads, block=block)
        found = Columns(doubt={int(batch.kept[kept]) for kept in np.flatnonzero(results.doubt)})
        found.refused = {int(root): str(reason) for root, reason in zip(rejected.root, rejected.reasons, strict=True)}
        for kept in np.flatnonzero(results.fault):
            found.refused[int(batch.kept[kept])] = str(results.faults[int(results.fault[kept]) - 1].reason)
        good: dict[str, Any] = {}
        entities = {**batch.entities, **results.entities}
        for entity in {ref.entity for ref in self.refs}:
            places = np.arange(entities[entity].count)
            current = entity
            while (parent := self.program.entities[current].parent) is not None:
                above = entities[current].parent
                assert above is not None
                places, current = above[places], parent
            good[entity] = results.fault[places] == 0
            found.account[entity] = np.asarray(batch.kept)[places][good[entity]]
        for ref in self.refs:
            found.values[ref] = np.asarray(results.columns[ref])[good[ref.entity]].astype(np.int64)
        return found


class Exactly:
    """A program ready for the exact evaluator."""

    def __init__(self, program: Program) -> None:
        self.program, self.refs = program, refs_of(program)
        self.builder, self.evaluator = Builder(program), Evaluator(program)

    def row(self, records: Records) -> Row:
        """One account worked out.  Raises CalculationFault."""
        root = self.builder.build(records)
        self.evaluator.run(root)
        return root

    def run(self, records: Sequence[Records], denominators: Mapping[Ref, int]) -> Columns:
        """Work out the accounts; figures as whole numbers over the denominators."""
        found = Columns()
        values: dict[Ref, list[Value]] = {ref: [] for ref in self.refs}
        accounts: dict[str, list[int]] = {ref.entity: [] for ref in self.refs}
        first = {ref.entity: ref for ref in reversed(self.refs)}
        for number, each in enumerate(records):
            try:
                made = self.evaluator.run(self.builder.build(each))
            except CalculationFault as fault:
                found.refused[number] = str(fault.reason)
                continue
            for ref, column in values.items():
                column.extend(made[ref])
            for entity, whose in accounts.items():
                whose.extend([number] * len(made[first[entity]]))
        types = {Ref(rule.entity, rule.name): rule.type for rule in self.program.rules}
        found.account = {entity: np.array(whose, dtype=np.int64) for entity, whose in accounts.items()}
        found.values = {ref: codes(column, types[ref], denominators.get(ref, 1)) for ref, column in values.items()}
        return found


def codes(values: Sequence[Any], type_: Type, denominator: int) -> Any:
    """Values as the whole numbers that stand in a compiled column."""
    if isinstance(type_, Choice):
        place = {member: code for code, member in enumerate(type_.members)}
        return np.array([place[value] for value in values], dtype=np.int64)
    if isinstance(type_, Number):
        found = (divmod(value.numerator * denominator, value.denominator) for value in values)
        return np.array([NO_CODE if rest else whole for whole, rest in found], dtype=np.int64)
    return np.array(values, dtype=np.int64)


def differences(one: Columns, other: Columns, *, reasons: bool = True, entities: Sequence[str] = ()) -> list[str]:
    """Where two runs over the same accounts differ; `entities` limits what is looked at."""
    found = []
    if (one.refused if reasons else set(one.refused)) != (other.refused if reasons else set(other.refused)):
        wrong = [n for n in sorted({*one.refused, *other.refused}) if one.refused.get(n) != other.refused.get(n)]
        found.append(f"refused differently: {[(n, one.refused.get(n), other.refused.get(n)) for n in wrong[:5]]}")
    doubt = sorted(one.doubt | other.doubt)
    for ref, column in one.values.items():
        if entities and ref.entity not in entities:
            continue
        whose, others = one.account[ref.entity], other.account[ref.entity]
        if len(whose) != len(others) or not np.array_equal(whose, others):
            found.append(f"{ref}: {len(whose)} rows against {len(others)}")
            continue
        places = np.flatnonzero((column != other.values[ref]) & ~np.isin(whose, doubt))
        if len(places):
            shown = [(int(whose[p]), int(column[p]), int(other.values[ref][p])) for p in places[:3]]
            found.append(f"{ref}: {len(places)} rows differ, (account, one, other): {shown}")
    return found
