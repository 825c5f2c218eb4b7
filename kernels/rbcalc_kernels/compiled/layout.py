"""Where figures stand in the arrays that a kernel reads at run time: parameters, and tables as flat padded arrays."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import lcm
from typing import Final

import numpy as np
import numpy.typing as npt

from rbcalc_kernels.compiled.bounds import Interval, capacity, common_denominator, of_values
from rbcalc_kernels.compiled.numbers import FLOAT_LIMIT, Form, Num, Unfit, exact, form_for
from rbcalc_kernels.compiled.values import Flag, Held, Member
from rbcalc_kernels.language.types import DATE, YES_NO, Choice, Date, Number, Type
from rbcalc_kernels.program.graph import Bands, Cells, Parameter, Program, Table, Value

MISSING: Final = -(1 << 31)
"""What a table of int32 holds where it has no value."""

MISSING_WIDE: Final = -(1 << 60)
"""What a table of float64 holds there."""

_HISTORY: Final = "history of "

_FEW_EDGES: Final = 8
_MOST_DAYS: Final = 4096
"""Where so few days lie between more edges than that, a table of dates has a value for each day, so that nothing is searched."""

FIGURES: Final = "figures "
"""Arrays whose names begin so hold the parameters that a function reads together, made when first asked for."""

_NEVER: Final = float("inf")  # an edge that no amount reaches

Array = npt.NDArray[np.float64] | npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Figure:
    """How a figure is held: numerators over `den` within `value`'s range; codes for lists and yes/no."""

    type: Type
    den: int
    value: Interval

    def num(self, text: str) -> Num:
        """The figure as a number in a generated function."""
        scale = Interval.of(self.den, self.den)
        low, high = (self.value * scale).whole()
        form = Form.SMALL if form_for(low, high) is Form.SMALL else Form.FLOAT
        return exact(text, form, self.den, (), low, high, self.value)

    def encoded(self, value: Value) -> int | None:
        """The figure as a whole number; None when it does not fit."""
        if isinstance(self.type, Choice):
            return self.type.code(str(value))
        if self.type == YES_NO:
            return int(bool(value))
        assert isinstance(value, Fraction | int)
        code, rest = divmod(value.numerator * self.den, value.denominator)
        return code if not rest and self.value.low <= value <= self.value.high else None


def figure(kind: Type, values: Iterable[Value], step: Fraction, *, divisor: bool = False) -> Figure:
    """How figures of a type are held.  Raises Unfit when they have too many digits."""
    given = list(values)
    den = 1
    if isinstance(kind, Number):
        den = common_denominator([value for value in given if isinstance(value, Fraction | int)], step)
    found = Figure(kind, den, of_values(kind, given, step, divisor=divisor))
    if found.value.largest * den >= FLOAT_LIMIT:
        raise Unfit("RB091", f"a figure of up to {float(found.value.largest):.4g} with {den} parts has too many digits", "round it")
    return found


@dataclass(frozen=True, slots=True)
class TablePlace:
    """How a table is held.

    For each combination of list members (in order, the last axis fastest) `capacity` edges over `edge_den`, and one value
    more: the value of an amount that has passed k of the edges stands at place k.
    """

    name: str
    sizes: tuple[int, ...]
    bands: Bands | None
    capacity: int
    edge_den: int
    figure: Figure
    wide: bool
    complete: bool  # every combination has a value in every period
    first_edge: Fraction | None  # the greatest first edge of all combinations; None when values reach down without end
    shift: int | None = None  # what leads from each member of its only list to the member that it gives
    daily: int = 0  # values for each combination, one for each day, where it has them instead of edges; the only edge is their first day
    steady: bool = False  # the same in all parameter periods, as a parameter's history is, and not to be given other values later
    edges_of: str = ""  # the first table with the same lists, bands and edges in all periods; itself where there is none before

    @property
    def missing(self) -> int:
        """What stands where there is no value."""
        return MISSING_WIDE if self.wide else MISSING

    @property
    def slots(self) -> int:
        """Values for each combination."""
        if self.daily:
            return self.daily
        return self.capacity + 1 if self.bands else 1

    @property
    def edges(self) -> int:
        """Edges of all combinations."""
        return 1 if self.daily else self.combinations * self.capacity

    @property
    def combinations(self) -> int:
        """How many combinations of list members there are."""
        return int(np.prod(self.sizes, dtype=np.int64)) if self.sizes else 1


def history_name(parameter: str) -> str:
    """The name of a parameter's history as a table."""
    return f"{_HISTORY}{parameter}"


def history_table(parameter: Parameter) -> Table:
    """A parameter's history as a table over days."""
    edges = tuple(dated.first_day for dated in parameter.history)
    values = tuple(dated.value for dated in parameter.history)
    cells = (Cells({(): (edges, values)}),)
    return Table(parameter.name, parameter.type, (), Bands(DATE, False), cells, parameter.step, also=parameter.also)


def _place(name: str, table: Table) -> TablePlace:
    rows = [row for cells in table.by_period for row in cells.rows.values()]
    combinations = len(list(product(*(axis.members for axis in table.axes))))
    edges = [edge for row in rows for edge in row[0]]
    kind = figure(table.type, [value for row in rows for value in row[1]] + list(table.also), table.step)
    first: Fraction | None = None
    below = lcm(100, *(Fraction(edge).denominator for edge in edges))
    complete = all(len(cells.rows) == combinations for cells in table.by_period)
    if table.bands is not None:
        if isinstance(table.bands.type, Date):
            below = 1
        if table.bands.upper:
            complete = complete and all(len(values) > len(bounds) for bounds, values in rows)
        else:
            first = max((Fraction(row[0][0]) for row in rows if row[0]), default=Fraction(0))
    room = capacity(max((len(row[0]) for row in rows), default=0)) if table.bands else 0
    return TablePlace(
        name,
        tuple(len(axis.members) for axis in table.axes),
        table.bands,
        room,
        below,
        kind,
        kind.value.largest * kind.den >= -MISSING,
        complete,
        first,
        _shift(table, kind) if complete else None,
        _daily(table, combinations) if room > _FEW_EDGES else 0,
        len(table.by_period) == 1 or (not table.also and all(cells == table.by_period[0] for cells in table.by_period)),
    )


def _days(cells: Cells) -> tuple[int, int]:
    """The first and the last edge of dates."""
    edges = [int(edge) for bounds, _ in cells.rows.values() for edge in bounds]
    return (min(edges), max(edges)) if edges else (0, 0)


def _daily(table: Table, combinations: int) -> int:
    """Room for a value for each day from the one before the first edge to the one after the last; 0 where that is too much."""
    if table.bands is None or not isinstance(table.bands.type, Date):
        return 0
    spans = [_days(cells) for cells in table.by_period]
    room = capacity(max((last - first + 3 for first, last in spans), default=0))
    return room if room * combinations <= _MOST_DAYS else 0


def _shift(table: Table, kind: Figure) -> int | None:
    """By how many places a table moves along its list (from each band to the next, say); None when it does anything else."""
    if not isinstance(table.type, Choice) or len(table.axes) != 1 or table.bands is not None:
        return None
    found = {
        (kind.encoded(values[0]) or 0) - table.axes[0].code(keys[0])
        for cells in table.by_period
        for keys, (_, values) in cells.rows.items()
    }
    return found.pop() if len(found) == 1 else None


def _alike(table: Table, other: Table | None) -> bool:
    """Whether an amount passes as many edges of one table as of the other, whatever it is."""
    if other is None or (table.axes, table.bands, len(table.by_period)) != (other.axes, other.bands, len(other.by_period)):
        return False
    pairs = zip(table.by_period, other.by_period, strict=True)
    return all({keys: row[0] for keys, row in one.rows.items()} == {keys: row[0] for keys, row in two.rows.items()} for one, two in pairs)


def _first_alike(program: Program, key: str) -> str:
    table = program.tables.get(key)
    if table is None or table.bands is None:
        return key
    return next(name for name, other in program.tables.items() if _alike(table, other))


class Layout:
    """The figures that a program's kernels read, in the order in which they were asked for."""

    def __init__(self, program: Program, divisors: frozenset[str]) -> None:
        self.program = program
        self.divisors = divisors
        self.parameters: dict[str, tuple[int, Figure]] = {}
        self.tables: dict[str, TablePlace] = {}

    def parameter(self, name: str) -> Figure:
        """How a parameter is held; it is given a place when first asked for."""
        if name not in self.parameters:
            self.parameters[name] = (len(self.parameters), self._parameter(self.program.parameters[name]))
        return self.parameters[name][1]

    def parameter_place(self, name: str) -> tuple[int, Held]:
        """A parameter's place in the array, and how its number is held there."""
        self.parameter(name)
        place, held = self.parameters[name]
        if isinstance(held.type, Choice):
            return place, Member("", len(held.type.members))
        return place, Flag("") if held.type == YES_NO else held.num("")

    def table(self, name: str, *, history: bool = False) -> TablePlace:
        """How a table (or a parameter's history, as a table) is held."""
        key = history_name(name) if history else name
        if key not in self.tables:
            self.tables[key] = replace(_place(key, self._table(self.program, key)), edges_of=_first_alike(self.program, key))
        return self.tables[key]

    def _parameter(self, parameter: Parameter) -> Figure:
        return figure(parameter.type, (*parameter.by_period, *parameter.also), parameter.step, divisor=parameter.name in self.divisors)

    @staticmethod
    def _table(program: Program, key: str) -> Table:
        if key.startswith(_HISTORY):
            return history_table(program.parameters[key.removeprefix(_HISTORY)])
        return program.tables[key]

    def arrays(self, program: Program, known: tuple[Program, Mapping[str, Array]] | None = None) -> dict[str, Array] | None:
        """The arrays of a program of the same shape: `parameters` and, for each table, its edges and cells.

        All have one row for each period.  None when a figure is outside what the kernels were proved for.  `known` are a
        program and its arrays, of which those of tables that are the same are taken over.
        """
        found: dict[str, Array] = {}
        width = len(self.parameters)
        flat = np.zeros((max(1, len(program.periods)), max(1, width)), dtype=np.float64)
        for name, (place, held) in self.parameters.items():
            parameter = program.parameters.get(name)
            if parameter is None or parameter.type != held.type:
                return None
            for period, value in enumerate(parameter.by_period):
                code = held.encoded(value)
                if code is None:
                    return None
                flat[period, place] = code
        found["parameters"] = flat
        for key, place_of in self.tables.items():
            if known is not None and all(self._same(program, known[0], each) for each in {key, place_of.edges_of}):
                found.update({name: known[1][name] for name in (f"{key} edges", f"{key} cells")})
                continue
            cells = self._filled(program, key, place_of)
            if cells is None:
                return None
            found[f"{key} edges"], found[f"{key} cells"] = cells
        return found

    def changed(self, program: Program, names: Collection[str], known: Mapping[str, Array]) -> dict[str, Array] | None:
        """The arrays of a program of which only the figures of these names differ from what is known.

        None when a figure is outside what the kernels were proved for.
        """
        found = {key: array for key, array in known.items() if not key.startswith(FIGURES)}
        flat = found["parameters"] = known["parameters"].copy()
        for name in names:
            if name in self.parameters:
                place, held = self.parameters[name]
                for period, value in enumerate(program.parameters[name].by_period):
                    code = held.encoded(value)
                    if code is None:
                        return None
                    flat[period, place] = code
        keys = {*names, *(history_name(name) for name in names)}
        keys |= {key for key, place_of in self.tables.items() if place_of.edges_of in keys}
        for key in keys & self.tables.keys():
            cells = self._filled(program, key, self.tables[key])
            if cells is None:
                return None
            found[f"{key} edges"], found[f"{key} cells"] = cells
        return found

    @staticmethod
    def _same(program: Program, other: Program, key: str) -> bool:
        """Whether a table (or a parameter's history) holds the same in two programs."""
        if key.startswith(_HISTORY):
            name = key.removeprefix(_HISTORY)
            return name in other.parameters and program.parameters.get(name) == other.parameters[name]
        return key in other.tables and program.tables.get(key) == other.tables[key]

    def _filled(self, program: Program, key: str, place: TablePlace) -> tuple[Array, Array] | None:
        try:
            table = self._table(program, key)
        except KeyError:
            return None
        now = _place(key, table)
        same = (now.sizes, now.bands) == (place.sizes, place.bands) and now.capacity <= place.capacity
        if (place.daily and not 0 < now.daily <= place.daily) or (place.steady and not now.steady):
            return None
        if not same or (place.complete and not now.complete) or place.edge_den % now.edge_den:
            return None
        if place.shift is not None and now.shift != place.shift:
            return None
        if place.edges_of != key and not _alike(table, program.tables.get(place.edges_of)):
            return None
        if place.first_edge is not None and (now.first_edge is None or now.first_edge > place.first_edge):
            return None
        periods = len(table.by_period)
        edges = np.full((periods, max(1, place.edges)), _NEVER)
        cells = np.full((periods, place.combinations * place.slots), place.missing, np.float64 if place.wide else np.int32)
        for period, contents in enumerate(table.by_period):
            if place.daily:
                edges[period, 0] = _days(contents)[0] - 1
            if not self._fill_period(table, place, contents.rows, edges[period], cells[period]):
                return None
        return edges, cells

    @staticmethod
    def _fill_period(
        table: Table,
        place: TablePlace,
        rows: Mapping[tuple[str, ...], tuple[tuple[Fraction | int, ...], tuple[Value, ...]]],
        edges: Array,
        cells: Array,
    ) -> bool:
        for at, keys in enumerate(product(*(axis.members for axis in table.axes))):
            if keys not in rows:
                continue
            bounds, values = rows[keys]
            skip = 1 if place.bands is not None and not place.bands.upper else 0
            codes = [code for code in map(place.figure.encoded, values) if code is not None]
            if len(codes) < len(values):
                return False
            if place.daily:
                found = np.array([*[place.missing] * skip, *codes, place.missing], dtype=cells.dtype)
                days = edges[0] + np.arange(place.daily)
                passed = np.searchsorted(np.array(bounds, dtype=np.float64), days, side="right" if skip else "left")
                cells[at * place.daily : (at + 1) * place.daily] = found[passed]
                continue
            for k, edge in enumerate(bounds):
                edges[at * place.capacity + k] = int(Fraction(edge) * place.edge_den)
            for k, code in enumerate(codes):
                cells[at * place.slots + k + skip] = code
        return True
