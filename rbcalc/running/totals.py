"""The totals of a run: sums for each combination of list members, kept as whole numbers and added up exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import floor, prod
from threading import Lock
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.language.types import Choice, Number, Type
from rbcalc_kernels.program.graph import Program, Ref, Report

CELLS: Final = 4096
"""Combinations of members by which rows are added up at most, when reports are taken together: their sums stay near the processor."""

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
        self._together = self._grouped()

    def _grouped(self) -> list[list[Report]]:
        """The reports that are added up together, by all their keys: what several of them sum is then added once."""
        groups: list[list[Report]] = []
        for report in self.reports:
            for group in groups if report.by else ():
                keys = dict.fromkeys(ref for each in (*group, report) for ref in each.by)
                if group[0].by and group[0].entity == report.entity and prod(len(self._members(ref)) for ref in keys) <= CELLS:
                    group.append(report)
                    break
            else:
                groups.append([report])
        return groups

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
        found: dict[str, npt.NDArray[np.int64]] = {}
        for reports in self._together:
            rows = chosen.get(reports[0].entity)
            keys = dict.fromkeys(ref for report in reports for ref in report.by)
            code = self._code(keys, columns, rows)
            cells = [len(self._members(ref)) for ref in keys]
            sums: dict[Ref, npt.NDArray[np.int64]] = {}
            for ref in dict.fromkeys(ref for report in reports for ref in report.sums):
                sums[ref] = _summed(columns[ref] if rows is None else columns[ref][rows], code, cells)
                self._denominators[ref] = denominators.get(ref, 1)
            count = len(columns[reports[0].sums[0]]) if rows is None else len(rows)
            counted = np.full(cells, count, np.int64) if code is None else np.bincount(code, minlength=prod(cells)).reshape(cells)
            for report in reports:
                figures = [_by(each, list(keys), report.by) for each in (*(sums[ref] for ref in report.sums), counted)]
                found[report.name] = np.stack(figures, axis=1)
        with self._lock:
            for name, figures_ in found.items():
                before = self._sums.get(name)
                self._sums[name] = figures_ if before is None else before + figures_

    def _code(self, keys: Iterable[Ref], columns: Mapping[Ref, Any], rows: Any) -> Any:
        """The place of each row's combination of members; None where there are no keys."""
        code: Any = None
        for ref in keys:
            own = columns[ref] if rows is None else columns[ref][rows]
            if code is None:
                code = own.astype(np.int64)
            else:
                code *= len(self._members(ref))
                code += own
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


def _summed(values: Any, code: Any, cells: Sequence[int]) -> npt.NDArray[np.int64]:
    """The sums of a column's rows by their places; of all rows where they have none."""
    if code is None:
        return np.array(values.sum(dtype=np.int64))
    if not values.any():  # what nobody has is quicker to see than to add
        return np.zeros(cells, np.int64)
    # Whole numbers below 2^53 in all: the sum in a float64 is exact.
    return np.bincount(code, weights=values, minlength=prod(cells)).astype(np.int64).reshape(cells)


def _by(sums: npt.NDArray[np.int64], keys: Sequence[Ref], by: Sequence[Ref]) -> npt.NDArray[np.int64]:
    """Sums by some of the keys, in the order of these."""
    others = tuple([place for place, ref in enumerate(keys) if ref not in by])
    left = [ref for ref in keys if ref in by]
    added_up: npt.NDArray[np.int64] = sums.sum(axis=others)
    return added_up.transpose([left.index(ref) for ref in by]).reshape(-1)


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
