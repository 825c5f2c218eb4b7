"""Where each of our columns is read: in the extract, from a constant, by an assumption, or nowhere."""

from __future__ import annotations

from rbcalc.caseload.column_map import TableMap
from rbcalc.caseload.csv_text import PROBLEM
from rbcalc.caseload.files import Opened, literal, quote
from rbcalc.caseload.model import Assumption
from rbcalc.caseload.values import Cell
from rbcalc.errors import DataError
from rbcalc_kernels.source import suggest


class Cells:
    """The columns of one table; what was read of the extract and what was assumed is kept."""

    def __init__(self, opened: Opened, adapted: TableMap) -> None:
        """The columns of an opened table, as a column map adapts it."""
        self.opened, self.map = opened, adapted
        self.read: set[str] = set()
        """The headers that were asked for."""
        self.assumptions: list[Assumption] = []

    def of(self, name: str) -> Cell | None:
        """Where our column `name` is read; None where neither the extract nor the map has it.  Raises DataError."""
        theirs = self.map.columns.get(name, name)
        header = self.opened.header(theirs)
        if header is not None:
            self.read.add(header)
            return Cell(quote(header), self.opened.types[header], self.map.dates)
        if name in self.map.columns:
            near = suggest(theirs, self.opened.types)
            hint = "correct the header under `columns:` in the column map"
            raise DataError("RC003", f"there is no column '{theirs}'{near}", self.opened.label, hint)
        if name in self.map.constants:
            return Cell(literal(self.map.constants[name]), "VARCHAR")
        if name in self.map.assume:
            self.assumptions.append(Assumption(self.opened.register, name, self.map.assume[name], self.opened.rows))
            return Cell(literal(self.map.assume[name]), "VARCHAR")
        return None

    @property
    def unread(self) -> list[str]:
        """The headers that nobody asked for."""
        return [header for header in self.opened.types if header not in self.read and header != PROBLEM]
