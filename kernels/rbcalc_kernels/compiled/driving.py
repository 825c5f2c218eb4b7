"""Machine code that takes a straight run of functions over many rows, a chunk at a time, for one thread or several.

What is to be done stands in two kinds of tables of 64-bit numbers.  `Shared` is one for all threads: which chunk is next, how
many rows one has, and what went wrong.  `Own` is one for each thread: where the shared one is, and for each function where
its machine code is, where its arguments go, and from what each is made: a base, and how far it moves with each row.

A thread claims its own table before it does anything, so that one that wakes up late, when the others have done its work, is
turned away: the table's state is taken from `OFFERED` to `TAKEN` and then `DONE`, and the one who called the others takes it
from `OFFERED` to `DONE` when no chunk is left.  Nobody waits for a thread that has not begun.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, Final

DRIVE: Final = "rbcalc_drive"
OFFERED, TAKEN, DONE = 0, 1, 2
LINE: Final = 64
"""Bytes that are looked at together for marks; what is marked has room for whole ones, and begins at one for each chunk."""

_PATIENCE: Final = 20_000
"""How often another thread's state is read before the caller is told that it is still at work: some ten microseconds."""


class Shared(IntEnum):
    """The places of the table that all threads share: `FLAGS` is where a byte stands for each chunk, set where rows were marked."""

    NEXT = 0
    CHUNKS = 1
    SIZE = 2
    ROWS = 3
    FAILED = 4
    FLAGS = 5


class Own(IntEnum):
    """The places of a thread's table, followed by the steps.

    `OTHERS` and `MARKS` say where lists stand that end with a 0: the tables of the threads that were called, and for each
    column of marks where a chunk's are, where all rows' are, and the bytes of one.  A step is the function, the table of
    its arguments, how many there are after the count of rows, and a base and a stride for each; a 0 ends the steps.
    """

    SHARED = 0
    STATE = 1
    OTHERS = 2
    MARKS = 3
    STEPS = 4


class _Text:
    """Writes plain statements over 64-bit numbers and tables of them."""

    def __init__(self, ir: Any, function: Any) -> None:
        self.ir = ir
        self.whole = ir.IntType(64)
        self.builder = ir.IRBuilder(function.append_basic_block())

    def number(self, value: int) -> Any:
        """A number that is known."""
        return self.ir.Constant(self.whole, value)

    def place(self, table: Any, at: Any, kind: Any = None, step: int = 8) -> Any:
        """Where a table, of which the address is known as a number, has its place `at`."""
        offset = self.builder.mul(at, self.number(step)) if not isinstance(at, int) else self.number(at * step)
        return self.builder.inttoptr(self.builder.add(table, offset), (kind or self.whole).as_pointer())

    def read(self, table: Any, at: Any) -> Any:
        """A number of a table."""
        return self.builder.load(self.place(table, at))

    def variable(self, value: Any) -> Any:
        """A variable with its first value."""
        with self.builder.goto_entry_block():
            found = self.builder.alloca(self.whole if isinstance(value, int) else value.type)
        self.builder.store(self.number(value) if isinstance(value, int) else value, found)
        return found

    def plus(self, variable: Any, value: Any) -> None:
        """Add to a variable."""
        added = self.number(value) if isinstance(value, int) else value
        self.builder.store(self.builder.add(self.builder.load(variable), added), variable)

    def claimed(self, table: Any, state: int) -> Any:
        """Take a thread's table from being offered to another state; whether it was."""
        pair = self.builder.cmpxchg(
            self.place(table, Own.STATE), self.number(OFFERED), self.number(state), ordering="acq_rel", failordering="acquire"
        )
        return self.builder.extract_value(pair, 1)

    @contextmanager
    def during(self, condition: Callable[[], Any]) -> Iterator[None]:
        """What is done again and again while something holds."""
        head, body, after = (self.builder.append_basic_block() for _ in range(3))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        self.builder.cbranch(condition(), body, after)
        self.builder.position_at_end(body)
        yield
        self.builder.branch(head)
        self.builder.position_at_end(after)


def write(ir: Any, module: Any, failed: int) -> None:
    """Write the function into a module: it works at what a thread's table says, and gives how many of the others are still at work.

    `failed` is what functions give that went wrong.
    """
    function = ir.Function(module, ir.FunctionType(ir.IntType(64), [ir.IntType(64)]), DRIVE)
    text = _Text(ir, function)
    builder, own = text.builder, function.args[0]
    with builder.if_then(builder.not_(text.claimed(own, TAKEN))):
        builder.ret(text.number(0))
    shared = text.read(own, Own.SHARED)
    chunk = text.variable(0)

    def following() -> Any:
        builder.store(builder.atomic_rmw("add", text.place(shared, Shared.NEXT), text.number(1), "monotonic"), chunk)
        return builder.icmp_signed("<", builder.load(chunk), text.read(shared, Shared.CHUNKS))

    with text.during(following):
        _chunk(text, own, shared, builder.load(chunk), failed)
    builder.store_atomic(text.number(DONE), text.place(own, Own.STATE), "release", 8)
    builder.ret(_left(text, own))


def _chunk(text: _Text, own: Any, shared: Any, chunk: Any, failed: int) -> None:
    """All functions over the rows of one chunk."""
    builder = text.builder
    size = text.read(shared, Shared.SIZE)
    first = builder.mul(chunk, size)
    left = builder.sub(text.read(shared, Shared.ROWS), first)
    rows = builder.select(builder.icmp_signed("<", left, size), left, size)
    step = text.variable(builder.add(own, text.number(8 * Own.STEPS)))
    with text.during(lambda: builder.icmp_signed("!=", text.read(builder.load(step), 0), text.number(0))):
        at = builder.load(step)
        table, count = text.read(at, 1), text.read(at, 2)
        builder.store(rows, text.place(table, 0))
        place, source = text.variable(0), text.variable(builder.add(at, text.number(24)))
        with text.during(lambda: builder.icmp_signed("<", builder.load(place), count)):
            begin = builder.load(source)
            text.plus(place, 1)
            found = builder.add(text.read(begin, 0), builder.mul(first, text.read(begin, 1)))
            builder.store(found, text.place(table, builder.load(place)))
            text.plus(source, 16)
        kind = text.ir.FunctionType(text.whole, [text.whole.as_pointer()])
        given = builder.call(builder.inttoptr(text.read(at, 0), kind.as_pointer()), [text.place(table, 0)])
        with builder.if_then(builder.icmp_signed("==", given, text.number(failed))):
            builder.store_atomic(text.number(1), text.place(shared, Shared.FAILED), "monotonic", 8)
        builder.store(builder.load(source), step)
    _marked(text, own, shared, chunk, first, rows)


def _marked(text: _Text, own: Any, shared: Any, chunk: Any, first: Any, rows: Any) -> None:
    """Look for marks; take them to where those of all rows are, and leave none to the next chunk."""
    builder, ir = text.builder, text.ir
    line = ir.VectorType(text.whole, LINE // 8)
    mark = text.variable(text.read(own, Own.MARKS))
    with text.during(lambda: builder.icmp_signed("!=", text.read(builder.load(mark), 0), text.number(0))):
        near, size = text.read(builder.load(mark), 0), text.read(builder.load(mark), 2)
        far = builder.add(text.read(builder.load(mark), 1), builder.mul(first, size))
        end = builder.add(near, builder.mul(rows, size))
        at, together = text.variable(near), text.variable(ir.Constant(line, [0] * (LINE // 8)))

        def here(base: Any) -> Any:
            return builder.inttoptr(builder.add(base, builder.sub(builder.load(at), near)), line.as_pointer())

        with text.during(lambda: builder.icmp_unsigned("<", builder.load(at), end)):
            builder.store(builder.or_(builder.load(together), builder.load(here(near), align=8)), together)
            text.plus(at, LINE)
        found = text.number(0)
        for place in range(LINE // 8):
            found = builder.or_(found, builder.extract_element(builder.load(together), text.number(place)))
        with builder.if_then(builder.icmp_signed("!=", found, text.number(0))):
            builder.store(ir.IntType(8)(1), text.place(text.read(shared, Shared.FLAGS), chunk, ir.IntType(8), 1))
            builder.store(near, at)
            with text.during(lambda: builder.icmp_unsigned("<", builder.load(at), end)):
                builder.store(builder.load(here(near), align=8), here(far), align=8)
                builder.store(ir.Constant(line, [0] * (LINE // 8)), here(near), align=8)
                text.plus(at, LINE)
        text.plus(mark, 24)


def _left(text: _Text, own: Any) -> Any:
    """Turn away the threads that have not begun, and wait a little for the others; how many are still at work."""
    builder = text.builder
    left, other = text.variable(0), text.variable(text.read(own, Own.OTHERS))
    with text.during(lambda: builder.icmp_signed("!=", text.read(builder.load(other), 0), text.number(0))):
        table = text.read(builder.load(other), 0)
        with builder.if_then(builder.not_(text.claimed(table, DONE))):
            state, patience = text.variable(TAKEN), text.variable(_PATIENCE)

            def busy() -> Any:
                builder.store(builder.load_atomic(text.place(table, Own.STATE), "acquire", 8), state)
                text.plus(patience, -1)
                again = builder.icmp_signed(">", builder.load(patience), text.number(0))
                return builder.and_(again, builder.icmp_signed("==", builder.load(state), text.number(TAKEN)))

            with text.during(busy):
                pass
            text.plus(left, builder.zext(builder.icmp_signed("==", builder.load(state), text.number(TAKEN)), text.whole))
        text.plus(other, 8)
    return builder.load(left)
