"""Expressions of rules in words, for readers who have no account before them: titles stand where an account has values."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from rbcalc._show import amount
from rbcalc.explaining.words import rounded
from rbcalc.schemes.booklet_scope import stands_in
from rbcalc_kernels.language.types import DATE, YES_NO, Number
from rbcalc_kernels.program.graph import Aggregate, Node, Op, Program, Ref, Rounding, Value

_BRACES: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_SIGNS: Final = {Op.ADD: " + ", Op.SUB: " − ", Op.MUL: " × ", Op.DIV: " ÷ "}  # noqa: RUF001 - as they are printed
_PLACE: Final = {Op.ADD: 1, Op.SUB: 1, Op.MUL: 2, Op.DIV: 2}
_ATOM: Final = 3
_COMPARED: Final = {
    Op.EQ: "is",
    Op.NE: "is not",
    Op.LT: "is less than",
    Op.LE: "is at most",
    Op.GT: "is more than",
    Op.GE: "is at least",
}
_DAYS: Final = {Op.LT: "is before", Op.LE: "is not after", Op.GT: "is after", Op.GE: "is not before"}
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EXTREMES: Final = {Op.MIN: "the smallest of", Op.MAX: "the largest of"}
_OF_TWO: Final = {Op.MIN: "the smaller of", Op.MAX: "the larger of"}
_OF_ALL: Final = {"sum": "the sum, over", "count": "the number, over", "min": "the smallest, over", "max": "the largest, over"}
_CALENDAR: Final = {
    Op.YEAR: "the year of {}",
    Op.MONTH: "the month of {}",
    Op.DAY_OF_MONTH: "the day of the month of {}",
    Op.MONTHS_AFTER: "{1} months after {0}",
    Op.AFTER_MONTHS: "the day after {1} months from {0} on",
    Op.YEARS_BETWEEN: "the full years from {} to {}",
    Op.MONTHS_BETWEEN: "the full months from {} to {}",
}


def member(value: object) -> str:
    """A member of a list as people read it."""
    return str(value).replace("_", " ")


def quoted(title: str) -> str:
    """A title inside a sentence."""
    return f"‘{title}’"  # noqa: RUF001 - as they are printed


class Terms:
    """Writes expressions of one program in words."""

    def __init__(self, program: Program) -> None:
        """For the titles and the figures of `program`."""
        self.program = program
        self.titles = {ref: found.title or member(ref.name) for ref, found in program.inputs.items()}
        self.titles |= {Ref(rule.entity, rule.name): rule.title for rule in program.rules}
        self.by_name: dict[str, str] = {ref.name: title for ref, title in self.titles.items()}

    # ---------------------------------------------------------------------------------------------------------- names
    def title(self, ref: object) -> str:
        """The title of a fact or a rule, in quotation marks."""
        return quoted(self.titles.get(ref, str(ref)))  # type: ignore[call-overload]

    def figure(self, name: str) -> str:
        """A figure in force: in words where it is the same on all days, else its title."""
        parameter = self.program.parameters[name]
        values = set(parameter.by_period)
        return amount(parameter.by_period[0], parameter.type) if len(values) == 1 else quoted(parameter.title)

    def because(self, text: str) -> str:
        """A `because` line with titles and figures in place of the names in braces."""

        def told(match: re.Match[str]) -> str:
            name = match[1]
            if name in self.program.parameters:
                return self.figure(name)
            return quoted(self.by_name[name]) if name in self.by_name else member(name)

        return _BRACES.sub(told, " ".join(text.split()))

    # ------------------------------------------------------------------------------------------------------ conditions
    def when(self, node: Node) -> str:
        """A condition in words."""
        match node.op:
            case Op.CONST:
                return "always" if node.value else "never"
            case Op.AND | Op.OR:
                return self._joined(node)
            case Op.NOT:
                return self._denied(node.args[0])
            case Op.KNOWN:
                return f"{self.title(node.value)} is recorded"
            case Op.REACHED:
                return f"the day is {self.said(node.args[0])} or later"
            case Op.AGGREGATE:
                return self._members(node)
            case Op.IF:
                return self._either(node, self.when)
            case Op.PREVIOUS:
                return f"{self.title(node.value)} applied to the days before"
        if node.op in _COMPARED:
            return self._compared(node)
        return f"{self.said(node)} applies"

    def _joined(self, node: Node) -> str:
        word = " and " if node.op is Op.AND else " or "
        parts = self._same(node, node.op)
        known = {part.value for part in parts if part.op is Op.KNOWN} if node.op is Op.AND else set()
        # What is compared is recorded anyway, so that need not be said.
        read = [ref for part in parts if part.op is not Op.KNOWN for ref in self._read(part)]
        kept = [part for part in parts if part.op is not Op.KNOWN or part.value not in read or part.value not in known]
        if node.op is Op.OR and (told := self._listed(kept)):
            return told
        if len(kept) == 1:
            return self.when(kept[0])
        return word.join(self.when(part) if self._plain(part) else f"({self.when(part)})" for part in kept)

    def _plain(self, node: Node) -> bool:
        """Whether a condition can be said beside others without brackets."""
        return node.op not in (Op.AND, Op.OR, Op.AGGREGATE) or bool(node.op is Op.OR and self._listed(list(node.args)))

    def _listed(self, parts: list[Node]) -> str:
        """One value that is any of several members of a list."""
        if any(part.op is not Op.EQ or part.args[1].op is not Op.CONST for part in parts) or len({part.args[0] for part in parts}) != 1:
            return ""
        return f"{self.said(parts[0].args[0])} is one of {', '.join(self.said(part.args[1]) for part in parts)}"

    @staticmethod
    def _read(node: Node) -> list[object]:
        waiting, found = [node], []
        while waiting:
            one = waiting.pop()
            found += [one.value] if one.op is Op.COLUMN else []
            waiting += one.args
        return found

    def _denied(self, node: Node) -> str:
        match node.op:
            case Op.KNOWN:
                return f"{self.title(node.value)} is not recorded"
            case Op.REACHED:
                return f"the day is before {self.said(node.args[0])}"
            case Op.IF if stands_in(node) and _changes_nothing(node.args[2]):
                return self._denied(node.args[1])
            case Op.AND | Op.OR | Op.IF:
                return f"it is not so that {self.when(node)}"
            case Op.AGGREGATE:
                return self._members(node, denied=True)
            case Op.PREVIOUS:
                return f"{self.title(node.value)} did not apply to the days before"
            case Op.EQ:
                return self._compared(Node(Op.NE, node.type, node.args))
        return f"{self.said(node)} does not apply" if node.op not in _COMPARED else f"it is not so that {self.when(node)}"

    def _compared(self, node: Node) -> str:
        left, right = node.args
        if right.op is Op.CONST and right.value == 0 and isinstance(left.type, Number) and node.op in (Op.EQ, Op.GT):
            return f"{self.said(left)} is {'nought' if node.op is Op.EQ else 'more than nought'}"
        words = _COMPARED | (_DAYS if left.type == DATE else {})
        return f"{self.said(left)} {words[node.op]} {self.said(right)}"

    def _members(self, node: Node, *, denied: bool = False) -> str:
        aggregate, condition = node.value, node.args[1]
        assert isinstance(aggregate, Aggregate)
        of = quoted(self.program.entities[aggregate.child].title)
        if aggregate.function == "all":
            return f"{'not ' if denied else ''}for each {of}: {self.when(condition)}"
        return f"for {'no' if denied else 'any'} {of}: {self.when(condition)}"

    # --------------------------------------------------------------------------------------------------------- values
    def said(self, node: Node) -> str:
        """An expression in words."""
        return self._written(node)[0]

    def _written(self, node: Node) -> tuple[str, int]:
        match node.op:
            case Op.CONST:
                return self._constant(node.value, node), _ATOM
            case Op.COLUMN:
                return self.title(node.value), _ATOM
            case Op.PREVIOUS:
                return f"{self.title(node.value)} of the days before", _ATOM
            case Op.PARAMETER:
                return self.figure(str(node.value)), _ATOM
            case Op.PARAMETER_AT:
                title = self.program.parameters[str(node.value)].title
                return f"{quoted(title)} on {self.said(node.args[0])}", _ATOM
            case Op.LOOKUP:
                return self._looked_up(node), _ATOM
            case Op.ADD | Op.SUB | Op.MUL | Op.DIV:
                return self._arithmetic(node)
            case Op.NEG:
                return f"−{self._inside(node.args[0], _ATOM)}", 1  # noqa: RUF001
            case Op.MIN | Op.MAX:
                return self._extreme(node)
            case Op.IF if stands_in(node) and _changes_nothing(node.args[2]):
                return self._written(node.args[1])
            case Op.IF:
                return self._either(node, self.said), 0
            case Op.AS:
                return self._written(node.args[0])
            case Op.ROUND:
                assert isinstance(node.value, Rounding)
                return f"{self._inside(node.args[0], 1)}, {rounded(node.value)}", 0
            case Op.AGGREGATE if node.type != YES_NO:
                return self._over(node), 0
            case Op.NEXT_WEEKDAY:
                return f"the {_WEEKDAYS[int(str(node.value)) - 1]} after {self.said(node.args[0])}", _ATOM
            case Op.REFUSE:
                return "no result", _ATOM
        if node.op in _CALENDAR:
            return _CALENDAR[node.op].format(*(self._inside(arg, _ATOM) for arg in node.args)), _ATOM
        return f"whether {self.when(node)}", 0

    def _constant(self, value: object, node: Node) -> str:
        return amount(value, node.type) if isinstance(value, Value) else member(value)

    def _looked_up(self, node: Node) -> str:
        table = self.program.tables[str(node.value)]
        if table.bands is None and all(arg.op is Op.CONST for arg in node.args):
            place = tuple(str(arg.value) for arg in node.args)
            values = {cells.rows[place][1][0] if place in cells.rows else None for cells in table.by_period}
            if len(values) == 1 and None not in values:
                return amount(values.pop(), table.type)
        keys = " and ".join(self.said(arg) for arg in node.args)
        return f"the figure for {keys} in the table {quoted(table.title)}"

    def _inside(self, node: Node, least: int) -> str:
        text, place = self._written(node)
        return f"({text})" if place < least else text

    def _arithmetic(self, node: Node) -> tuple[str, int]:
        place = _PLACE[node.op]
        left, right = node.args
        after = place if node.op in (Op.ADD, Op.MUL) else place + 1
        return self._inside(left, place) + _SIGNS[node.op] + self._inside(right, after), place

    def _extreme(self, node: Node) -> tuple[str, int]:
        parts = self._same(node, node.op)
        if node.op is Op.MAX and len(parts) == 2 and parts[1].op is Op.CONST and parts[1].value == 0:
            return f"{self._inside(parts[0], 1)} (never less than nought)", 0
        texts = [self._inside(part, _ATOM) for part in parts]
        word = _OF_TWO[node.op] if len(parts) == 2 else _EXTREMES[node.op]
        return f"{word} {', '.join(texts[:-1])} and {texts[-1]}", 0

    def _same(self, node: Node, op: Op) -> list[Node]:
        return [part for arg in node.args for part in (self._same(arg, op) if arg.op is op else [arg])]

    def _either(self, node: Node, told: Callable[[Node], str]) -> str:
        condition, first, second = node.args
        if stands_in(node):
            return told(first) if _changes_nothing(second) else f"{told(first)}, or {told(second)} where it is not recorded"
        inner = f"({told(first)})" if first.op is Op.IF and not stands_in(first) else told(first)
        return f"{inner} if {self.when(condition)}, otherwise {told(second)}"

    def _over(self, node: Node) -> str:
        aggregate, (value, condition, *_) = node.value, node.args
        assert isinstance(aggregate, Aggregate)
        of = f"each {quoted(self.program.entities[aggregate.child].title)}"
        where = "" if condition.op is Op.CONST else f" for which {self.when(condition)}"
        what = "" if aggregate.function == "count" else f", of {self._inside(value, 1)}"
        return f"{_OF_ALL[aggregate.function]} {of}{where}{what}"


def _changes_nothing(node: Node) -> bool:
    """Whether what stands in for a fact that is not recorded goes without saying: nought, no, or some day."""
    return node.op is Op.CONST and (node.value == 0 or node.value is False or node.type == DATE)


__all__ = ["Terms", "member", "quoted"]
