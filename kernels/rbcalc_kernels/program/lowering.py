"""Rules made simpler before they are evaluated: members' expressions get names, and cuts rest on facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Final

from rbcalc_kernels.language.types import YES_NO
from rbcalc_kernels.program.graph import Aggregate, Case, Cells, Node, Op, Ref, Rule, Table
from rbcalc_kernels.program.library import remembered_as
from rbcalc_kernels.program.names import BUILT_IN, Names, Signature
from rbcalc_kernels.program.ordering import substituted
from rbcalc_kernels.source import Findings


@dataclass(slots=True)
class _Taken:
    """A rule as it was lowered before: what was given a name on the way, and which."""

    rule: Rule
    lowered: Rule
    asked: list[tuple[str, Node]]
    given: list[Rule]
    companions: list[str]


class Lowering:
    """Takes typed rules to the few forms that both evaluators know."""

    COMPANION: Final = "__known"

    def __init__(self, names: Names, findings: Findings, remembered: dict[object, object]) -> None:
        """A rule that was lowered before, for another program, is taken as it was where what it sums has the names that it had."""
        self.names, self.findings = names, findings
        self._known: dict[int, _Taken] = remembered_as(remembered, "lowered")
        self._hidden: dict[tuple[str, Node], Rule] = {}
        self._companions: dict[str, None] = {}

    def lowered(self, rules: Sequence[Rule]) -> list[Rule]:
        """The rules with members' expressions as hidden rules of the members; the hidden ones follow."""
        done = [self._rule(rule) for rule in rules]
        return done + list(self._hidden.values())

    def _rule(self, rule: Rule) -> Rule:
        known = self._known.get(id(rule))
        if known is None or not self._named_alike(known):
            known = _Taken(rule, rule, [], [], [])
            body = self._node(rule.body, known)
            cases = tuple([self._case(case, known) for case in rule.cases])
            if body is not rule.body or any(new is not old for new, old in zip(cases, rule.cases, strict=True)):
                known.lowered = replace(rule, body=body, cases=cases)
            self._known[id(rule)] = known
        self._companions.update(dict.fromkeys(known.companions))
        return known.lowered

    def _named_alike(self, known: _Taken) -> bool:
        """Whether all that a rule sums has the names here that it had before; what has none yet gets one."""
        return all(
            self._hidden_rule(child, node, known.rule, made).name == made.name
            for (child, node), made in zip(known.asked, known.given, strict=True)
        )

    def _case(self, case: Case, taken: _Taken) -> Case:
        when, give = self._node(case.when, taken) if case.when else None, self._node(case.give, taken)
        return case if when is case.when and give is case.give else Case(when, give, case.because, case.source)

    def _node(self, node: Node, taken: _Taken) -> Node:
        args = tuple([self._node(arg, taken) for arg in node.args])
        if node.op is Op.AGGREGATE:
            assert isinstance(node.value, Aggregate)
            args = tuple([self._named(arg, node.value.child, taken) if place < 2 else arg for place, arg in enumerate(args)])
        if node.op is Op.KNOWN and isinstance(node.value, str):
            # A test for a cell of a table is a look-up in its companion, which has yes or no in every place.
            taken.companions.append(node.value)
            return Node(Op.LOOKUP, YES_NO, args[: len(self.names.tables[node.value].axes)], node.value + self.COMPANION, node.span)
        if all(new is old for new, old in zip(args, node.args, strict=True)):
            return node
        return Node(node.op, node.type, args, node.value, node.span)

    def _named(self, node: Node, child: str, taken: _Taken) -> Node:
        if node.op in (Op.COLUMN, Op.CONST) and not (node.op is Op.COLUMN and isinstance(node.value, Ref) and node.value.entity != child):
            return node
        made = self._hidden_rule(child, node, taken.rule)
        taken.asked.append((child, node))
        taken.given.append(made)
        return Node(Op.COLUMN, node.type, (), Ref(child, made.name), node.span)

    def _hidden_rule(self, child: str, node: Node, rule: Rule, before: Rule | None = None) -> Rule:
        """The rule of the members that stands for an expression, made where there is none; `before` is the one that was made elsewhere."""
        key = (child, node)
        made = self._hidden.get(key)
        if made is None:
            name, title = f"{rule.name}__{child}_{len(self._hidden) + 1}", f"part of {rule.title}"
            made = before if before is not None and before.name == name and before.body is node else None
            if made is None or (made.title, made.source, made.origin, made.span) != (title, rule.source, rule.origin, rule.span):
                made = Rule(name, child, node.type, node, title, rule.source, (), None, True, rule.origin, rule.span)
            self._hidden[key] = made
            span = node.span or rule.span
            assert span is not None
            self.names.rules[Ref(child, name)] = Signature(Ref(child, name), node.type, span)
        return made

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
            for node in rule.body.reading:
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
        for node in day.reading:
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
