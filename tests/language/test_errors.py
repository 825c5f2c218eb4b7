"""Every diagnostic code has a file that earns it, with the whole report, and the same file mended."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from language.linking_toolbox import ROOT, findings, report
from rbcalc_kernels.source.codes import CODES

FOLDER = Path(__file__).resolve().parent / "errors"
PAIRS = sorted(folder for folder in FOLDER.iterdir() if folder.name.startswith("RB"))
OF_READING = [code for code in CODES if code < "RB030"]
OF_RULES = [code for code in CODES if code >= "RB030"]
TOO_LARGE_TO_KEEP = {"RB008", "RB009", "RB010"}
"""Limits whose files tests make when they run (`tests/source/test_reader.py`)."""


def files(pair: Path, which: str) -> list[Path]:
    """The rule files of one half of a pair: `bad.yaml`, or all of a folder `bad`."""
    return sorted((pair / which).glob("*.yaml")) or [pair / f"{which}.yaml"]


def of_compiling(pair: Path) -> bool:
    """Whether the mistake is one that only compiling finds."""
    return pair.name >= "RB090"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_mistake_is_reported_word_for_word(pair: Path) -> None:
    found = report(FOLDER, files(pair, "bad"), kernels=of_compiling(pair))
    assert found == (pair / "expected.txt").read_text(encoding="utf-8")
    assert f"[{pair.name}]" in found


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_the_mended_file_is_without_fault(pair: Path) -> None:
    assert list(findings(FOLDER, files(pair, "good"), kernels=of_compiling(pair))) == []


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_the_pair_differs_in_a_few_lines_only(pair: Path) -> None:
    bad, good = ("\n".join(file.read_text(encoding="utf-8") for file in files(pair, which)).splitlines() for which in ("bad", "good"))
    assert 0 < len(set(bad) ^ set(good)) <= 9


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_every_report_says_where_and_what_to_do(pair: Path) -> None:
    text = (pair / "expected.txt").read_text(encoding="utf-8")
    told = re.split(r"(?m)^(?=rules/\S+:\d+:\d+: (?:error|warning)\[)", text)[1:]
    assert told
    for finding in told:
        assert re.search(r"\n +\| +\^+", finding), "the place is underlined"
        assert "\n   help: " in finding


def test_every_code_has_its_pair() -> None:
    assert {pair.name for pair in PAIRS} >= set(OF_RULES)
    assert {pair.name for pair in PAIRS} <= set(CODES)


def test_every_code_of_reading_has_a_hostile_file() -> None:
    names = " ".join(file.name for file in (ROOT / "tests" / "source" / "hostile").iterdir())
    made = (ROOT / "tests" / "source" / "test_reader.py").read_text(encoding="utf-8")
    missing = {code for code in OF_READING if code not in names}
    assert missing <= TOO_LARGE_TO_KEEP
    assert all(code in made for code in missing)


def test_no_code_is_used_without_being_registered() -> None:
    used = {
        code: file
        for file in sorted((ROOT / "kernels").rglob("*.py"))
        if file.name != "codes.py"
        for code in re.findall(r"\bRB\d{3}\b", file.read_text(encoding="utf-8"))
    }
    assert {code: file.name for code, file in used.items() if code not in CODES} == {}


def test_every_registered_code_is_used() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "kernels").rglob("*.py")) if file.name != "codes.py")
    assert [code for code in CODES if f'"{code}"' not in text] == []
