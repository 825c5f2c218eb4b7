"""The C opponent: built by gcc when a race begins, and called on as many threads as are asked for."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import parts

SOURCES = [Path(__file__).with_name(name) for name in ("bill_kernel.c", "rates_kernel.c")]
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")
TUNINGS = (
    ("-mtune=icelake-server", "-mprefer-vector-width=512"),  # a tuning under which gcc takes gathers to be cheap
    ("-mtune=icelake-server", "-mprefer-vector-width=256"),
    (),
)


def available() -> bool:
    """Whether gcc is there."""
    return shutil.which("gcc") is not None


def address(array: Any) -> ctypes.c_void_p:
    """Where an array begins."""
    return ctypes.c_void_p(array.ctypes.data)


class Native:
    """The C functions, under each tuning."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="rbcalc-benchmark-")
        self.libraries: list[tuple[str, Any]] = []
        for place, tuning in enumerate(TUNINGS):
            target = Path(self.folder.name) / f"kernel{place}.so"
            subprocess.run(["gcc", *FLAGS, *tuning, *map(str, SOURCES), "-o", str(target)], check=True, capture_output=True)
            self.libraries.append((" ".join((*FLAGS, *tuning)), ctypes.CDLL(str(target))))
        self.pools: dict[int, ThreadPoolExecutor] = {}

    def close(self) -> None:
        """Forget the libraries' files and end the threads."""
        for pool in self.pools.values():
            pool.shutdown()
        self.folder.cleanup()

    def on_threads(self, function: Any, rows: int, threads: int, arguments: Sequence[Any]) -> None:
        """Call a function for all rows, in as many parts as there are threads."""
        if threads == 1:
            function(ctypes.c_int64(0), ctypes.c_int64(rows), *arguments)
            return
        if threads not in self.pools:
            self.pools[threads] = ThreadPoolExecutor(threads)
        waiting = [
            self.pools[threads].submit(function, ctypes.c_int64(first), ctypes.c_int64(last), *arguments)
            for first, last in parts(rows, threads)
        ]
        for each in waiting:
            each.result()

    def fastest(self, rows: int, arguments: Sequence[Any], function: str = "work_out") -> tuple[str, Any]:
        """The flags and the function that take least time for the work."""
        best: dict[str, float] = {}
        for _ in range(15):
            for flags, library in self.libraries:
                begin = time.perf_counter()
                getattr(library, function)(ctypes.c_int64(0), ctypes.c_int64(rows), *arguments)
                best[flags] = min(best.get(flags, 1e9), time.perf_counter() - begin)
        flags = min(best, key=lambda each: best[each])
        return flags, getattr(dict(self.libraries)[flags], function)

    def triad(self, size: int, threads: int) -> Any:
        """A run of a[i] = b[i] + 3 c[i] over three arrays of `size` bytes together."""
        length = max(1, size // 24)
        arrays = [np.full(length, value) for value in (0.0, 1.0, 2.0)]
        library = self.libraries[0][1]
        arguments = [address(array) for array in arrays]

        def run() -> None:
            self.on_threads(library.triad, length, threads, arguments)
            assert arrays[0][-1] == 7.0

        return run
