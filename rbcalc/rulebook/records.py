"""Written-out facts of one account: from the texts of a case file to typed records, and their columns."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from rbcalc_kernels.language.documents import Text
from rbcalc_kernels.language.types import DATE, YES_NO, Choice, Number, Type
from rbcalc_kernels.program.graph import Input, Program, Register, Value
from rbcalc_kernels.program.names import Names
from rbcalc_kernels.program.values import constant, day_of
from rbcalc_kernels.source import Findings, suggest

Records = dict[str, list[dict[str, Value | None]]]


def value_of(text: Text, type_: Type, findings: Findings) -> Value | None:
    """A fact as its type has it, or None with a finding."""
    if type_ == YES_NO:
        if text in ("yes", "no"):
            return text == "yes"
        findings.error("RB037", "expected yes or no", text.span)
        return None
    if type_ == DATE:
        return day_of(text, findings)
    if isinstance(type_, Choice):
        if text in type_.members:
            return str(text)
        findings.error(
            "RB039",
            f"{text} is not one of {type_.name}",
            text.span,
            help=f"{', '.join(type_.members[:12])}{suggest(str(text), type_.members)}",
        )
        return None
    return constant(text, type_, Names(), findings)


class RecordReader:
    """Reads the facts that case files give, for one program."""

    def __init__(self, program: Program, findings: Findings) -> None:
        """Read for `program`, leaving what is wrong among `findings`."""
        self.program, self.findings = program, findings
        self.inputs: dict[str, dict[str, Input]] = {name: {} for name in program.registers}
        for found in program.inputs.values():
            if not found.built_in:
                self.inputs[found.table][found.column] = found

    def merged(self, shared: Mapping[Text, Any], own: Mapping[Text, Any]) -> dict[Text, Any]:
        """The facts of a case laid over those that all cases of the file share."""
        result: dict[Text, Any] = dict(shared)
        for register, given in own.items():
            base = shared.get(register, {})
            first = base[0] if isinstance(base, list) and base else base if isinstance(base, dict) else {}
            if isinstance(given, dict):
                result[register] = {**first, **given}
            elif isinstance(given, list):
                result[register] = [{**first, **record} if isinstance(record, dict) else record for record in given]
            else:
                result[register] = given
        return result

    def records(self, given: Mapping[Text, Any]) -> Records:
        """The typed records of each register."""
        found: Records = {name: [] for name in self.program.registers}
        for register_name, rows in given.items():
            register = self.program.registers.get(str(register_name))
            if register is None:
                known = list(self.program.registers)
                self.findings.error(
                    "RB039",
                    f"no such register: {register_name}",
                    register_name.span,
                    help=f"one of {', '.join(known)}{suggest(str(register_name), known)}",
                )
                continue
            for row in rows if isinstance(rows, list) else [rows]:
                if isinstance(row, Mapping):
                    found[register.name].append(self._record(register, row))
                elif row:
                    self.findings.error("RB037", "expected a mapping of facts", register_name.span)
        return found

    def _record(self, register: Register, row: Mapping[Text, Any]) -> dict[str, Value | None]:
        record: dict[str, Value | None] = {}
        inputs = self.inputs[register.name]
        references = {register.key, register.by, *register.references} - {""}
        for column, text in row.items():
            if not isinstance(text, Text):
                self.findings.error("RB037", "expected one value", column.span)
            elif str(column) in references:
                record[str(column)] = str(text)
            elif str(column) in ("from", "to") and register.dated:
                record[str(column)] = day_of(text, self.findings) if text else None
            elif str(column) == register.order_by and str(column) not in inputs:
                record[str(column)] = constant(text, Number("count"), Names(), self.findings)
            elif str(column) in inputs:
                found = inputs[str(column)]
                value = value_of(text, found.type, self.findings) if text else None
                if value is not None and self._in_range(found, value, text):
                    record[str(column)] = value
            else:
                known = [*inputs, *references, *(["from", "to"] if register.dated else [])]
                self.findings.error(
                    "RB039",
                    f"{register.name} has no column {column}",
                    column.span,
                    help=suggest(str(column), known).strip(" ()") or f"columns: {', '.join(known[:30])}",
                )
        return record

    def _in_range(self, found: Input, value: Value, text: Text) -> bool:
        if not (isinstance(found.type, Number) or found.type == DATE) or isinstance(value, str | bool):
            return True
        if not found.low <= value <= found.high:
            self.findings.error(
                "RB058",
                f"{text} is outside the range of {found.name}",
                text.span,
                help=f"{found.title}: the range is declared with the input",
            )
            return False
        if isinstance(found.type, Number) and (Fraction(value) / found.step).denominator != 1:
            self.findings.error("RB059", f"{text} is finer than {found.name} can be", text.span, help=f"a multiple of {found.step}")
            return False
        return True
