"""References as whole numbers, so that joining them costs no text.

Capital letters, digits and hyphens, up to twelve, are the digits of a number to base 38; longer runs of digits, up to
eighteen, stand below zero.  Each text has its own number and each number its own text, so nothing can be confused.  0 is
no reference.  A caseload with other references keeps them as text.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rbcalc_kernels.compiled.spells_machine import ready

Codes = npt.NDArray[np.int64]

_BASE: Final = 38
_SHORT: Final = 12
_LONG: Final = 18
_ALPHABET: Final = b" 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
_DIGIT_OF: Final = np.full(256, -1, np.int8)
_DIGIT_OF[list(_ALPHABET[1:])] = np.arange(1, _BASE)
_TEXT_OF: Final = np.frombuffer(_ALPHABET, np.uint8)


def pack(texts: Any) -> Codes | None:
    """The numbers of an Arrow array of text, plain spaces around it left out; None when one has no number."""
    count = len(texts)
    if not count:
        return np.empty(0, np.int64)
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + count + 1]
    codes = np.empty(count, np.int64)
    failed = np.zeros(1, np.int64)
    characters = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    ready(pack_texts, count)(starts, characters, _DIGIT_OF, codes, failed)
    if texts.null_count:
        given = texts.is_valid().to_numpy(zero_copy_only=False)
        codes[~given] = 0
        # What a missing text held in the buffer does not matter; it is nearly always nothing.
        if failed[0] and pack(texts.drop_null()) is None:
            return None
    elif failed[0]:
        return None
    return codes


def unpack(codes: Codes) -> Any:
    """The texts of numbers, none of them 0, as an Arrow array."""
    offsets = np.empty(codes.size + 1, np.int32)
    ready(measure_codes, codes.size)(codes, offsets)
    data = np.empty(max(1, int(offsets[-1])), np.uint8)
    ready(unpack_codes, codes.size)(codes, offsets, _TEXT_OF, data)
    return pa.StringArray.from_buffers(codes.size, pa.py_buffer(offsets), pa.py_buffer(data))


def unpacked(column: Any, rows: npt.NDArray[np.int64], *, packed: bool) -> Any:
    """The texts of some rows of a column of an Arrow table that holds texts, or numbers for them."""
    found = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return unpack(found.to_numpy(zero_copy_only=False)[rows]) if packed else found.take(pa.array(rows))


def spread(codes: Codes) -> npt.NDArray[np.uint64]:
    """Numbers spread over all 64 bits, whose highest are the best."""
    mixed = codes.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return mixed


def shard_of(codes: Codes, count: int) -> npt.NDArray[np.uint8]:
    """Which of `count` shards each number belongs to."""
    if count == 1:
        return np.zeros(codes.size, np.uint8)
    high = spread(codes) >> np.uint64(40)
    return ((high * np.uint64(count)) >> np.uint64(24)).astype(np.uint8)


def pack_texts(
    starts: npt.NDArray[np.int32], data: npt.NDArray[np.uint8], digit_of: npt.NDArray[np.int8], codes: Codes, failed: Codes
) -> None:
    """The number of each text; `failed` counts those without one."""
    for i in range(codes.size):
        low, high = int(starts[i]), int(starts[i + 1])
        while low < high and data[low] == 32:
            low += 1
        while low < high and data[high - 1] == 32:
            high -= 1
        code = 0
        if high - low <= 12:
            for j in range(low, high):
                digit = int(digit_of[data[j]])
                if digit < 0:
                    failed[0] += 1
                    break
                code = code * 38 + digit
        elif high - low <= 18:
            # Behind the sign: the texts of each length after all the shorter ones.
            below = 0
            for j in range(low, high):
                if data[j] < 48 or data[j] > 57:
                    failed[0] += 1
                    break
                code = code * 10 + (int(data[j]) - 48)
                below = below * 10 + 1
            code = -1 - code - below
        else:
            failed[0] += 1
        codes[i] = code


def measure_codes(codes: Codes, offsets: npt.NDArray[np.int32]) -> None:
    """Where the text of each number would begin."""
    at = 0
    offsets[0] = 0
    for i in range(codes.size):
        code = int(codes[i])
        if code >= 0:
            while code > 0:
                code //= 38
                at += 1
        else:
            below, length = 1111111111111, 13
            while length < 18 and -1 - code >= below * 10 + 1:
                below = below * 10 + 1
                length += 1
            at += length
        offsets[i + 1] = at


def unpack_codes(codes: Codes, offsets: npt.NDArray[np.int32], text_of: npt.NDArray[np.uint8], data: npt.NDArray[np.uint8]) -> None:
    """The texts, one after another."""
    for i in range(codes.size):
        code = int(codes[i])
        low, high = int(offsets[i]), int(offsets[i + 1])
        if code >= 0:
            for j in range(high - 1, low - 1, -1):
                data[j] = text_of[code % 38]
                code //= 38
        else:
            below = 0
            for _ in range(low, high):
                below = below * 10 + 1
            code = -1 - code - below
            for j in range(high - 1, low - 1, -1):
                data[j] = 48 + code % 10
                code //= 10
