"""Packs of machine code: opened together in a later process, and never believed when they were touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rbcalc_kernels.compiled import cache, native, spells_machine
from rbcalc_kernels.compiled.cache import CODE, PACK, Kernel, Pack

SOURCE = '''"""x"""

from numpy import float64


def work_out(n, a, out):
    for i in range(n):
        out[i] = float64(a[i]) * {factor}
'''
FACTORS = (2.0, 3.0, 5.0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, and no packs that other tests spoke of."""
    monkeypatch.setenv("RBCALC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_PACKS", {})
    return tmp_path / "cache" / "kernels"


def sources() -> list[str]:
    """Some functions that differ in a figure."""
    return [SOURCE.format(factor=factor) for factor in FACTORS]


def figure_of(kernel: Kernel, size: int = 1) -> float:
    """What the kernel makes of 7."""
    a, out = np.full(size, 7, dtype=np.int32), np.zeros(size)
    kernel(size, a, out)
    return float(out[-1])


def packed(folder: Path) -> Path:
    """A pack with the functions, as the end of a process leaves it; the files that it was made of are removed."""
    path = folder / f"plan{PACK}"
    cache.pack(path, sources())
    for source, factor in zip(sources(), FACTORS, strict=True):
        assert figure_of(Kernel(source)) == 7 * factor
    held = cache._PACKS[hash(sources()[0])]
    held._write()
    for each in folder.glob(f"*{CODE}"):
        each.unlink()
    cache.pack(path, sources())
    return path


def test_functions_of_a_pack_are_loaded_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file is opened and loaded for all, though their names within were the same before."""
    packed(folder)
    loads: list[int] = []
    before = native.Library.__init__

    def noted(self: native.Library, codes: list[bytes]) -> None:
        held = list(codes)
        loads.append(len(held))
        before(self, held)

    monkeypatch.setattr(native.Library, "__init__", noted)
    kernels = [Kernel(source) for source in sources()]
    assert [figure_of(kernel, 40) for kernel in kernels] == [7 * factor for factor in FACTORS]
    assert [kernel.hits for kernel in kernels] == [1, 1, 1]
    assert loads == [3]


def test_what_a_pack_lacks_is_made_and_added(folder: Path) -> None:
    """A function for other types is found or made by itself, and stands in the pack from then on."""
    path = packed(folder)
    kernel = Kernel(sources()[0])
    out = np.zeros(1)
    kernel(1, np.array([7], dtype=np.int8), out)
    assert (kernel.hits, out.tolist()) == (0, [14.0])
    cache._PACKS[hash(sources()[0])]._write()
    assert len(Pack(path)._read()) == 4


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_pack_is_made_again(folder: Path, damage: str) -> None:
    """The damage is not loaded; figures come from the files, or are compiled."""
    path = packed(folder)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes({"flip": bytes(whole), "cut": bytes(whole[:100]), "empty": b""}[damage])
    kernel = Kernel(sources()[1])
    assert figure_of(kernel) == 21
    assert kernel.hits == 0
    assert not path.exists()


def test_a_pack_does_not_grow_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that came first give way."""
    monkeypatch.setattr(cache, "_MOST", 2)
    path = packed(folder)
    assert len(Pack(path)._read()) == 2


PROCESS = """
import json
import numpy as np
from compiled.test_cache import made
from compiled.programs import Batch, Ref, rows
from rbcalc_kernels.compiled import native
from rbcalc_kernels.compiled.evaluator import compile_program
loads, before = [], native.Library.__init__
native.Library.__init__ = lambda self, codes: (loads.append(1), before(self, codes))[1]
compiled = compile_program(made(3), [Ref("account", "out")], engine="numba")
results = compiled.run(Batch({"account": rows(a=np.arange(50, dtype=np.int16))}))
hits = sum(kernel.hits for kernel in compiled.general.kernels.values())
print(json.dumps([hits, len(loads), results.columns[Ref("account", "out")].tolist()]))
"""


def test_a_process_leaves_its_pack_to_the_next(folder: Path) -> None:
    """A pack is written at the end; the next process needs nothing else."""
    here = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{here / 'kernels'}{os.pathsep}{here / 'tests'}"}

    def run() -> tuple[int, int, list[int]]:
        done = subprocess.run([sys.executable, "-c", PROCESS], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        hits, loads, values = json.loads(done.stdout)
        return hits, loads, values

    first = run()
    assert list(folder.glob(f"*{PACK}"))
    for each in folder.glob(f"*{CODE}"):
        each.unlink()
    second = run()
    assert (first[0], second[:2]) == (0, (1, 1))
    assert first[2] == second[2]
    assert not list(folder.glob(f"*{CODE}"))


def test_code_that_is_kept_serves_fewer_rows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For some hundred rows a loop runs as machine code where that need not be made, and as plain Python where it must."""
    few = spells_machine.FEW

    def widened(size: int) -> tuple[list[int], int]:
        """A row's days, and how often machine code was found."""
        monkeypatch.setattr(spells_machine, "_MADE", {})
        start = np.arange(size + 1, dtype=np.int64)
        begins, ends, first, last = (np.full(size, day, dtype=np.int32) for day in (3, 9, 5, 6))
        spells_machine.ready(spells_machine.widen, size)(start, begins, ends, first, last)
        kernel = spells_machine._MADE.get(spells_machine.widen)
        return [int(first[-1]), int(last[-1])], 0 if kernel is None else kernel.hits

    assert widened(few) == ([3, 9], 0)
    assert not list(folder.glob(f"*{CODE}"))
    assert widened(spells_machine.SMALL) == ([3, 9], 0)
    assert len(list(folder.glob(f"*{CODE}"))) == 1
    assert widened(few) == ([3, 9], 1)
    assert widened(few - 1) == ([3, 9], 0)
