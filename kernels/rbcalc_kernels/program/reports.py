"""Reports: which totals a run adds up, and which amounts are compared with the year before."""

from __future__ import annotations

from rbcalc_kernels.language.documents import Text
from rbcalc_kernels.language.types import YES_NO, Choice, Number
from rbcalc_kernels.program.graph import Comparison, Ref, Report
from rbcalc_kernels.program.names import Names
from rbcalc_kernels.program.overlays import Declarations
from rbcalc_kernels.program.values import source_of
from rbcalc_kernels.source import Findings, suggest


def reports_of(found: Declarations, names: Names, findings: Findings) -> tuple[Report, ...]:
    """The reports that files declare, their names resolved."""
    made = []
    for name, declared in found.reports.items():
        doc = declared.doc
        if str(doc.of) not in names.entities:
            findings.error("RB086", f"no such entity: {doc.of}", doc.of.span, help=suggest(str(doc.of), names.entities).strip(" ()"))
            continue
        by = [_value(text, str(doc.of), names, findings) for text in doc.by]
        sums = [_value(text, str(doc.of), names, findings) for text in doc.sum]
        for text, ref in zip(doc.by, by, strict=True):
            if ref is not None and not isinstance(names.type_of(ref), Choice):
                findings.error("RB088", f"'{text}' is not a member of a list", text.span, help="totals are by members of a list")
        for text, ref in zip(doc.sum, sums, strict=True):
            if ref is not None and not isinstance(names.type_of(ref), Number):
                findings.error("RB088", f"'{text}' cannot be added up", text.span, help="an amount, a count or days")
        if doc.split is not None:
            _check_split(doc.split, [names.type_of(ref) for ref in by if ref is not None], names, findings)
        if None not in by and None not in sums:
            made.append(
                Report(name, str(doc.title), str(doc.of), tuple(r for r in by if r), tuple(r for r in sums if r), str(doc.split or ""))
            )
    return tuple(made)


def comparisons_of(found: Declarations, names: Names, findings: Findings) -> tuple[Comparison, ...]:
    """The comparisons that files declare, their tables checked."""
    made = []
    for name, declared in found.comparisons.items():
        doc = declared.doc
        good = True
        for text in (doc.table, doc.less, doc.base):
            if str(text) not in names.tables:
                findings.error("RB039", f"no such table: {text}", text.span, help=suggest(str(text), names.tables).strip(" ()"))
                good = False
        if not doc.decimals.isdigit():
            findings.error("RB088", f"'{doc.decimals}' is no number of decimals", doc.decimals.span, help="0, 1 or 2")
            good = False
        if not good:
            continue
        axis = names.tables[str(doc.table)].axes[:1]
        for text in (doc.less, doc.base):
            shape = names.tables[str(text)]
            if shape.axes != axis * 2 or shape.type != YES_NO:
                findings.error(
                    "RB088", f"'{text}' does not say which amounts go together", text.span, help="a yes/no table over the first axis twice"
                )
        source, _ = source_of(declared.file, (doc.source, doc.status))
        made.append(
            Comparison(
                name,
                str(doc.title),
                str(doc.table),
                str(doc.less),
                str(doc.base),
                int(doc.decimals) if doc.decimals.isdigit() else 0,
                source,
            )
        )
    return tuple(made)


def _value(text: Text, entity: str, names: Names, findings: Findings) -> Ref | None:
    ref = Ref(entity, str(text))
    if ref in names.inputs or ref in names.rules:
        return ref
    findings.error("RB039", f"{entity} has no value called {text}", text.span, help=suggest(str(text), names.visible(entity)).strip(" ()"))
    return None


def _check_split(text: Text, by: list[object], names: Names, findings: Findings) -> None:
    shape = names.tables.get(str(text))
    if shape is None:
        findings.error("RB039", f"no such table: {text}", text.span, help=suggest(str(text), names.tables).strip(" ()"))
    elif not shape.axes or shape.bands is not None or any(axis not in by for axis in shape.axes[1:]) or shape.axes[0] in by:
        findings.error(
            "RB088",
            f"sums cannot be divided by '{text}'",
            text.span,
            help="its first axis is what they are divided over; its other axes must be among by:",
        )
