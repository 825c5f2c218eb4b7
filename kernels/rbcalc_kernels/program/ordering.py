"""The order in which rules can be worked out, and circles among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rbcalc_kernels.program.graph import Aggregate, Entity, Node, Op, Ref, Rule
from rbcalc_kernels.source import Findings, Span

MOST_STEPS = 250
"""So many steps may the date of reached() take from the facts."""

Edges = dict[Ref, list[tuple[Ref, Span | None]]]


def dependencies(rule: Rule, entities: Mapping[str, Entity]) -> tuple[list[tuple[Ref, Span | None]], list[tuple[Ref, Span | None]]]:
    """What a rule reads of its own time, and what it reads of the row before."""
    reading = rule.body.reading
    now = [(node.value, node.span) for node in reading if node.op in (Op.COLUMN, Op.KNOWN) and isinstance(node.value, Ref)]
    before = [(node.value, node.span) for node in reading if node.op is Op.PREVIOUS and isinstance(node.value, Ref)]
    derived = {name for name, entity in entities.items() if entity.derived}
    if derived:
        children = {node.value.child for node in reading if isinstance(node.value, Aggregate)}
        touched = {rule.entity} | {ref.entity for ref, _ in (*now, *before)} | children
        lines = (timeline for name in sorted(touched & derived) for timeline in entities[name].derived)
        now.extend((Ref(line.entity, line.effective), rule.span) for line in lines if line.effective is not None)
    return now, before


def ordered(rules: Sequence[Rule], entities: Mapping[str, Entity], findings: Findings) -> list[Rule]:
    """The rules, each after those that it reads.  A circle is a finding with the whole chain."""
    by_ref = {Ref(rule.entity, rule.name): rule for rule in rules}
    now: Edges = {}
    full: Edges = {}
    for ref, rule in by_ref.items():
        present, before = dependencies(rule, entities)
        now[ref] = [(other, span) for other, span in present if other in by_ref]
        full[ref] = now[ref] + [(other, span) for other, span in before if other in by_ref]
    result: list[Rule] = []
    for group in _groups(full):
        if len(group) == 1:
            only = group[0]
            circle = [(only, span) for other, span in now[only] if other == only]
            if circle:
                _report([only], now, by_ref, findings)
            result.append(by_ref[only])
            continue
        inside = {ref: [(o, s) for o, s in now[ref] if o in set(group)] for ref in group}
        for part in _groups(inside):
            if len(part) > 1 or any(o == part[0] for o, _ in inside[part[0]]):
                _report(part, inside, by_ref, findings)
            result.extend(by_ref[ref] for ref in part)
    return result


def _report(group: list[Ref], edges: Edges, by_ref: Mapping[Ref, Rule], findings: Findings) -> None:
    members = set(group)
    chain, spans = [group[0]], list[Span | None]()
    while True:
        other, span = next((o, s) for o, s in edges[chain[-1]] if o in members)
        spans.append(span)
        chain.append(other)
        if other in chain[:-1]:
            chain, spans = chain[chain.index(other) :], spans[chain.index(other) :]
            break
    start = by_ref[chain[0]]
    words = " -> ".join(ref.name for ref in chain)
    related = tuple(
        (span, f"{one.name} reads {other.name} here") for one, other, span in zip(chain, chain[1:], spans, strict=False) if span is not None
    )
    assert start.span is not None
    findings.error(
        "RB084",
        f"rules read each other in a circle: {words}",
        start.span,
        related=related,
        help="one of them must be worked out without the others, or read previous(...)",
    )


def _groups(edges: Edges) -> list[list[Ref]]:
    """Strongly connected groups, each after the groups that it reads (Tarjan, without recursion)."""
    index: dict[Ref, int] = {}
    low: dict[Ref, int] = {}
    on_stack: set[Ref] = set()
    stack: list[Ref] = []
    found: list[list[Ref]] = []
    for root in edges:
        if root in index:
            continue
        work: list[tuple[Ref, int]] = [(root, 0)]
        while work:
            ref, place = work.pop()
            if place == 0:
                index[ref] = low[ref] = len(index)
                stack.append(ref)
                on_stack.add(ref)
            descended = False
            targets = edges[ref]
            while place < len(targets):
                other = targets[place][0]
                place += 1
                if other not in index:
                    work.append((ref, place))
                    work.append((other, 0))
                    descended = True
                    break
                if other in on_stack:
                    low[ref] = min(low[ref], index[other])
            if descended:
                continue
            if low[ref] == index[ref]:
                group: list[Ref] = []
                while True:
                    other = stack.pop()
                    on_stack.discard(other)
                    group.append(other)
                    if other == ref:
                        break
                found.append(sorted(group, key=lambda r: index[r]))
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[ref])
    return found


def substituted(node: Node, bodies: Mapping[Ref, Node]) -> Node | None:
    """The node with rules replaced by their bodies, all the way down to facts; None where that comes to too many steps."""
    steps, pending = 0, [node]
    while pending:
        current = pending.pop()
        steps += 1
        if steps > MOST_STEPS:
            return None
        body = bodies.get(current.value) if current.op is Op.COLUMN and isinstance(current.value, Ref) else None
        pending.extend((body,) if body is not None else current.args)
    return _replaced(node, bodies)


def _replaced(node: Node, bodies: Mapping[Ref, Node]) -> Node:
    if node.op is Op.COLUMN and isinstance(node.value, Ref) and node.value in bodies:
        return _replaced(bodies[node.value], bodies)
    return Node(node.op, node.type, tuple(_replaced(arg, bodies) for arg in node.args), node.value, node.span)
