"""Machine code on disk: found again, never stale, and never believed when it was touched."""

from __future__ import annotations

import inspect
import json
import linecache
import os
import random
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from compiled.programs import ROOT, Batch, Op, Ref, col, const, fact, node, program, rounded, rows, rule
from rbcalc_kernels import kept
from rbcalc_kernels.compiled import machine, native
from rbcalc_kernels.compiled.cache import CODE, Kernel, identity
from rbcalc_kernels.compiled.evaluator import compile_program
from rbcalc_kernels.compiled.spells_machine import compiled as machine_code
from rbcalc_kernels.kept import kernels_folder

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


def codes(folder: Path) -> list[Path]:
    """The files with machine code."""
    return sorted((folder / "kernels").glob(f"*{CODE}"))


def figure_of(kernel: Kernel) -> float:
    """What the kernel makes of 21."""
    a, out = np.array([21], dtype=np.int32), np.zeros(1)
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
    assert len(codes(folder)) == 2


def test_each_set_of_types_has_code_of_its_own(folder: Path) -> None:
    """Arrays of other types, of other strides, and those that may not be written to are never taken for one another."""
    kernel = Kernel(SOURCE.format(factor=2.0))
    figure_of(kernel)
    for kind in (np.int8, np.uint16, np.float32):
        out = np.zeros(3)
        kernel(3, np.array([1, 2, 3], dtype=kind), out)
        assert out.tolist() == [2, 4, 6]
    out = np.zeros(6)
    kernel(3, np.arange(6, dtype=np.int32)[::2], out[::2])
    assert out.tolist() == [0, 0, 4, 0, 8, 0]
    other = np.array([1, 2, 3], dtype=">i4")
    out = np.zeros(3)
    with pytest.raises(Exception, match=r"byteorder|endian|type|Unsupported"):
        kernel(3, other, out)
    out.flags.writeable = False
    with pytest.raises(Exception, match=r"readonly|immutable|setitem"):
        kernel(3, np.array([1, 2, 3], dtype=np.int32), out)
    assert out.tolist() == [0, 0, 0]


def test_memory_that_is_not_as_expected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python or NumPy hold things otherwise, Numba does the calling, and nothing is kept."""
    monkeypatch.setattr(native, "_as_expected", lambda: False)
    assert figure_of(Kernel(SOURCE.format(factor=2.0))) == 42
    assert not codes(folder)


def test_what_needs_numba_is_not_kept(folder: Path) -> None:
    """A function that makes an array has no place in an object file; it is compiled for the process."""
    source = SOURCE.format(factor=2.0).replace("for i", "out[0] = empty(2).size\n    for i").replace("float64\n", "empty, float64\n", 1)
    assert figure_of(Kernel(source)) == 42
    assert not codes(folder)


def test_private(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The folder is ours alone; one that others can write to is not used."""
    assert kernels_folder() == folder / "kernels"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    assert folder not in kernels_folder().parents
    assert "cannot be used as a cache" in caplog.text


def test_damaged_entries_are_made_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is done to a file, the figure is right, and the damage is never loaded."""
    source = SOURCE.format(factor=2.0)
    figure_of(Kernel(source))
    (path,) = codes(folder)
    whole = path.read_bytes()
    # Compiling a hundred times would be slow: the code that was made is handed out again.
    made: list[str] = []
    monkeypatch.setattr(native, "made", lambda function, _: made.append(function.__name__) or whole[32:])
    chance = random.Random(11)
    for turn in range(1, 101):
        data = bytearray(whole)
        kind = chance.choice(["flip", "cut", "empty", "grow", "remove"])
        if kind == "remove":
            path.unlink()
        else:
            if kind == "flip":
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            cut = {"cut": data[: chance.randrange(len(data))], "empty": bytearray(), "grow": data + b"x"}
            path.write_bytes(cut.get(kind, data))
        again = Kernel(source)
        assert figure_of(again) == 42
        assert (again.hits, len(made)) == (0, turn), kind
        assert path.read_bytes() == whole


def test_old_entries_are_removed(folder: Path) -> None:
    """Only the entries used last are kept, of each kind."""
    place = kernels_folder()
    for k in range(12):
        kept.write(place / f"{k:02}.thing", b"x", 5)
        os.utime(place / f"{k:02}.thing", (k, k))
        kept.write(place / f"{k:02}.other", b"x")
    assert [path.name for path in sorted(place.glob("*.thing"))] == [f"{k:02}.thing" for k in range(7, 12)]
    assert len(list(place.glob("*.other"))) == 12


def test_numba_keeps_nothing_of_its_own(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba's own cache folder is not used."""
    import numba

    monkeypatch.setattr(numba.core.config, "CACHE_DIR", str(tmp_path / "numba"))
    assert figure_of(Kernel(SOURCE.format(factor=5.0))) == 105
    assert not (tmp_path / "numba").exists()


FILE = """
import numpy as np

def twice(a, out):
    for i in range(a.size):
        out[i] = a[i] * 2
"""


def functions(text: str, path: Path) -> ModuleType:
    """A module of a file with some text."""
    path.write_text(text, encoding="utf-8")
    linecache.checkcache()
    module = ModuleType("written")
    exec(compile(text, str(path), "exec"), module.__dict__)
    return module


def doubled(function: Callable[..., Any]) -> int:
    """What a function makes of 21."""
    a, out = np.array([21], dtype=np.int32), np.zeros(1, dtype=np.int32)
    machine_code(function)(a, out)
    return int(out[0])


def test_a_file_edited_during_a_run(folder: Path, tmp_path: Path) -> None:
    """A function is compiled as Python runs it, whatever its file says by then; a changed one is another."""
    path = tmp_path / "written.py"
    first = functions(FILE, path).twice
    changed = functions("# A line more.\n" + FILE.replace("* 2", "* 3"), path).twice
    assert "* 3" in path.read_text(encoding="utf-8")
    assert "* 2" not in inspect.getsource(changed)
    assert (doubled(first), doubled(changed)) == (42, 63)
    assert identity(functions("\n\n" + FILE, path).twice) == identity(first)


def test_a_function_that_does_not_stand_alone(tmp_path: Path) -> None:
    """What it reads from outside could change without a trace, so that it is refused."""
    text = FILE.replace("* 2", "* FACTOR") + "\nFACTOR = 2\n"
    with pytest.raises(ValueError, match="does not stand alone"):
        identity(functions(text, tmp_path / "written.py").twice)


PROCESS = """
import json, sys
import numpy as np
from compiled.test_cache import made
from compiled.programs import Batch, Ref, rows
from rbcalc_kernels.compiled.evaluator import compile_program
known = "numba" in sys.modules
compiled = compile_program(made(int(sys.argv[1])), [Ref("account", "out")], engine="numba")
results = compiled.run(Batch({"account": rows(a=np.arange(50, dtype=np.int16))}))
hits = sum(kernel.hits for kernel in compiled.general.kernels.values())
print(json.dumps([hits, known, "numba" in sys.modules, results.columns[Ref("account", "out")].tolist()]))
"""


def made(factor: int) -> object:
    """One rule."""
    return program([rule("out", rounded(node(Op.DIV, node(Op.MUL, col("a"), const(factor)), const(7))))], [fact("a", 0, 50)])


def test_a_fresh_process_uses_the_cache_and_never_a_stale_figure(folder: Path) -> None:
    """The second process compiles nothing; a changed rule gives its own figures."""
    here = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{here / 'kernels'}{os.pathsep}{here / 'tests'}"}

    def run(factor: int) -> tuple[int, bool, bool, list[int]]:
        command = [sys.executable, "-c", PROCESS, str(factor)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        hits, before, after, values = json.loads(done.stdout)
        return hits, before, after, values

    first, second, other = run(3), run(3), run(4)
    assert first[:3] == other[:3] == (0, False, True)
    assert second[:3] == (1, False, False), "what is kept needs no Numba"
    assert first[3] == second[3] == [(200 * 3 * a + 7) // 14 for a in range(50)]
    assert other[3] == [(200 * 4 * a + 7) // 14 for a in range(50)]


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
