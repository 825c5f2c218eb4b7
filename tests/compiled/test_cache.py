"""Machine code on disk: found again, never stale, and never believed when it was touched."""

from __future__ import annotations

import json
import os
import random
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compiled.programs import ROOT, Batch, Op, Ref, col, const, fact, node, program, rounded, rows, rule
from rbcalc_kernels.compiled import cache, machine
from rbcalc_kernels.compiled.cache import KEPT, Kernel, cache_folder
from rbcalc_kernels.compiled.evaluator import compile_program

OUT = Ref(ROOT, "out")
SOURCE = '''"""x"""

from numpy import float64


def work_out(n, a, out):
    for i in range(n):
        out[i] = float64(a[i]) * {factor}
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    chosen = tmp_path / "cache"
    monkeypatch.setenv("RBCALC_CACHE_DIR", str(chosen))
    return chosen


def figure_of(kernel: Kernel) -> float:
    """What the kernel makes of 21."""
    a, out = np.array([21], dtype=np.int32), np.zeros(1)
    kernel.prepare((1, a, out))
    kernel(1, a, out)
    return float(out[0])


def test_found_again(folder: Path) -> None:
    """The second kernel of one source comes from the cache; another source has an entry of its own."""
    assert figure_of(Kernel(SOURCE.format(factor=2.0))) == 42
    again = Kernel(SOURCE.format(factor=2.0))
    assert figure_of(again) == 42
    assert again.hits == 1
    changed = Kernel(SOURCE.format(factor=3.0))
    assert figure_of(changed) == 63
    assert changed.hits == 0
    assert sum(entry.is_dir() for entry in (folder / "kernels").iterdir()) == 2


def test_private(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The folder is ours alone; one that others can write to is not used."""
    assert cache_folder() == folder / "kernels"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    assert folder not in cache_folder().parents
    assert "cannot be used as a cache" in caplog.text


def test_damaged_entries_are_made_again(folder: Path) -> None:
    """Whatever is done to the files, the figure is right, and the damage is never given to Numba."""
    source = SOURCE.format(factor=2.0)
    kernel = Kernel(source)
    figure_of(kernel)
    assert kernel.folder is not None
    chance = random.Random(11)
    for turn in range(100):
        paths = sorted(path for path in kernel.folder.rglob("*") if path.is_file())
        path = chance.choice(paths)
        data = bytearray(path.read_bytes())
        kind = chance.choice(["flip", "cut", "empty", "grow", "remove"])
        if kind == "remove":
            path.unlink()
        elif kind == "flip" and data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        if kind != "remove":
            cut = {"cut": data[: chance.randrange(len(data))] if data else data, "empty": bytearray(), "grow": data + b"x"}
            path.write_bytes(cut.get(kind, data))
        again = Kernel(source)
        # Compiling a hundred times would be slow: that the entry was thrown away is what matters, and every tenth is run.
        left = sorted(each.name for each in again.folder.rglob("*") if each.is_file())  # type: ignore[union-attr]
        if path.name != cache._MANIFEST or kind != "flip":
            assert left == ["manifest.json", "module.py"], (turn, kind, path.name)
        if turn % 10 == 0 or len(left) > 2:
            assert figure_of(again) == 42
        else:
            again._seal()


def test_damage_after_opening(folder: Path) -> None:
    """Damage between opening a module and compiling for its types is noticed too."""
    source = SOURCE.format(factor=2.0)
    figure_of(Kernel(source))
    again = Kernel(source)
    assert again.folder is not None
    for path in again.folder.rglob("*.nbc"):
        path.write_bytes(path.read_bytes()[:100])
    assert figure_of(again) == 42
    assert again.hits == 0


def test_old_entries_are_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the entries used last are kept."""
    monkeypatch.setattr(cache, "KEPT", 5)
    for k in range(12):
        kernel = Kernel(SOURCE.format(factor=float(k)))
        assert kernel.folder is not None
        os.utime(kernel.folder / cache._MANIFEST, (k, k))
    assert sum(entry.is_dir() for entry in (folder / "kernels").iterdir()) == 5
    assert KEPT == 2_000


def test_numba_finds_nothing_of_its_own(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba's own cache folder is not used."""
    import numba

    monkeypatch.setattr(numba.core.config, "CACHE_DIR", str(tmp_path / "numba"))
    assert figure_of(Kernel(SOURCE.format(factor=5.0))) == 105
    assert not (tmp_path / "numba").exists()


PROCESS = """
import json, sys
import numpy as np
from compiled.test_cache import made
from compiled.programs import Batch, Ref, rows
from rbcalc_kernels.compiled.evaluator import compile_program
assert "numba" not in sys.modules
compiled = compile_program(made(int(sys.argv[1])), [Ref("account", "out")], engine="numba")
assert "numba" not in sys.modules
results = compiled.run(Batch({"account": rows(a=np.arange(50, dtype=np.int16))}))
hits = sum(kernel.hits for kernel in compiled.general._kernels.values())
print(json.dumps([hits, results.columns[Ref("account", "out")].tolist()]))
"""


def made(factor: int) -> object:
    """One rule."""
    return program([rule("out", rounded(node(Op.DIV, node(Op.MUL, col("a"), const(factor)), const(7))))], [fact("a", 0, 50)])


def test_a_fresh_process_uses_the_cache_and_never_a_stale_figure(folder: Path) -> None:
    """The second process compiles nothing; a changed rule gives its own figures."""
    here = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{here / 'kernels'}{os.pathsep}{here / 'tests'}"}

    def run(factor: int) -> tuple[int, list[int]]:
        command = [sys.executable, "-c", PROCESS, str(factor)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        hits, values = json.loads(done.stdout)
        return hits, values

    first, second, other = run(3), run(3), run(4)
    assert (first[0], second[0], other[0]) == (0, 1, 0)
    assert first[1] == second[1] == [(200 * 3 * a + 7) // 14 for a in range(50)]
    assert other[1] == [(200 * 4 * a + 7) // 14 for a in range(50)]


def test_overlap_is_noticed() -> None:
    """An array that is written must not share memory with another."""
    base = np.zeros(100)
    machine.check_apart([base[:50]], [base[50:]])
    with pytest.raises(ValueError, match="shares memory"):
        machine.check_apart([base[:51]], [base[50:]])
    machine.check_apart([], [base, base])


def test_without_the_private_flag(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Numba lacks the flag, kernels are compiled without it and give the same."""
    monkeypatch.setattr(machine, "has_noalias", lambda: False)
    compiled = compile_program(made(5), [OUT], engine="numba")  # type: ignore[arg-type]
    results = compiled.run(Batch({ROOT: rows(a=np.arange(50, dtype=np.int8))}))
    assert results.columns[OUT].tolist() == [(200 * 5 * a + 7) // 14 for a in range(50)]
