"""Figures of the rules that sample files speak of: a parameter, a cell of a table, or the edges of a banded table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rbcalc_kernels.program.graph import Program

_NAME: Final = re.compile(r"\s*([a-z_0-9]+)\s*(?:\[([a-z_0-9, ]*)\])?\s*")


class NoFigureError(Exception):
    """A council or a year does not have such a figure."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of programs on the first day of their year; the first that has one is asked."""

    programs: tuple[Program, ...]

    def one(self, text: str) -> Fraction:
        """A parameter, or a cell of a table without bands: `personal_allowance[single, older]`."""
        name, members = self._split(text)
        for program in self.programs:
            parameter, table = program.parameters.get(name), program.tables.get(name)
            if parameter is not None and isinstance(parameter.by_period[0], int | Fraction):
                return Fraction(parameter.by_period[0])
            found = table.by_period[0].rows.get(members) if table is not None and table.bands is None else None
            if found is not None and isinstance(found[1][0], int | Fraction):
                return Fraction(found[1][0])
        raise NoFigureError(text)

    def edges(self, text: str) -> list[Fraction]:
        """The edges of a banded table, without the zero that all begin with; of all its columns when none is named."""
        name, members = self._split(text)
        table = next((program.tables[name] for program in self.programs if name in program.tables), None)
        rows = table.by_period[0].rows if table is not None and table.bands is not None else {}
        found = {Fraction(edge) for key, (edges, _) in rows.items() if not members or key == members for edge in edges if edge}
        if not found:
            raise NoFigureError(text)
        return sorted(found)

    def known(self, text: str) -> bool:
        """Whether the rules of any year have such a parameter or table; a table may lack a cell."""
        name = text.partition("[")[0].strip()
        return any(name in program.parameters or name in program.tables for program in self.programs)

    @staticmethod
    def _split(text: str) -> tuple[str, tuple[str, ...]]:
        match = _NAME.fullmatch(text)
        if match is None:
            raise NoFigureError(text)
        return match[1], tuple(part.strip() for part in match[2].split(",")) if match[2] else ()
