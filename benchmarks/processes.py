"""Whole processes, with the kernel's own account of time and memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

RBCALC = str(Path(sys.executable).with_name("rbcalc"))


@dataclass(frozen=True)
class Spent:
    """What one process took."""

    wall: float
    user: float
    system: float
    peak: int  # bytes resident, at most

    def __str__(self) -> str:
        return f"{self.wall:.2f} s wall, {self.user:.2f} s user, {self.system:.2f} s system, {self.peak / 2**20:,.0f} MiB at most"


def spent(command: Sequence[str], environment: Mapping[str, str] | None = None, accepted: Sequence[int] = (0,)) -> Spent:
    """Run a command to its end, and say what it took."""
    with tempfile.TemporaryFile() as told:
        begin = time.perf_counter()
        process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stdout=told, stderr=told)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in accepted:
            told.seek(0)
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{told.read().decode(errors='replace')}")
    return Spent(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024)


def median_of(found: Sequence[Spent]) -> Spent:
    """The run in the middle by wall time."""
    return sorted(found, key=lambda each: each.wall)[len(found) // 2]


def seconds(values: Sequence[float]) -> str:
    """A median with the least and the most."""
    return f"{statistics.median(values):.3f} s ({min(values):.3f} to {max(values):.3f})"


def size(path: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
