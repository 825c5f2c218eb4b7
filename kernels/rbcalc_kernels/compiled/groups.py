"""Which rules some outputs need, and which of them need one another through the row before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rbcalc_kernels.compiled.values import Nodes
from rbcalc_kernels.program.graph import Aggregate, Node, Program, Ref


def _needs(program: Program, node: Node, entity: str, nodes: Nodes) -> set[Ref]:
    """The columns that an expression reads, and those that say where the rows of derived entities begin."""
    found = set(nodes.refs(node))
    entities = {entity, *program.ancestors(entity), *(ref.entity for ref in found)}
    work = [node]
    while work:
        at = work.pop()
        work += at.args
        if isinstance(at.value, Aggregate):
            child = at.value.child
            entities |= {child, *program.ancestors(child)}
    return found.union(*(effective_dates(program, name) for name in entities))


def effective_dates(program: Program, entity: str) -> set[Ref]:
    """The rules that say where the rows of a derived entity begin."""
    timelines = program.entities[entity].derived
    return {Ref(timeline.entity, timeline.effective) for timeline in timelines if timeline.effective is not None}


def needed_groups(program: Program, outputs: Iterable[Ref], nodes: Nodes) -> Iterator[Sequence[Ref]]:
    """The rules needed, those that need one another together, each group after all that it needs.

    Tarjan's method without recursion, since chains of rules may be long.
    """
    rules = {Ref(rule.entity, rule.name): rule for rule in program.rules}
    place = {ref: at for at, ref in enumerate(rules)}
    index: dict[Ref, int] = {}
    low: dict[Ref, int] = {}
    stack: list[Ref] = []
    on_stack: set[Ref] = set()

    def needs(ref: Ref) -> Iterator[Ref]:
        found = _needs(program, rules[ref].body, ref.entity, nodes)
        return iter(sorted((other for other in found if other in rules), key=place.__getitem__))

    wanted = [ref for ref in outputs if ref in rules]
    for output in outputs:
        wanted += [ref for name in (output.entity, *program.ancestors(output.entity)) for ref in effective_dates(program, name)]
    for start in wanted:
        if start in index:
            continue
        work = [(start, needs(start))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            ref, others = work[-1]
            for other in others:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, needs(other)))
                    break
                if other in on_stack:
                    low[ref] = min(low[ref], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[ref])
                if low[ref] == index[ref]:
                    at = stack.index(ref)
                    group, stack[at:] = stack[at:], []
                    on_stack.difference_update(group)
                    yield sorted(group, key=place.__getitem__)
