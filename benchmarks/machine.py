"""What a benchmark ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in fields.items()}
    wide = "AVX-512" if "avx512f" in named.get("flags", "") else "AVX2" if "avx2" in named.get("flags", "") else "no wide vectors known"
    return f"{named.get('model name', '?')}, family {named.get('cpu family', '?')} model {named.get('model', '?')}, {wide}"


def described() -> str:
    """Machine and versions, in three lines."""
    names = ("numba", "llvmlite", "numpy", "polars", "duckdb", "pyarrow")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    try:
        gcc = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        gcc = "none"
    return (
        f"{processor()}; {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}\n"
        f"load when asked: {', '.join(f'{load:.1f}' for load in os.getloadavg())} (1, 5, 15 minutes)\n"
        f"Python {platform.python_version()}, {versions}, gcc {gcc}"
    )
