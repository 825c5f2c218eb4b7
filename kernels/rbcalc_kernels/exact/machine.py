"""Expressions as flat lists of instructions, and the small stack machine that runs them.

Flat, because rules may nest deeper than Python likes to recurse, and because `if`, `and` and `or` are then jumps: what
does not apply is never worked out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from rbcalc_kernels.exact.operations import OPERATIONS, WITH_SETTING
from rbcalc_kernels.program.graph import Node, Op


class Kind(IntEnum):
    """The instructions.  Each is a tuple of the kind, a thing and a number."""

    CALL = 0  # function of so many values from the stack
    PUSH = 1  # a constant
    READ = 2  # function of the context and of so many values from the stack
    ATTEMPT = 3  # function of the context; a value jumps to the number, ABSENT goes on
    UNLESS = 4  # jump when the value taken from the stack is no
    JUMP = 5
    BOTH = 6  # jump when the last value is no and keep it, else drop it
    EITHER = 7  # jump when the last value is yes and keep it, else drop it
    WITH = 8  # function of the last value and a constant, which stand together


_CALL, _PUSH, _READ, _ATTEMPT, _UNLESS, _JUMP, _BOTH, _EITHER, _WITH = map(int, Kind)
"""The same as plain numbers: looking up a member costs as much as running an instruction."""

Instruction = tuple[int, Any, int]
Code = list[Instruction]

ABSENT: Final = object()
"""What an attempt gives when there is nothing to read."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How a node that reads its surroundings is run.

    `read(context, *values of args)` gives the value.  With an `otherwise` it may give ABSENT instead, and then the value
    is that of `otherwise`.
    """

    read: Callable[..., Any]
    args: tuple[Node, ...] = ()
    otherwise: Node | None = None


Binder = Callable[[Node], Bound]


def flatten(node: Node, bind: Binder) -> Code:
    """The instructions of an expression; `bind` says how what is no plain operator is read."""
    code: Code = []
    work: list[Node | Callable[[], None]] = [node]

    def emit(kind: Kind, what: Any = None, number: int = 0) -> Callable[[], None]:
        return lambda: code.append((int(kind), what, number))

    def branch(kind: Kind, holes: list[int], what: Any = None) -> Callable[[], None]:
        def add() -> None:
            holes.append(len(code))
            code.append((int(kind), what, -1))

        return add

    def land(holes: list[int]) -> Callable[[], None]:
        def fill() -> None:
            for hole in holes:
                kind, what, _ = code[hole]
                code[hole] = (kind, what, len(code))

        return fill

    while work:
        item = work.pop()
        if not isinstance(item, Node):
            item()
            continue
        todo: list[Node | Callable[[], None]]
        if item.op is Op.CONST:
            todo = [emit(Kind.PUSH, item.value)]
        elif item.op is Op.IF:
            condition, then, otherwise = item.args
            no: list[int] = []
            end: list[int] = []
            todo = [condition, branch(Kind.UNLESS, no), then, branch(Kind.JUMP, end), land(no), otherwise, land(end)]
        elif item.op in (Op.AND, Op.OR):
            kind = Kind.BOTH if item.op is Op.AND else Kind.EITHER
            holes: list[int] = []
            todo = [item.args[0]]
            for other in item.args[1:]:
                todo += [branch(kind, holes), other]
            todo.append(land(holes))
        elif item.op in WITH_SETTING and len(item.args) == 1:
            todo = [*item.args, emit(Kind.WITH, (OPERATIONS[item.op], item.value))]
        elif item.op in OPERATIONS and len(item.args) == 2 and item.args[1].op is Op.CONST:
            todo = [item.args[0], emit(Kind.WITH, (OPERATIONS[item.op], item.args[1].value))]
        elif item.op in OPERATIONS:
            todo = [*item.args, emit(Kind.CALL, OPERATIONS[item.op], len(item.args))]
        else:
            bound = bind(item)
            if bound.otherwise is not None:
                found: list[int] = []
                todo = [branch(Kind.ATTEMPT, found, bound.read), bound.otherwise, land(found)]
            else:
                todo = [*bound.args, emit(Kind.READ, bound.read, len(bound.args))]
        work.extend(reversed(todo))
    return code


def run(code: Code, context: object) -> Any:
    """The value of an expression."""
    stack: list[Any] = []
    push, pop = stack.append, stack.pop
    at, size = 0, len(code)
    while at < size:
        kind, what, number = code[at]
        at += 1
        if kind == _READ:
            if number:
                values = stack[-number:]
                del stack[-number:]
                push(what(context, *values))
            else:
                push(what(context))
        elif kind == _UNLESS:
            if not pop():
                at = number
        elif kind == _WITH:
            operation, constant = what
            push(operation(pop(), constant))
        elif kind == _CALL:
            if number == 2:
                right = pop()
                push(what(pop(), right))
            elif number == 1:
                push(what(pop()))
            else:
                values = stack[-number:]
                del stack[-number:]
                push(what(*values))
        elif kind == _PUSH:
            push(what)
        elif kind == _ATTEMPT:
            value = what(context)
            if value is not ABSENT:
                push(value)
                at = number
        elif kind == _JUMP or bool(stack[-1]) is (kind == _EITHER):
            at = number
        else:
            pop()
    return stack[-1]
