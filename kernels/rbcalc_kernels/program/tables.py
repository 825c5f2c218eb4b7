"""The contents of tables: rows as written, completeness, and tables worked out before any row is seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from typing import Any, Final

from rbcalc_kernels.language.documents import Text
from rbcalc_kernels.language.types import Choice, Number
from rbcalc_kernels.program.graph import Cells, Node, Op, Parameter, Rounding, Table, Value
from rbcalc_kernels.program.library import remembered_as
from rbcalc_kernels.program.names import Names, TableShape
from rbcalc_kernels.program.overlays import Declared, Entry, Uplift, in_force
from rbcalc_kernels.program.supposing import put_up
from rbcalc_kernels.program.values import constant
from rbcalc_kernels.source import Findings, suggest

Row = tuple[tuple[Fraction | int, ...], tuple[Value, ...]]
Keyed = dict[tuple[str, ...], Row]


MOST_EDGES: Final = 1_000
MOST_REPORTED: Final = 50


class Rows:
    """Reads the rows that entries of a table state; each entry is read once.

    What a file states is read once for all programs in which the table's name means the same.
    """

    def __init__(self, shape: TableShape, names: Names, findings: Findings, meant: object, remembered: dict[object, object]) -> None:
        """Rows of a table of some shape; `meant` is the same where all that its name means is."""
        self.shape, self.names, self.findings, self._meant = shape, names, findings, meant
        self._known: dict[object, tuple[Keyed, object]] = remembered_as(remembered, "rows")
        self._made: dict[object, tuple[Cells, object]] = remembered_as(remembered, "cells")
        self._read: dict[int, Keyed] = {}
        self._divided: dict[int, dict[str, Keyed]] = {}
        self._carried = False

    def of(self, entry: Entry) -> Keyed:
        """The rows of an entry by their list members."""
        if id(entry) not in self._read:
            rows = self._stated(entry)
            self._read[id(entry)] = self._put_up(rows, entry.uplift) if entry.uplift is not None else rows
        return self._read[id(entry)]

    def by_member(self, entry: Entry) -> dict[str, Keyed]:
        """The rows of an entry, for each member of the first axis for which there are any."""
        if id(entry) not in self._divided:
            divided = self._divided[id(entry)] = dict[str, Keyed]()
            for key, row in self.of(entry).items():
                divided.setdefault(key[0], {})[key] = row
        return self._divided[id(entry)]

    def together(self, chosen: Sequence[tuple[str, Entry]]) -> Cells:
        """The contents of a table of which each member's rows are those of an entry; made once of the same statements."""
        parts = [(member, self.of(entry)) for member, entry in chosen]
        key = (self._meant, *((member, id(rows)) for member, rows in parts))
        if key in self._made:
            return self._made[key][0]
        made: Keyed = {}
        for member, entry in chosen:
            made.update(self.by_member(entry)[member])
        cells = Cells(made)
        if all(entry.uplift is None for _, entry in chosen):
            self._made[key] = (cells, [rows for _, rows in parts])  # kept, so that their identities stay theirs
        return cells

    def _stated(self, entry: Entry) -> Keyed:
        """The rows of an entry as they are written."""
        key = (id(entry.rows), entry.carried, self._meant)
        if key in self._known:
            return self._known[key][0]
        rows: Keyed = {}
        before = len(self.findings)
        self._carried = entry.carried
        self._walk(entry.rows or {}, (), rows)
        if len(self.findings) == before:
            self._known[key] = (rows, entry.rows)  # kept, so that their identity stays theirs
        return rows

    def _put_up(self, rows: Keyed, uplift: Uplift) -> Keyed:
        """The rows with their edges, or what they give, put up."""
        type_ = self.shape.type
        if not uplift.edges:
            return {
                key: (edges, tuple(put_up(value, type_, uplift, self.findings) for value in values))
                for key, (edges, values) in rows.items()
            }
        if self.shape.bands is None:
            self.findings.error("RB060", f"'{uplift.name}' has no edges", uplift.name.span, help="take edges: away")
            return rows
        kind = self.shape.bands.type
        raised = {}
        for key, (edges, values) in rows.items():
            moved = [put_up(edge, kind, uplift, self.findings) for edge in edges]
            raised[key] = (tuple(edge for edge in moved if not isinstance(edge, str)), values)
            for one, other in pairwise(raised[key][0]):
                if one >= other:
                    message = f"two edges of '{uplift.name}' are put up to one"
                    self.findings.error("RB064", message, uplift.name.span, help="round them less, or write the edges out")
                    break
        return raised

    def _walk(self, node: Any, members: tuple[str, ...], rows: Keyed) -> None:
        axes = self.shape.axes
        if len(members) < len(axes):
            axis = axes[len(members)]
            if not isinstance(node, Mapping):
                help_ = f"write {{{axis.members[0] if axis.members else '...'}: ...}}"
                self.findings.error("RB075", f"rows by {axis.name} are wanted here", _span(node, self.shape), help=help_)
                return
            wrong = 0
            for member, inner in node.items():
                if str(member) not in axis.members:
                    if self._carried:  # figures go on from a year in which the list was another
                        continue
                    wrong += 1
                    if wrong > MOST_REPORTED:
                        break
                    help_ = f"{', '.join(axis.members[:12])}{suggest(str(member), axis.members)}"
                    self.findings.error("RB039", f"{member} is not one of {axis.name}", member.span, help=help_)
                    continue
                self._walk(inner, (*members, str(member)), rows)
            return
        if self.shape.bands is None:
            if not isinstance(node, Text):
                help_ = f"{self.shape.name} is by {' and '.join(self.shape.keys) or 'nothing'}: write the value itself"
                self.findings.error("RB075", "one value is wanted here", _span(node, self.shape), help=help_)
                return
            value = constant(node, self.shape.type, self.names, self.findings)
            if value is not None:
                rows[members] = ((), (value,))
            return
        row = self._banded(node)
        if row is not None:
            rows[members] = row

    def _banded(self, node: Any) -> Row | None:
        bands = self.shape.bands
        assert bands is not None
        if not isinstance(node, Mapping) or not node:
            self.findings.error(
                "RB075", "a value for each edge is wanted here", _span(node, self.shape), help="write {£0: 90%, £116.21: 70%}"
            )
            return None
        if len(node) > MOST_EDGES:
            first = next(iter(node))
            self.findings.error("RB075", f"{len(node)} edges; {MOST_EDGES} are allowed", first.span, help="make two tables of it")
            return None
        steps: list[tuple[Fraction | int, Value, Text]] = []
        above: Value | None = None
        for edge, inner in node.items():
            if not isinstance(inner, Text):
                self.findings.error("RB075", "one value is wanted here", edge.span, help="write the value of the edge itself")
                return None
            value = constant(inner, self.shape.type, self.names, self.findings)
            if value is None:
                return None
            if edge == "above":
                above = value
                continue
            amount = constant(edge, bands.type, self.names, self.findings)
            if amount is None or isinstance(amount, str | bool):
                return None
            steps.append((amount, value, edge))
        steps.sort(key=lambda step: step[0])
        for (one, _, _), (other, _, text) in pairwise(steps):
            if one == other:
                self.findings.error("RB064", f"two rows {'end' if bands.upper else 'begin'} at {text}", text.span, help="keep one of them")
        first = next(iter(node))
        if bands.upper and above is None:
            self.findings.error("RB065", "nothing is said above the last edge", first.span, help="add above: with the value beyond it")
            return None
        if not bands.upper and above is not None:
            self.findings.error("RB065", "`above` is for a table by up_to:", first.span, help="the last edge holds upwards without end")
            return None
        if not bands.upper and isinstance(bands.type, Number) and steps[0][0] > 0:
            self.findings.error("RB065", f"nothing is said below {steps[0][2]}", steps[0][2].span, help="begin with 0")
        values = tuple(value for _, value, _ in steps) + ((above,) if above is not None else ())
        return tuple(amount for amount, _, _ in steps), values


def _span(node: Any, shape: TableShape) -> Any:
    if isinstance(node, Text):
        return node.span
    if isinstance(node, Mapping) and node:
        return next(iter(node)).span
    return shape.span


def written(declared: Declared, rows: Rows, day: int) -> Cells:
    """The contents of a table on a day: each member of its first axis by the statement in force for it."""
    shape = rows.shape
    if not shape.axes:
        entry = in_force(declared.entries, day)
        return Cells(dict(rows.of(entry)) if entry is not None else {})
    covering = [(entry, rows.by_member(entry)) for entry in declared.entries if entry.covers(day)]
    holding = ((member, in_force([each for each, divided in covering if member in divided], day)) for member in shape.axes[0].members)
    return rows.together([(member, entry) for member, entry in holding if entry is not None])


def incomplete(shape: TableShape, cells: Cells) -> str:
    """The first combination that a table lacks, in words; empty when there is none."""
    for members in product(*(axis.members for axis in shape.axes)):
        if members not in cells.rows:
            return ", ".join(members) or "anything"
    return ""


@dataclass(slots=True)
class Contents:
    """Parameters and tables of one parameter period, to work a table out from."""

    parameters: Mapping[str, Parameter]
    tables: Mapping[str, Table]
    period: int

    def parameter(self, name: str) -> Value:
        """The figure of a parameter."""
        return self.parameters[name].by_period[self.period]

    def cell(self, table: str, keys: tuple[Value, ...]) -> Value:
        """The value of a table; KeyError when the combination is missing."""
        from rbcalc_kernels.exact.figures import cell

        if not self.known(table, keys):
            raise KeyError(table)
        return cell(self.tables[table], self.period, keys)

    def known(self, table: str, keys: tuple[Value, ...]) -> bool:
        """Whether a table has a value for the keys."""
        axes = self.tables[table].axes
        return tuple(str(key) for key in keys[: len(axes)]) in self.tables[table].by_period[self.period].rows

    def key(self, name: str) -> Value:
        """Keys are laid over the environment; there are none below."""
        raise KeyError(name)


def worked_out(shape: TableShape, body: Node, contents: Contents) -> Cells:
    """The contents of a table whose cells are an expression of its keys; a cell that needs a missing one is missing."""
    from rbcalc_kernels.exact.constants import constant_of

    value_of = constant_of(body)
    rows: Keyed = {}
    for members in product(*(axis.members for axis in shape.axes)):
        keys: dict[str, Value] = dict(zip(shape.keys, members, strict=True))
        try:
            rows[members] = ((), (value_of(contents, keys),))
        except KeyError:
            continue
    return Cells(rows)


def rounded(node: Node, rounding: Rounding | None) -> Node:
    """The node, rounded where a rounding is given."""
    return node if rounding is None else Node(Op.ROUND, node.type, (node,), rounding, node.span)


def axes_of(
    over: Mapping[Text, Text], names: Names, findings: Findings
) -> tuple[tuple[Choice, ...], tuple[str, ...], tuple[str, Text] | None] | None:
    """The list axes, the names of all keys, and the banded axis (its word and unit) of `over:`."""
    axes: list[Choice] = []
    keys: list[str] = []
    banded: tuple[str, Text] | None = None
    for key, word in over.items():
        if banded is not None:
            help_ = f"put {banded[0]}: at the end of over:"
            findings.error("RB076", "the banded axis comes last, and there is one at the most", key.span, help=help_)
            return None
        if key in ("from", "up_to"):
            banded = (str(key), word)
            keys.append("amount")
            continue
        if str(word) not in names.lists:
            findings.error("RB056", f"no such list: {word}", word.span, help=suggest(str(word), names.lists).strip(" ()"))
            return None
        axes.append(names.lists[str(word)])
        keys.append(str(key))
    return tuple(axes), tuple(keys), banded


def all_entries(declared: Sequence[Declared]) -> Iterator[Entry]:
    """Every statement of the given declarations."""
    for each in declared:
        yield from each.entries
