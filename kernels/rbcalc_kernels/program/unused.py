"""Declarations that nothing uses: a sign of a misspelt name or of a rule left behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from rbcalc_kernels.language.documents import Text, VersionDoc
from rbcalc_kernels.program.graph import Comparison, Impact, Node, Op, Ref, Report, Rule
from rbcalc_kernels.program.library import Library, RuleSource
from rbcalc_kernels.program.names import Names
from rbcalc_kernels.program.overlays import Declarations, Declared
from rbcalc_kernels.source import Findings

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def unused(
    found: Declarations,
    names: Names,
    rules: Sequence[Rule],
    tables: Mapping[str, Node],
    cuts: Sequence[tuple[str, Node]],
    asked: tuple[Sequence[Report], Sequence[Comparison], Sequence[Impact]],
    spared: Callable[[Declared], bool],
    findings: Findings,
) -> None:
    """Warn of inputs, parameters, tables and rules that nothing reads; what is `spared` is there for other programs."""
    later: set[str] = set()

    def in_other_years(name: str) -> bool:
        """Whether a version of a rule that is not in force this year reads the name."""
        if not later:
            texts = [text for declared in found.rules.values() for version in declared.doc.versions or () for text in _texts(version)]
            later.update(word for text in texts for word in _NAME.findall(str(text)))
            later.add("")
        return name in later

    values: set[Ref] = {Ref(t.entity, t.effective) for e in names.entities.values() for t in e.derived if t.effective is not None}
    reports, comparisons, impacts = asked
    values |= {ref for report in reports for ref in (*report.by, *report.sums)}
    values |= {ref for impact in impacts for ref in (impact.amount, impact.days, *impact.by)}
    figures: set[str] = {report.split for report in reports} | {name for c in comparisons for name in (c.table, c.less, c.base)}
    bodies = [*(rule.body for rule in rules), *(node for _, node in cuts), *tables.values()]
    for body in bodies:
        for node in body.reading:
            if isinstance(node.value, Ref):
                values.add(node.value)
            elif node.op in (Op.PARAMETER, Op.PARAMETER_AT, Op.LOOKUP, Op.KNOWN):
                figures.add(str(node.value).removesuffix("__known"))
    for ref, declared in names.inputs.items():
        if (
            ref not in values
            and not declared.built_in
            and declared.span is not None
            and not spared(found.inputs[ref.entity, ref.name])
            and not in_other_years(ref.name)
        ):
            findings.warning("RB085", f"no rule reads the input '{ref.name}'", declared.span, help="take it away, or read it in a rule")
    for name, declaration in (*found.parameters.items(), *found.tables.items()):
        if name not in figures and not spared(declaration) and not in_other_years(name):
            findings.warning("RB085", f"no rule reads '{name}'", declaration.span, help="take it away, or mend the name where it is read")
    for ref in names.rules:
        declaration_or_none = found.rules.get((ref.entity, ref.name))
        if declaration_or_none is None or ref in values or declaration_or_none.doc.output:
            continue
        if not spared(declaration_or_none) and not in_other_years(ref.name):
            findings.warning(
                "RB085", f"nothing uses the rule '{ref.name}'", declaration_or_none.span, help="mark it output: yes if people ask for it"
            )


def _texts(version: VersionDoc) -> Iterator[Text]:
    """The expressions of a version."""
    lines = version.first or []
    yield from (
        text for text in (version.is_, *(each for line in lines for each in (line.when, line.give, line.otherwise))) if text is not None
    )


def shared(found: Declarations, sources: Sequence[RuleSource], library: Library) -> Callable[[Declared], bool]:
    """Whether a declaration's file leaves the root to others, so that it serves several programs."""
    roots = [declared.file for declared in found.entities.values() if declared.doc.parent is None]
    by_file = {id(source.content): source for source in sources}

    @cache
    def leaves_out(file: int) -> bool:
        reached = library.closure([], Findings(), [by_file[file]])
        return all(source.content is not root for root in roots for source in reached)

    return lambda declared: declared.kind == "statute" and leaves_out(id(declared.file))
