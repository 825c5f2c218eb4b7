"""What an option rests on and the caseload does not give, and whether it changes any account at all: warnings in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rbcalc.comparing.suppression import THRESHOLD
from rbcalc_kernels.program.graph import Node, Op, Program, Ref

if TYPE_CHECKING:
    from rbcalc.caseload.model import Caseload
    from rbcalc.comparing.study import Outcome


@dataclass(slots=True)
class Fact:
    """An optional fact that rules of an option ask for and the baseline's do not: where it is read, and how many rows give it."""

    title: str
    table: str
    column: str
    rules: dict[str, None] = field(default_factory=dict)
    rows: int = 0
    given: int = 0

    @property
    def told(self) -> str:
        """What is to be known of the fact."""
        some = "none" if not self.given else f"{self.given:,}" if self.given >= THRESHOLD else f"fewer than {THRESHOLD}"
        place = f"{some} of {self.rows:,} rows of the table {self.table} {'give' if self.given else 'gives'}"
        known = f"It rests on a fact that {place}: {self.title} (column {self.column})."
        if self.given:
            return known
        rules = "; ".join(self.rules)
        return f"{known} Fill the column, from the live system or an earlier run, and ask again; until then nobody has it in: {rules}."


def asked_for(base: Program, program: Program, amount: Ref) -> dict[Ref, dict[str, None]]:
    """The optional facts that rules behind an amount ask for where the baseline's rules of the same name do not, with their titles."""
    before = {Ref(rule.entity, rule.name): rule.body for rule in base.rules}
    after = {Ref(rule.entity, rule.name): rule for rule in program.rules}
    found: dict[Ref, dict[str, None]] = {}
    waiting, seen = [(amount, "")], {amount}
    while waiting:
        ref, title = waiting.pop()
        if (rule := after.get(ref)) is None:
            continue
        title = title if rule.hidden else rule.title or rule.name
        reads, old = set(_reads(rule.body)), before.get(ref)
        waiting += [(each, title) for each in reads - seen]
        seen |= reads
        if rule.body is not old:
            for fact in _facts(program, reads) - (_facts(base, set(_reads(old))) if old is not None else set()):
                found.setdefault(fact, {})[title] = None
    return found


def _facts(program: Program, reads: set[Ref]) -> set[Ref]:
    return {ref for ref in reads if (fact := program.inputs.get(ref)) is not None and fact.optional and not fact.built_in}


def _reads(body: Node) -> Iterator[Ref]:
    waiting = [body]
    while waiting:
        node = waiting.pop()
        if isinstance(node.value, Ref) and node.op in (Op.COLUMN, Op.KNOWN, Op.AGGREGATE):
            yield node.value
        waiting += node.args


def facts_asked_for(
    base: Mapping[str, Program], programs: Mapping[str, Program], parts: Mapping[str, Caseload], amounts: Mapping[str, Ref]
) -> list[Fact]:
    """The optional facts that rules ask for besides the baseline's, in all councils, in the order of their columns."""
    facts: dict[tuple[str, str], Fact] = {}
    for council, program in programs.items():
        for ref, rules in asked_for(base[council], program, amounts[council]).items():
            asked = program.inputs[ref]
            column = asked.column or asked.name
            fact = facts.setdefault((asked.table, column), Fact(asked.title or asked.name, asked.table, column))
            fact.rules |= rules
            register = parts[council].registers.get(asked.table)
            if register is not None:
                mask = register.columns.get(f"{asked.name}?")
                fact.rows += register.count
                fact.given += int(np.count_nonzero(mask)) if mask is not None else 0
    return [facts[place] for place in sorted(facts)]


def alike(one: Mapping[str, Outcome], other: Mapping[str, Outcome]) -> bool:
    """Whether every account comes to the same."""
    return all(
        np.array_equal(mine.amount, other[council].amount) and np.array_equal(mine.rejected, other[council].rejected)
        for council, mine in one.items()
    )
