"""The ways into a compiled function, as text for LLVM: from Python's tuple of arguments, and from a table of 64-bit numbers.

Numba hands an array over as the members of a structure, each an argument of its own.  Few of them mean anything to a function
that makes no arrays, so they are passed on as they are; putting structures together and taking them apart again would cost
the compiler several times what the function itself does.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from rbcalc_kernels.compiled import driving

ENTRY: Final = "rbcalc_entry"
TABLE: Final = "rbcalc_table"
STEPS: Final = "rbcalc_steps"
FAILED: Final = -(1 << 63)
"""What an entry gives when the function raised."""

TUPLE_ITEMS, DATA, SIZES, STRIDES = 24, 16, 32, 40
"""Bytes from the start of a tuple, and of an array."""

_ANY_SIZE: Final = 1 << 40  # no index is below 0, so that how long an array is tells the function nothing
_MEMBERS: Final = ("meminfo", "parent", "nitems", "itemsize", "data", "shape", "strides")


def entries(result: Any, types: Sequence[str]) -> str | None:
    """A module with the entries of a function that Numba made; None where it takes arrays in a way that is not known here."""
    ir = importlib.import_module("llvmlite.ir")
    context, described = result.target_context, result.fndesc
    arrays = {place: type_ for place, type_ in enumerate(described.argtypes) if "[" in types[place]}
    if any(tuple(context.data_model_manager[each]._fields) != _MEMBERS for each in arrays.values()):
        return None
    widths = {place: context.get_abi_sizeof(context.get_data_type(each.dtype)) for place, each in arrays.items()}
    module = _module(ir, *_target(result))
    function = ir.Function(module, context.call_conv.get_function_type(described.restype, described.argtypes), described.llvm_func_name)
    whole, pointer = ir.IntType(64), ir.IntType(8).as_pointer()
    numbers = [place for place in range(len(types)) if place not in arrays]

    def at(builder: Any, base: Any, offset: int, kind: Any) -> Any:
        return builder.load(builder.bitcast(builder.gep(base, [whole(offset)]), kind.as_pointer()))

    def of_tuple(builder: Any, given: Sequence[Any], place: int) -> tuple[Any, ...]:
        if place not in arrays:
            return (given[1 + numbers.index(place)],)
        array = at(builder, given[0], TUPLE_ITEMS + 8 * place, pointer)
        width = whole(widths[place])
        stride = width if "::1" in types[place] else at(builder, at(builder, array, STRIDES, pointer), 0, whole)
        return at(builder, array, DATA, pointer), at(builder, at(builder, array, SIZES, pointer), 0, whole), stride

    def of_table(builder: Any, given: Sequence[Any], place: int) -> tuple[Any, ...]:
        found = builder.load(builder.gep(given[0], [whole(place)]))
        return (found,) if place not in arrays else (builder.inttoptr(found, pointer), whole(_ANY_SIZE), whole(widths[place]))

    def write(name: str, takes: Sequence[Any], found: Callable[[Any, Sequence[Any], int], tuple[Any, ...]]) -> None:
        entry = ir.Function(module, ir.FunctionType(whole, takes), name)
        builder = ir.IRBuilder(entry.append_basic_block())
        value, fault = (builder.alloca(each.type.pointee) for each in function.args[:2])
        builder.store(value.type.pointee(None), value)
        passed, left = [value, fault], iter(function.args[2:])
        for place in range(len(types)):
            parts = found(builder, entry.args, place)
            if place not in arrays:
                narrow = next(left).type != whole
                passed.append(builder.zext(builder.icmp_signed("!=", parts[0], whole(0)), ir.IntType(8)) if narrow else parts[0])
                continue
            data, size, stride = parts
            members = {"meminfo": pointer(None), "parent": pointer(None), "nitems": size, "itemsize": whole(widths[place])}
            members |= {"data": data, "shape": size, "strides": stride}
            for member in _MEMBERS:
                kind = next(left).type
                passed.append(builder.bitcast(data, kind) if member == "data" else members[member])
        code = builder.call(function, passed)
        good = importlib.import_module("numba.core.callconv")
        ended = builder.or_(*(builder.icmp_signed("==", code, each) for each in (good.RETCODE_OK, good.RETCODE_NONE)))
        builder.ret(builder.select(ended, builder.load(value) if str(described.restype) == "int64" else whole(0), whole(FAILED)))

    write(ENTRY, [pointer] + [whole] * len(numbers), of_tuple)
    if all("::1" in types[place] for place in arrays):
        write(TABLE, [whole.as_pointer()], of_table)
    return str(module)


def common(result: Any) -> str:
    """A module with the functions that are the same in each object file: those that call one function after another."""
    return _common(*_target(result))


@cache
def _common(triple: str, layout: str) -> str:
    ir = importlib.import_module("llvmlite.ir")
    module = _module(ir, triple, layout)
    _steps(ir, module)
    driving.write(ir, module, FAILED)
    return str(module)


def _target(result: Any) -> tuple[str, str]:
    module = result.library._final_module  # noqa: SLF001 - what Numba itself turns into machine code
    return module.triple, module.data_layout


def _module(ir: Any, triple: str, layout: str) -> Any:
    module = ir.Module("entry")
    module.triple, module.data_layout = triple, layout
    return module


def _steps(ir: Any, module: Any) -> None:
    """An entry that calls functions one after another: pairs of where a function is and where its table is, until a 0."""
    whole = ir.IntType(64)
    table = whole.as_pointer()
    entry = ir.Function(module, ir.FunctionType(whole, [table]), STEPS)
    begin, loop, call, end = (entry.append_basic_block() for _ in range(4))
    builder = ir.IRBuilder(begin)
    builder.branch(loop)
    builder = ir.IRBuilder(loop)
    at, found = builder.phi(table), builder.phi(whole)
    function = builder.load(at)
    builder.cbranch(builder.icmp_signed("==", function, ir.Constant(whole, 0)), end, call)
    builder = ir.IRBuilder(call)
    target = builder.inttoptr(function, ir.FunctionType(whole, [table]).as_pointer())
    given = builder.inttoptr(builder.load(builder.gep(at, [ir.Constant(whole, 1)])), table)
    both = builder.or_(found, builder.call(target, [given]))
    following = builder.gep(at, [ir.Constant(whole, 2)])
    builder.branch(loop)
    at.add_incoming(entry.args[0], begin)
    at.add_incoming(following, call)
    found.add_incoming(ir.Constant(whole, 0), begin)
    found.add_incoming(both, call)
    ir.IRBuilder(end).ret(found)
