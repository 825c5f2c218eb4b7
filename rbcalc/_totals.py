"""The totals of a run: sums for each combination of list members, kept as whole numbers and added up exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor, prod
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.language.types import Choice, Number, Type
from rbcalc_kernels.program.graph import Program, Ref, Report

Keys = tuple[str, ...]
Table = dict[Keys, list[Fraction]]


class Totals:
    """Adds up the reports of one program, batch by batch."""

    def __init__(self, program: Program, reports: Sequence[Report] | None = None) -> None:
        """Nothing yet; `reports` are those that are wanted, without it all."""
        self.program = program
        self.reports = tuple(program.reports if reports is None else reports)
        self.types: dict[Ref, Type] = {ref: found.type for ref, found in program.inputs.items()}
        self.types |= {Ref(rule.entity, rule.name): rule.type for rule in program.rules}
        self._lock = Lock()
        self._sums: dict[str, npt.NDArray[np.int64]] = {}
        self._denominators: dict[Ref, int] = {}

    def needed(self) -> tuple[Ref, ...]:
        """The values that the reports read."""
        return tuple(dict.fromkeys(ref for report in self.reports for ref in (*report.by, *report.sums)))

    def _members(self, ref: Ref) -> tuple[str, ...]:
        type_ = self.types[ref]
        assert isinstance(type_, Choice)
        return type_.members

    def add(self, columns: Mapping[Ref, Any], denominators: Mapping[Ref, int], chosen: Mapping[str, Any]) -> None:
        """Add a batch's rows; `chosen` gives for an entity the rows that count, or nothing when all do.

        Threads may add at the same time: sums of whole numbers do not depend on the order.
        """
        for report in self.reports:
            rows = chosen.get(report.entity)
            size = prod(len(self._members(ref)) for ref in report.by)
            found = np.zeros((size, len(report.sums) + 1), dtype=np.int64)
            code = self._code(report, columns, rows)
            count = len(columns[report.sums[0]]) if rows is None else len(rows)
            found[:, -1] = count if code is None else np.bincount(code, minlength=size)
            for place, ref in enumerate(report.sums):
                values = columns[ref] if rows is None else columns[ref][rows]
                if code is None:
                    found[0, place] = values.sum(dtype=np.int64)
                else:
                    # Whole numbers below 2^53 in all: the sum in a float64 is exact.
                    found[:, place] = np.bincount(code, weights=values, minlength=size).astype(np.int64)
                self._denominators[ref] = denominators.get(ref, 1)
            with self._lock:
                before = self._sums.get(report.name)
                self._sums[report.name] = found if before is None else before + found

    def _code(self, report: Report, columns: Mapping[Ref, Any], rows: Any) -> Any:
        """The place of each row's combination of members; None where a report has one line."""
        code: Any = None
        for ref in report.by:
            own = columns[ref] if rows is None else columns[ref][rows]
            code = own.astype(np.int64) if code is None else code * len(self._members(ref)) + own
        return code

    def table(self, report: Report) -> Table:
        """The sums of a report by members, those without rows left out; the last figure is the number of rows."""
        sums = self._sums.get(report.name)
        found: Table = {}
        if sums is None:
            return found
        lists = [self._members(ref) for ref in report.by]
        for code in np.flatnonzero(sums[:, -1]):
            keys: list[str] = []
            rest = int(code)
            for members in reversed(lists):
                rest, place = divmod(rest, len(members))
                keys.append(members[place])
            figures = [Fraction(int(sums[code, n]), self._denominators[ref]) for n, ref in enumerate(report.sums)]
            found[tuple(reversed(keys))] = [*figures, Fraction(int(sums[code, -1]))]
        return divided(self.program, report, found) if report.split else found


def divided(program: Program, report: Report, table: Table) -> Table:
    """The sums of a report divided over the first axis of its table, by the first of its keys.

    Each group's shares are exact; they are rounded to the penny once for each first key and sum, the pennies left over
    going to the largest remainders, so that the parts add up to the whole.
    """
    cells = program.tables[report.split].by_period[0]
    shared = program.tables[report.split].axes
    names = [program.inputs[ref].type if ref in program.inputs else _rule_type(program, ref) for ref in report.by]
    where = [names.index(axis) for axis in shared[1:]]
    exact: Table = {}
    for keys, figures in table.items():
        rest = tuple(keys[place] for place in where)
        amounts = {m: Fraction(cells.rows[(m, *rest)][1][0]) for m in shared[0].members if (m, *rest) in cells.rows}
        whole = sum(amounts.values(), Fraction(0))
        for member, part in amounts.items():
            if not whole:
                continue
            entry = exact.setdefault((keys[0], member), [Fraction(0)] * len(figures))
            for place, figure in enumerate(figures):
                entry[place] += figure * part / whole if place < len(figures) - 1 else figure
    return _to_pennies(exact)


def _to_pennies(exact: Table) -> Table:
    result: Table = {keys: list(figures) for keys, figures in exact.items()}
    for first in dict.fromkeys(keys[0] for keys in exact):
        group = [keys for keys in exact if keys[0] == first]
        for place in range(len(exact[group[0]]) - 1):
            pence = {keys: exact[keys][place] * 100 for keys in group}
            left = int(sum(pence.values(), Fraction(0))) - sum(floor(value) for value in pence.values())
            order = sorted(group, key=lambda keys: pence[keys] - floor(pence[keys]), reverse=True)
            for rank, keys in enumerate(order):
                result[keys][place] = Fraction(floor(pence[keys]) + (1 if rank < left else 0), 100)
    return result


def _rule_type(program: Program, ref: Ref) -> Type:
    return program.rule(ref.entity, ref.name).type


def headings(program: Program, report: Report) -> list[str]:
    """The names of a report's columns: its keys, its sums, and the number of rows."""
    keys = [ref.name for ref in report.by]
    if report.split:
        keys = [keys[0], program.tables[report.split].axes[0].name]
    return [*keys, *(ref.name for ref in report.sums), "rows"]


def spoken(program: Program, report: Report) -> list[str]:
    """What the columns are called where people read them: by the report's own headings, else by name."""
    said = dict(report.headings)
    return [said.get(name, name.replace("_", " ")) for name in headings(program, report)]


def kinds(program: Program, report: Report) -> list[Type | None]:
    """The types of a report's columns; None for its keys."""
    keys = len(headings(program, report)) - len(report.sums) - 1
    types = [(program.inputs.get(ref) or program.rule(ref.entity, ref.name)).type for ref in report.sums]
    return [*([None] * keys), *types, Number("count")]


def added(tables: list[Table]) -> Table:
    """Several councils' tables as one: the same keys added up."""
    result: Table = {}
    for table in tables:
        for keys, figures in table.items():
            entry = result.setdefault(keys, [Fraction(0)] * len(figures))
            for place, figure in enumerate(figures):
                entry[place] += figure
    return result
