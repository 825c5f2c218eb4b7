"""Every condition of every shipped rule of business rates is met both ways; what is asked for comes from the graph."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from agreement.observing import Observing, Seen
from agreement.rates.scenes import YEARS, mixed, program_of, rules
from rbcalc._years import FinancialYear
from rbcalc.rulebook.cases import CaseReader, case_files
from rbcalc_kernels.exact.faults import CalculationFault
from rbcalc_kernels.exact.spells import Builder
from rbcalc_kernels.language.documents import CasesFile, ExampleDoc
from rbcalc_kernels.program.graph import Node, Op, Program, Rule
from rbcalc_kernels.program.library import RuleSource

RATEPAYERS = 84
ALWAYS = {
    ("charged_value", Op.KNOWN): "without occupied_improvement_value such an apportionment was refused before",
    ("transition_start", Op.KNOWN): "without value_at_start a value_before was refused before",
    ("limit_value", Op.KNOWN): "without value_at_start a recorded_limit was refused before",
    ("mandatory_kind", Op.KNOWN): "charity_due is asked first, and it knows who the ratepayer is",
    ("mandatory_kind", Op.PARAMETER): "from 2024 on what is read here changes in 2035 at the earliest",
}
"""What the language or the statute asks for, though in these years it has one answer."""


class ByVersion(Observing):
    """Notes what it meets by the version of a rule: of two years with one wording, the conditions are the same places."""

    def _watched(self, rule: Rule, node: Node, way: tuple[int, ...]) -> Node:
        return super()._watched(rule, node, way or (hash(rule.body),))


class Examples(CaseReader):
    """The worked examples beside the statute, for the programs that are there already."""

    def _program(self, source: RuleSource, file: CasesFile, case: ExampleDoc) -> Program:
        if file.set or case.set or file.lists or file.council or case.council:
            return super()._program(source, file, case)
        return program_of(FinancialYear.of(str(case.year or file.year)).begins)


@cache
def seen() -> Seen:
    """What the ratepayers of all years and the worked examples meet."""
    found = Seen()
    made: dict[int, tuple[Observing, Builder]] = {}
    for year in YEARS:
        program = program_of(year)
        made[id(program)] = ByVersion(program, found), Builder(program)
        for records in mixed(year, 0, RATEPAYERS):
            run(*made[id(program)], records)
    examples = Examples(rules())
    for path in case_files([Path(rules().library.root) / "england" / "business_rates"]):
        for example in examples.read(path):
            key = id(example.program)
            made[key] = made.get(key) or (ByVersion(example.program, found), Builder(example.program))
            run(*made[key], example.records)
    return found


def run(evaluator: Observing, builder: Builder, records: object) -> None:
    try:
        evaluator.run(builder.build(records))  # type: ignore[arg-type]
    except CalculationFault:
        return


def test_every_condition_is_true_and_false() -> None:
    answers = {place: found for place, found in seen().answers.items() if place.node.op is not Op.REFUSE}
    assert len(answers) > 400
    wrong = {place: found for place, found in answers.items() if len(found) < 2}
    assert [f"{place}: only {found}" for place, found in wrong.items() if (place.rule.name, place.node.op) not in ALWAYS] == []
    assert {(place.rule.name, place.node.op) for place in wrong} == set(ALWAYS), "an exception that is none"
    assert all(found == {True} for found in wrong.values())
