"""Reconciliation: which figures are held against those of the live system, and what may explain a difference."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from rbcalc_kernels.language.documents import ReconciledDoc, Text
from rbcalc_kernels.language.types import Number
from rbcalc_kernels.program.graph import Reconciled, Ref, Register, is_root
from rbcalc_kernels.program.names import Names
from rbcalc_kernels.program.overlays import Declarations
from rbcalc_kernels.program.values import constant
from rbcalc_kernels.source import Findings, suggest


def reconciliation_of(found: Declarations, names: Names, registers: Mapping[str, Register], findings: Findings) -> tuple[Reconciled, ...]:
    """The figures that files say are compared, their names resolved."""
    reader = _Reader(names, registers, findings)
    made = [reader.figure(name, declared.doc) for name, declared in found.reconciliation.items()]
    return tuple(each for each in made if each is not None)


class _Reader:
    """Resolves the names of the section, leaving what is wrong among the findings."""

    def __init__(self, names: Names, registers: Mapping[str, Register], findings: Findings) -> None:
        self.names, self.registers, self.findings = names, registers, findings
        self.columns = {f"{each.table}.{each.column}": ref for ref, each in names.inputs.items() if not each.built_in}

    def figure(self, name: str, doc: ReconciledDoc) -> Reconciled | None:
        entity = self.names.entities.get(str(doc.of))
        if entity is None or not is_root(self.names.entities, entity.name):
            roots = [name for name in self.names.entities if is_root(self.names.entities, name)]
            above = f"belongs to {entity.parent}" if entity is not None and entity.parent else "gathers rows"
            what = f"no such entity: {doc.of}" if entity is None else f"{doc.of} {above}"
            self.findings.error("RB086", what, doc.of.span, help=f"figures are compared for each {' or '.join(roots)}")
            return None
        ref = self._rule(doc.is_, Ref(str(doc.of), str(doc.is_)))
        if ref is None:
            return None
        type_ = self.names.type_of(ref)
        if not isinstance(type_, Number) or not type_.is_money or "/" in type_.unit:
            self.findings.error("RB088", f"'{doc.is_}' is no amount", doc.is_.span, help="an amount in £, for the whole year")
            return None
        blank = constant(doc.blank, type_, self.names, self.findings) if doc.blank is not None else None
        roundings = [self._rounded(text) for text in doc.roundings]
        facts = [self._known(text, self.columns, "fact") for text in doc.facts]
        records = [self._record(text) for text in doc.records]
        return Reconciled(
            name,
            str(doc.title),
            ref,
            Fraction(blank) if blank is not None and not isinstance(blank, str) else None,
            doc.optional,
            tuple(each for each in roundings if each is not None),
            tuple(self.columns[each] for each in facts if each),
            tuple(each for each in records if each),
        )

    def _rule(self, text: Text, ref: Ref) -> Ref | None:
        if ref in self.names.rules:
            return ref
        near = suggest(ref.name, [each.name for each in self.names.rules if each.entity == ref.entity]).strip(" ()")
        self.findings.error("RB039", f"{ref.entity} has no rule called {ref.name}", text.span, help=near)
        return None

    def _rounded(self, text: Text) -> Ref | None:
        entity, dot, name = str(text).partition(".")
        if not dot:
            self.findings.error("RB039", f"'{text}' does not say whose rule it is", text.span, help="as entity.name")
            return None
        ref = self._rule(text, Ref(entity, name))
        if ref is not None and not isinstance(self.names.type_of(ref), Number):
            self.findings.error("RB088", f"'{text}' cannot be rounded", text.span, help="an amount, or a rate")
            return None
        return ref

    def _known(self, text: Text, known: Mapping[str, object], what: str) -> str:
        if str(text) in known:
            return str(text)
        self.findings.error("RB039", f"no such {what}: {text}", text.span, help=f"as register.column{suggest(str(text), known)}")
        return ""

    def _record(self, text: Text) -> str:
        register = self.registers.get(str(text))
        if register is None:
            self.findings.error("RB087", f"no such register: {text}", text.span, help=suggest(str(text), self.registers).strip(" ()"))
        elif not register.dated:
            self.findings.error("RB087", f"the records of {text} have no days", text.span, help="name a register that is dated")
        else:
            return register.name
        return ""
