"""Result columns as Arrow: money as decimals over the very same bytes, lists as dictionaries, dates as dates."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from rbcalc_kernels.language.types import DATE, Choice, Number, Type

_SCALES: Final = {10**places: places for places in range(10)}


def column(values: Any, denominator: int, type_: Type) -> Any:
    """A result column as an Arrow array; nothing is rounded and no amount passes through a float."""
    if isinstance(type_, Choice):
        members = pa.array(list(type_.members), pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(values.astype(np.int32, copy=False)), members)
    if type_ == DATE:
        return pa.Array.from_buffers(pa.date32(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values, dtype=np.int32))])
    if isinstance(type_, Number):
        return _number(values, denominator, type_)
    return pa.array(values.astype(bool, copy=False))


def _number(values: Any, denominator: int, type_: Number) -> Any:
    if denominator == 1 and not type_.is_money:
        return pa.array(values)
    scale = _SCALES.get(denominator)
    if type_.is_money and scale is not None and scale < 2 or denominator == 1:
        values, scale = values.astype(np.int64) * 10 ** (2 - (scale or 0)), 2
    if scale is None:
        # A figure that no decimal can hold, such as ninths: the fraction as text.
        return pa.array([f"{int(value)}/{denominator}" for value in values], pa.string())
    if values.dtype.itemsize <= 4 and values.dtype != np.uint32:
        held = np.ascontiguousarray(values, dtype=np.int32)
        return pa.Array.from_buffers(pa.decimal32(9, scale), len(held), [None, pa.py_buffer(held)])
    held64 = np.ascontiguousarray(values, dtype=np.int64)
    return pa.Array.from_buffers(pa.decimal64(18, scale), len(held64), [None, pa.py_buffer(held64)])


def type_of(denominator: int, type_: Type, itemsize: int) -> Any:
    """The Arrow type that `column` gives for values of `itemsize` bytes."""
    return column(np.zeros(0, dtype=np.int32 if itemsize <= 4 else np.int64), denominator, type_).type
