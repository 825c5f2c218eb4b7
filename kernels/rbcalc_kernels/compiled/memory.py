"""Memory for what passes between functions, kept for the next run: what the system hands out must be made clean, page by page."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

MOST: Final = 192 << 20
"""The bytes that are kept for later in the whole process; what was given back first gives way."""

_SPARE: Final[list[Bytes]] = []
_LOCK: Final = Lock()


def taken(size: int) -> Bytes:
    """Memory of at least so many bytes and not many more, which hold anything."""
    with _LOCK:
        fitting = [at for at, spare in enumerate(_SPARE) if size <= spare.size <= size + size // 2]
        if fitting:
            return _SPARE.pop(min(fitting, key=lambda at: _SPARE[at].size))
    return np.empty(size, dtype=np.uint8)


def given_back(memory: Iterable[Bytes]) -> None:
    """Leave memory that nobody reads any more to whoever comes next."""
    with _LOCK:
        _SPARE.extend(memory)
        left = sum(spare.size for spare in _SPARE)
        while left > MOST:
            left -= _SPARE.pop(0).size
