"""Reports: which totals a run adds up, which amounts are compared with the year before, and whose when rules change."""

from __future__ import annotations

from collections.abc import Sequence

from rbcalc_kernels.language.documents import ReportDoc, Text
from rbcalc_kernels.language.types import YES_NO, Choice, Number
from rbcalc_kernels.program.graph import Comparison, Difference, Impact, Ref, Report, is_root
from rbcalc_kernels.program.names import Names
from rbcalc_kernels.program.overlays import Declarations
from rbcalc_kernels.program.stating import ROWS
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
        _check_headings(doc, findings)
        if None not in by and None not in sums:
            made.append(
                Report(
                    name,
                    str(doc.title),
                    str(doc.of),
                    tuple(r for r in by if r),
                    tuple(r for r in sums if r),
                    str(doc.split or ""),
                    doc.down,
                    tuple((str(column), str(words)) for column, words in doc.headings.items()),
                )
            )
    return tuple(made)


def _check_headings(doc: ReportDoc, findings: Findings) -> None:
    """Headings are those of its own columns."""
    columns = [*(str(text) for text in (*doc.by, *doc.sum)), ROWS]
    for text in doc.headings:
        if str(text) not in columns:
            findings.error("RB039", f"the report has no column {text}", text.span, help=suggest(str(text), columns).strip(" ()"))


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


def impacts_of(found: Declarations, names: Names, reports: Sequence[Report], findings: Findings) -> tuple[Impact, ...]:
    """What files declare to be compared when rules change, names resolved."""
    made = []
    for name, declared in found.impacts.items():
        doc = declared.doc
        entity = names.entities.get(str(doc.of))
        if entity is None or not is_root(names.entities, entity.name):
            findings.error("RB086", f"'{doc.of}' is no entity that belongs to none", doc.of.span, help="compare rows such as accounts")
            continue
        amount, days = (_value(text, entity.name, names, findings) for text in (doc.amount, doc.days))
        for text, ref, unit in ((doc.amount, amount, "£"), (doc.days, days, "days")):
            if ref is not None and names.type_of(ref) != Number(unit):
                findings.error("RB088", f"'{text}' is no number of {unit}", text.span, help=f"a value with unit: {unit}")
        by = {str(text): _group(text, entity.name, names, findings) for text in doc.by}
        for each in doc.characteristics:
            if each.held is not None and str(each.held) not in by:
                findings.error("RB088", f"'{each.held}' is not among by:", each.held.span, help=suggest(str(each.held), by).strip(" ()"))
        if doc.split is not None and str(doc.split) not in {report.name for report in reports if report.split}:
            findings.error("RB039", f"no report that divides amounts is called {doc.split}", doc.split.span, help="one with split:")
        if amount is None or days is None or None in by.values():
            continue
        made.append(
            Impact(
                name,
                str(doc.title),
                entity.name,
                amount,
                days,
                tuple(ref for ref in by.values() if ref),
                str(doc.split or ""),
                tuple((str(each.title), by.get(str(each.held)) if each.held is not None else None) for each in doc.characteristics),
                doc.owed,
                str(doc.note or ""),
            )
        )
    return tuple(made)


def differences_of(found: Declarations, names: Names, findings: Findings) -> tuple[Difference, ...]:
    """The figures whose difference between two years files divide, names resolved."""
    made = []
    for name, declared in found.differences.items():
        doc = declared.doc
        entity = names.entities.get(str(doc.of))
        if entity is None or not is_root(names.entities, entity.name):
            help_ = "divide figures of rows such as accounts"
            findings.error("RB086", f"'{doc.of}' is no entity that belongs to none", doc.of.span, help=help_)
            continue
        beside = [each for each in names.entities.values() if each.parent == entity.name and (not each.spell or each.gaps or each.derived)]
        beside += [each for each in names.entities.values() if each.parent is not None and names.entities[each.parent].spell]
        if beside:
            what = f"rows of {beside[0].name} cannot be told apart by their days"
            findings.error("RB086", what, doc.of.span, help="differences are divided where all rows below are cut in time")
            continue
        figure = _value(doc.is_, entity.name, names, findings)
        if figure is not None and names.type_of(figure) != Number("£"):
            findings.error("RB088", f"'{doc.is_}' is no amount", doc.is_.span, help="an amount in £, for the whole year")
        steps = []
        for step in doc.steps:
            values = []
            for text in step.values:
                owner, _, last = str(text).rpartition(".")
                ref = Ref(owner or entity.name, last)
                if ref in names.rules or ref in names.inputs:
                    values.append(ref)
                else:
                    near = suggest(last, names.visible(ref.entity) if ref.entity in names.entities else names.entities).strip(" ()")
                    findings.error("RB039", f"{ref.entity} has no value called {last}", text.span, help=near)
            steps.append((str(step.title), tuple(values)))
        if figure is not None:
            made.append(Difference(name, str(doc.title), figure, str(doc.days), tuple(steps)))
    return tuple(made)


def _group(text: Text, root: str, names: Names, findings: Findings) -> Ref | None:
    """A value of the root, or of a spell entity right below it, by which rows fall into groups."""
    entity, _, name = str(text).rpartition(".")
    below = names.entities.get(entity)
    if entity and (below is None or below.parent != root or not below.spell):
        findings.error("RB086", f"'{entity}' is no spell entity of {root}", text.span, help="write name, or entity.name of such an entity")
        return None
    ref = Ref(entity or root, name)
    if ref not in names.inputs and ref not in names.rules:
        findings.error(
            "RB039", f"{ref.entity} has no value called {name}", text.span, help=suggest(name, names.visible(ref.entity)).strip(" ()")
        )
        return None
    if names.type_of(ref) != YES_NO and not isinstance(names.type_of(ref), Choice):
        findings.error("RB088", f"'{text}' is neither a member of a list nor yes/no", text.span, help="groups are members of a list")
        return None
    return ref


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
