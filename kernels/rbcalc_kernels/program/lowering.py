"""Rules made simpler before they are evaluated: members' expressions get names, and cuts rest on facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Final

from rbcalc_kernels.language.types import YES_NO
from rbcalc_kernels.program.graph import Aggregate, Case, Cells, Node, Op, Ref, Rule, Table
from rbcalc_kernels.program.names import BUILT_IN, Names, Signature
from rbcalc_kernels.program.ordering import substituted
from rbcalc_kernels.program.tables import reads
from rbcalc_kernels.source import Findings


class Lowering:
    """Takes typed rules to the few forms that both evaluators know."""

    COMPANION: Final = "__known"

    def __init__(self, names: Names, findings: Findings) -> None:
        self.names, self.findings = names, findings
        self._hidden: dict[tuple[str, Node], Rule] = {}
        self._companions: set[str] = set()

    def lowered(self, rules: Sequence[Rule]) -> list[Rule]:
        """The rules with members' expressions as hidden rules of the members; the hidden ones follow."""
        done = []
        for rule in rules:
            cases = tuple(
                Case(self._node(c.when, rule) if c.when else None, self._node(c.give, rule), c.because, c.source) for c in rule.cases
            )
            done.append(replace(rule, body=self._node(rule.body, rule), cases=cases))
        return done + list(self._hidden.values())

    def _node(self, node: Node, rule: Rule) -> Node:
        args = tuple(self._node(arg, rule) for arg in node.args)
        if node.op is Op.AGGREGATE:
            assert isinstance(node.value, Aggregate)
            args = tuple(self._named(arg, node.value.child, rule) if place < 2 else arg for place, arg in enumerate(args))
        if node.op is Op.KNOWN and isinstance(node.value, str):
            # A test for a cell of a table is a look-up in its companion, which has yes or no in every place.
            self._companions.add(node.value)
            return Node(Op.LOOKUP, YES_NO, args[: len(self.names.tables[node.value].axes)], node.value + self.COMPANION, node.span)
        return Node(node.op, node.type, args, node.value, node.span)

    def _named(self, node: Node, child: str, rule: Rule) -> Node:
        if node.op in (Op.COLUMN, Op.CONST) and not (node.op is Op.COLUMN and isinstance(node.value, Ref) and node.value.entity != child):
            return node
        key = (child, node)
        if key not in self._hidden:
            name = f"{rule.name}__{child}_{len(self._hidden) + 1}"
            self._hidden[key] = Rule(
                name, child, node.type, node, f"part of {rule.title}", rule.source, (), None, True, rule.origin, rule.span
            )
            span = node.span or rule.span
            assert span is not None
            self.names.rules[Ref(child, name)] = Signature(Ref(child, name), node.type, span)
        return Node(Op.COLUMN, node.type, (), Ref(child, self._hidden[key].name), node.span)

    def companions(self, tables: dict[str, Table]) -> dict[str, Table]:
        """The yes/no tables that tell which cells there are."""
        made = {}
        for name in self._companions:
            table = tables.get(name)
            if table is None:
                continue
            by_period = tuple(
                Cells({members: ((), (members in cells.rows,)) for members in product(*(axis.members for axis in table.axes))})
                for cells in table.by_period
            )
            made[name + self.COMPANION] = Table(
                name + self.COMPANION, YES_NO, table.axes, None, by_period, Fraction(1), table.title, table.source, table.span
            )
        return made

    def cuts(self, rules: Sequence[Rule]) -> list[tuple[str, Node]]:
        """The dates at which spells must be divided, by the entity whose facts they are worked out from."""
        bodies = {Ref(rule.entity, rule.name): rule.body for rule in rules}
        found: dict[tuple[str, Node], None] = {}
        for rule in rules:
            for node in reads(rule.body):
                if node.op is not Op.REACHED:
                    continue
                spell = self.names.spell_of(rule.entity)
                if spell is not None and self.names.entities[spell].derived:
                    self._refuse(node, "reached is for spells cut from facts, not for rows worked out during the run")
                    continue
                day = substituted(node.args[0], bodies)
                if day is None:
                    self._refuse(node, "the date of reached() takes too many steps from the facts")
                elif self._rests_on_facts(day, node):
                    found[(rule.entity, day)] = None
        return list(found)

    def _rests_on_facts(self, day: Node, at: Node) -> bool:
        for node in reads(day):
            if node.op in (Op.AGGREGATE, Op.PREVIOUS, Op.REACHED):
                self._refuse(at, "the date of reached() must rest on facts alone, not on other rows or periods")
                return False
            if node.op is Op.COLUMN and isinstance(node.value, Ref) and node.value.name in BUILT_IN and node.value in self.names.inputs:
                self._refuse(at, f"the date of reached() cannot rest on {node.value.name}, which the cut itself decides")
                return False
        return True

    def _refuse(self, node: Node, message: str) -> None:
        assert node.span is not None
        self.findings.error("RB052", message, node.span, help="work the date out from facts and parameters")
