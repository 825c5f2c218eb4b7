"""Statements: what a council makes of its totals, by rules whose facts are sums of reports."""

from __future__ import annotations

from collections.abc import Sequence

from rbcalc_kernels.language.documents import CountedDoc, Text
from rbcalc_kernels.language.types import Choice
from rbcalc_kernels.program.graph import Counted, Report, Statement
from rbcalc_kernels.program.names import Names
from rbcalc_kernels.program.overlays import Declarations
from rbcalc_kernels.source import Findings, suggest

ROWS = "rows"


def statements_of(found: Declarations, reports: Sequence[Report], names: Names, findings: Findings) -> tuple[Statement, ...]:
    """The statements that files declare; their own rules are linked when one is made."""
    known = {report.name: report for report in reports}
    made = []
    for name, declared in found.statements.items():
        doc = declared.doc
        figures = [_counted(fact, each, known, names, findings) for fact, each in doc.figures.items()]
        made.append(Statement(name, str(doc.title), str(doc.rules), tuple(each for each in figures if each is not None)))
    return tuple(made)


def _counted(fact: Text, doc: CountedDoc, reports: dict[str, Report], names: Names, findings: Findings) -> Counted | None:
    report = reports.get(str(doc.report))
    if report is None:
        findings.error("RB039", f"no report is called {doc.report}", doc.report.span, help=suggest(str(doc.report), reports).strip(" ()"))
        return None
    sums = [*(ref.name for ref in report.sums), ROWS]
    if str(doc.sum) not in sums:
        findings.error("RB039", f"{report.name} has no sum called {doc.sum}", doc.sum.span, help=suggest(str(doc.sum), sums).strip(" ()"))
        return None
    keys = [ref.name for ref in report.by]
    where = []
    for key, given in doc.where.items():
        if str(key) not in keys or report.split:
            help_ = "a divided report has no such keys" if report.split else suggest(str(key), keys).strip(" ()")
            findings.error("RB039", f"{report.name} is not by {key}", key.span, help=help_)
            continue
        type_ = names.type_of(report.by[keys.index(str(key))])
        assert isinstance(type_, Choice)
        members = [given] if isinstance(given, Text) else given
        for member in members:
            if str(member) not in type_.members:
                help_ = suggest(str(member), type_.members).strip(" ()")
                findings.error("RB039", f"{type_.name} has no member {member}", member.span, help=help_)
        where.append((keys.index(str(key)), tuple(str(member) for member in members)))
    return Counted(str(fact), report.name, sums.index(str(doc.sum)), tuple(where))
