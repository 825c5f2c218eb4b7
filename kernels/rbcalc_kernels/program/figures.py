"""Which figures steps of a calculation read, and whether two programs divide their rows alike."""

from __future__ import annotations

from collections.abc import Iterable

from rbcalc_kernels.program.graph import Node, Op, Program


def figures_of(nodes: Iterable[Node]) -> set[str]:
    """The parameters and tables that some steps of a calculation read."""
    figures = (Op.PARAMETER, Op.PARAMETER_AT, Op.LOOKUP, Op.KNOWN)
    return {str(reading.value) for node in nodes for reading in node.reading if reading.op in figures}


def cut_alike(one: Program, other: Program) -> bool:
    """Whether the rows of two programs begin and end on the same days, whatever the facts, and hold the same facts."""
    return (
        (one.first_day, one.last_day, one.periods, one.cuts) == (other.first_day, other.last_day, other.periods, other.cuts)
        and (one.entities, one.inputs, one.registers, one.lists) == (other.entities, other.inputs, other.registers, other.lists)
        and all(_figures(one, name) == _figures(other, name) for name in figures_of(node for _, node in one.cuts))
    )


def _figures(program: Program, name: str) -> object:
    """The figures of a name, by period and (of a parameter) by day."""
    parameter, table = program.parameters.get(name), program.tables.get(name)
    if parameter is not None:
        return parameter.by_period, [(dated.first_day, dated.value) for dated in parameter.history]
    return None if table is None else table.by_period
