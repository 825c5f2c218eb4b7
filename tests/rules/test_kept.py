"""Programs kept on disk: never stale, never damaged, never wanted where nothing may be written."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import rbcalc
from rbcalc._places import rules_root
from rbcalc.rulebook import kept as _kept
from rbcalc.rulebook.kept import Kept
from rbcalc_kernels.language import parser
from rbcalc_kernels.program import library
from rbcalc_kernels.program.graph import Program
from rbcalc_kernels.source import RulesError

COUNCIL, YEAR = "stevenage", "2026-27"


@dataclass(frozen=True)
class AsRead:
    """Where tests work, and a copy of what it held at first: what is kept is kept for a place."""

    place: Path
    copy: Path


@pytest.fixture(scope="module")
def as_read(tmp_path_factory: pytest.TempPathFactory) -> AsRead:
    """The shipped rules, and a cache that holds their files as they were read, but no program."""
    place, copy = (tmp_path_factory.mktemp(name) for name in ("place", "copy"))
    for name in ("england", "preceptors", f"councils/{COUNCIL}", "partnerships"):
        shutil.copytree(rules_root() / name, place / "rules" / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RBCALC_CACHE_DIR", str(place / "cache"))
        rbcalc.load(place / "rules").council(COUNCIL).program(YEAR)
    shutil.rmtree(place / "cache" / "programs")
    shutil.copytree(place, copy, dirs_exist_ok=True)
    return AsRead(place, copy)


class Forgotten(dict[tuple[str, str], Any]):
    """What a process remembers of files, where each reading is to be as in a process of its own."""

    def __setitem__(self, key: tuple[str, str], value: Any) -> None:
        """Keep nothing."""


@pytest.fixture
def folder(as_read: AsRead, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped rules, and a cache of its own."""
    monkeypatch.setattr(_kept, "_OPENED", Forgotten())
    shutil.rmtree(as_read.place)
    shutil.copytree(as_read.copy, as_read.place)
    monkeypatch.setenv("RBCALC_CACHE_DIR", str(as_read.place / "cache"))
    return as_read.place / "rules"


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
    assert Kept(folder, COUNCIL, YEAR).read() is None
    assert rbcalc.load(folder).council(COUNCIL).program(YEAR).digest == before.digest


def test_an_empty_file_is_not_opened(folder: Path) -> None:
    """A file that was cut short is not whole."""
    rbcalc.load(folder).council(COUNCIL).program(YEAR)
    kept(folder)[0].write_bytes(b"")
    assert Kept(folder, COUNCIL, YEAR).read() is None
    assert rbcalc.load(folder).council(COUNCIL).program(YEAR).rules


def test_without_a_cache_rules_are_linked_each_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder that cannot be made is done without."""
    blocked = folder.parent / "blocked"
    blocked.write_text("a file, not a folder", encoding="utf-8")
    monkeypatch.setenv("RBCALC_CACHE_DIR", str(blocked))
    assert rbcalc.load(folder).council(COUNCIL).program(YEAR).rules


def read_anew(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the rule files that are read and checked from now on, as they come."""
    found: list[str] = []
    before = library.read

    def noted(data: bytes, file: str) -> object:
        found.append(file)
        return before(data, file)

    monkeypatch.setattr(library, "read", noted)
    return found


def discount(program: Program) -> object:
    """The rate that the tests change."""
    return program.parameters["single_adult_discount"].by_period[0]


def changed_discount(folder: Path, figure: str) -> None:
    """Another rate in its rule file."""
    file = folder / "england" / "council_tax" / "discounts.yaml"
    text = file.read_text(encoding="utf-8")
    head, name, rest = text.partition("  single_adult_discount:\n")
    assert name
    before, value, after = rest.partition("value: ")
    file.write_text(f"{head}{name}{before}{value}{figure}\n{after.partition(chr(10))[2]}", encoding="utf-8")


def test_of_changed_rules_only_the_changed_file_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that did not change come as they were read, and the program is the one that they all make afresh."""
    before = rbcalc.load(folder).council(COUNCIL).program(YEAR)
    changed_discount(folder, "31%")
    files = read_anew(monkeypatch)
    after = rbcalc.load(folder).council(COUNCIL).program(YEAR)
    assert files == ["rules/england/council_tax/discounts.yaml"]
    assert (discount(before), discount(after)) == (Fraction(1, 4), Fraction(31, 100))
    monkeypatch.setenv("RBCALC_CACHE_DIR", str(folder.parent / "other"))
    monkeypatch.setattr(parser, "KNOWN", {})
    afresh = rbcalc.load(folder).council(COUNCIL).program(YEAR)
    assert (afresh.rules, afresh.tables, afresh.parameters, afresh.digest) == (after.rules, after.tables, after.parameters, after.digest)
    assert [rule.span for rule in afresh.rules] == [rule.span for rule in after.rules]


def test_a_mistake_in_a_changed_file_is_found(folder: Path) -> None:
    """What is kept hides no mistake: neither in the file itself nor in what others make of it; and no mistake is kept."""
    rbcalc.load(folder).council(COUNCIL).program(YEAR)
    for figure, code in (("31 apples", "RB"), ("£31", "RB"), ("31.5%", "RB059")):
        changed_discount(folder, figure)
        for _ in range(2):
            with pytest.raises(RulesError, match=code):
                rbcalc.load(folder).council(COUNCIL).program(YEAR)
    changed_discount(folder, "32%")
    assert discount(rbcalc.load(folder).council(COUNCIL).program(YEAR)) == Fraction(32, 100)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_damaged_rule_files_are_read_anew(folder: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    """Nothing of what is not whole is opened; it is made again, and the figures are right."""
    rbcalc.load(folder).council(COUNCIL).program(YEAR)
    changed_discount(folder, "33%")
    kept_files = sorted((folder.parent / "cache" / "rule-files").iterdir())
    assert {path.suffix for path in kept_files} == {".files", ".expressions"}
    for path in kept_files:
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 2] ^= 1
        path.write_bytes({"flip": whole, "cut": whole[: len(whole) // 2], "empty": b""}[damage])
    monkeypatch.setattr(parser, "KNOWN", {})
    files = read_anew(monkeypatch)
    assert discount(rbcalc.load(folder).council(COUNCIL).program(YEAR)) == Fraction(33, 100)
    assert len(files) > 10
    files.clear()
    changed_discount(folder, "34%")
    assert discount(rbcalc.load(folder).council(COUNCIL).program(YEAR)) == Fraction(34, 100)
    assert len(files) == 1


def test_other_code_uses_nothing_of_what_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version reads, checks and links everything anew."""
    rbcalc.load(folder).council(COUNCIL).program(YEAR)
    monkeypatch.setattr(_kept, "code_state", lambda: "another")
    files = read_anew(monkeypatch)
    rbcalc.load(folder).council(COUNCIL).program(YEAR)
    assert len(files) > 10
    assert len(kept(folder)) == 2


def test_a_copy_is_read_once_in_a_process_but_for_what_differs(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is remembered goes by what a file holds, not by where it is."""
    monkeypatch.setattr(_kept, "_OPENED", {})
    rbcalc.load(folder).council(COUNCIL).program(YEAR)
    copy = shutil.copytree(folder, tmp_path / "rules")
    changed_discount(copy, "35%")
    shutil.rmtree(folder.parent / "cache")
    files = read_anew(monkeypatch)
    assert discount(rbcalc.load(copy).council(COUNCIL).program(YEAR)) == Fraction(35, 100)
    assert len(files) == 1
    assert discount(rbcalc.load(folder).council(COUNCIL).program(YEAR)) == Fraction(1, 4)


def test_a_scenario_is_linked_each_time(folder: Path, tmp_path: Path) -> None:
    """A file beside the rules, which changes from turn to turn, leaves no program behind."""
    file = tmp_path / "scenario.yaml"
    for percent in (40, 41):
        set_ = f"set: {{single_adult_discount: {{value: {percent}%, from: 2013-04-01}}}}"
        file.write_text(f"kind: scenario\ntitle: Another\nsource: {{note: supposed}}\n{set_}\n", encoding="utf-8")
        program = rbcalc.load(folder).council(COUNCIL).program(YEAR, scenarios=[file])
        assert discount(program) == Fraction(percent, 100)
    assert not kept(folder)


@pytest.mark.parametrize(
    "text", ["7%", "12.50%", "£3", "£1234.05", "2024-02-29", "0", "12.5", "9999-99-99", "007", "0.0%", f"{10**19}", f"£{10**19}.{10**19}"]
)
def test_plain_figures_need_no_grammar(text: str) -> None:
    """What is recognised at a glance is what the grammar would find."""
    assert parser.parse(text) == parser._by_grammar(text)


@pytest.mark.parametrize("text", ["£1,234", "1,234", "7 %", " 7%", "7%\n", "£3/day", "3p", "2024-1-1", "12.", ".5", "1e3", "٣%", "-7%"])
def test_what_is_not_quite_plain_goes_by_the_grammar(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else is left to the grammar."""
    asked: list[str] = []
    monkeypatch.setattr(parser, "KNOWN", {})
    monkeypatch.setattr(parser, "_by_grammar", asked.append)
    parser.parse(text)
    assert asked == [text]
