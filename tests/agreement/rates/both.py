"""Many ratepayers through the exact evaluator and through the compiled one, as columns that can be compared at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agreement.accounts import Records
from agreement.both import Columns, Compiling, Exactly, codes
from rbcalc.rulebook.both import encoded
from rbcalc_kernels.compiled.spells import cut
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.program.graph import Ref, Value

ROOT = "rates_accounts"


class CompilingRatepayers(Compiling):
    """A program whose roots are gathered, compiled for every value of every rule."""

    def run(self, records: Sequence[Records], *, threads: int = 1, block: int | None = None) -> Columns:
        """Work out the ratepayers; every row is told by the number of its ratepayer."""
        of_record = np.repeat(np.arange(len(records)), [len(each[ROOT]) for each in records])
        batch, rejected = cut(self.program, encoded(self.program, records), self.cuts)
        results = self.compiled.run(batch, threads, block=block)
        offsets = batch.entities[self.program.root].offsets
        assert offsets is not None
        whose = of_record[batch.kept][offsets[:-1]]
        found = Columns(doubt={int(whose[kept]) for kept in np.flatnonzero(results.doubt)})
        for root, reason in zip(rejected.root, rejected.reasons, strict=True):
            number = int(of_record[root])
            if number not in whose:  # otherwise the account alone is left out
                found.refused.setdefault(number, str(reason))
        for kept in np.flatnonzero(results.fault):
            found.refused[int(whose[kept])] = str(results.faults[int(results.fault[kept]) - 1].reason)
        entities = {**batch.entities, **results.entities}
        good: dict[str, Any] = {}
        for entity in {ref.entity for ref in self.refs}:
            places: Any = np.arange(entities[entity].count)
            current = entity
            while (parent := self.program.entities[current].parent) is not None:
                above = entities[current].parent
                assert above is not None
                places, current = above[places], parent
            good[entity] = results.fault[places] == 0
            found.account[entity] = whose[places][good[entity]]
        for ref in self.refs:
            found.values[ref] = np.asarray(results.columns[ref])[good[ref.entity]].astype(np.int64)
        return found


class ExactlyRatepayers(Exactly):
    """The same program ready for the exact evaluator."""

    def rows(self, records: Sequence[Records]) -> list[Row | str]:
        """Each ratepayer's row with all below it, or why it was refused."""
        found: list[Row | str] = []
        for each in records:
            try:
                found.append(self.row(each))
            except CalculationFault as fault:
                found.append(str(fault.reason))
        return found

    def columns(self, rows: Sequence[Row | str], denominators: Mapping[Ref, int]) -> Columns:
        """Rows that were worked out, as columns."""
        found = Columns(refused={number: row for number, row in enumerate(rows) if isinstance(row, str)})
        values: dict[Ref, list[Value]] = {ref: [] for ref in self.refs}
        accounts: dict[str, list[int]] = {ref.entity: [] for ref in self.refs}
        names = {entity: [ref for ref in self.refs if ref.entity == entity] for entity in accounts}
        for number, top in enumerate(rows):
            if isinstance(top, str):
                continue
            for row in top.walk():
                accounts[row.entity].append(number)
                for ref in names[row.entity]:
                    values[ref].append(row.values[ref.name])  # type: ignore[arg-type]
        types = {Ref(rule.entity, rule.name): rule.type for rule in self.program.rules}
        found.account = {entity: np.array(whose, dtype=np.int64) for entity, whose in accounts.items()}
        found.values = {ref: codes(column, types[ref], denominators.get(ref, 1)) for ref, column in values.items()}
        return found
