"""Programs kept on disk: never stale, never damaged, never wanted where nothing may be written."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest

import rbcalc
from rbcalc._kept import Kept
from rbcalc._places import rules_root

COUNCIL, YEAR = "stevenage", "2026-27"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped rules, and a cache of its own."""
    monkeypatch.setenv("RBCALC_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("england", "preceptors", f"councils/{COUNCIL}", "partnerships"):
        shutil.copytree(rules_root() / name, tmp_path / "rules" / name)
    return tmp_path / "rules"


def kept(folder: Path) -> list[Path]:
    """The files of kept programs."""
    return sorted((folder.parent / "cache" / "programs").glob("*.program"))


def test_the_same_rules_are_read_from_where_they_are_kept(folder: Path) -> None:
    """The second time nothing is linked, and the program is the same."""
    first = rbcalc.load(folder).council(COUNCIL).program(YEAR)
    assert len(kept(folder)) == 1
    rules = rbcalc.load(folder)
    again = rules.council(COUNCIL).program(YEAR)
    assert (again.rules, again.tables, again.digest) == (first.rules, first.tables, first.digest)
    assert "library" not in vars(rules)


def test_a_changed_figure_shows(folder: Path) -> None:
    """A figure changed in any file that the council reaches is seen at once."""
    before = rbcalc.load(folder).council(COUNCIL).program(YEAR)
    file = folder / "england" / "council_tax" / "band.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("A: 6/9", "A: 5/9"), encoding="utf-8")
    after = rbcalc.load(folder).council(COUNCIL).program(YEAR)
    ratio = [program.tables["band_ratio"].by_period[0].rows[("A",)][1][0] for program in (before, after)]
    assert ratio == [Fraction(6, 9), Fraction(5, 9)]


@pytest.mark.parametrize("place", [0, 31, 32, 1000, -1])
def test_a_damaged_file_is_not_opened(folder: Path, place: int) -> None:
    """One flipped bit, and the rules are linked again."""
    before = rbcalc.load(folder).council(COUNCIL).program(YEAR)
    path = kept(folder)[0]
    held = bytearray(path.read_bytes())
    held[place] ^= 1
    path.write_bytes(held)
    assert Kept(folder, COUNCIL, YEAR, ()).read() is None
    assert rbcalc.load(folder).council(COUNCIL).program(YEAR).digest == before.digest


def test_an_empty_file_is_not_opened(folder: Path) -> None:
    """A file that was cut short is not whole."""
    rbcalc.load(folder).council(COUNCIL).program(YEAR)
    kept(folder)[0].write_bytes(b"")
    assert Kept(folder, COUNCIL, YEAR, ()).read() is None
    assert rbcalc.load(folder).council(COUNCIL).program(YEAR).rules


def test_without_a_cache_rules_are_linked_each_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder that cannot be made is done without."""
    blocked = folder.parent / "blocked"
    blocked.write_text("a file, not a folder", encoding="utf-8")
    monkeypatch.setenv("RBCALC_CACHE_DIR", str(blocked))
    assert rbcalc.load(folder).council(COUNCIL).program(YEAR).rules
