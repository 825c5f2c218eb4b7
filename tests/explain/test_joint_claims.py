"""Several claims on one account, told apart: in the working, in letters, in changes, and in what a run writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest

from rbcalc.rulebook.rules import Rules
from rbcalc.running.rebill import rebill
from rbcalc_cli.main import outcome

TABLES = {
    "accounts": ["account,dwelling,from,to", "X,Y,2020-04-01,", "Z,W,2020-04-01,"],
    "dwellings": ["dwelling,from,to,band,area", "Y,2000-01-01,,C,whole", "W,2000-01-01,,C,whole"],
    "claims": [
        "claim,account,from,to,claimed_on,capital,jointly_liable",
        "C1,X,2020-04-01,,,5000,2",
        "D1,X,2026-07-01,,2026-07-01,5000,2",
        "E1,Z,2020-04-01,,,5000,",
        "old,X,2019-04-01,2020-03-31,,5000,",
    ],
    "household": [
        "claim,person,from,role,born",
        "C1,P,2020-04-01,applicant,1945-01-01",
        "D1,Q,2020-04-01,applicant,1945-01-01",
        "E1,R,2020-04-01,applicant,1945-01-01",
        "old,S,2019-04-01,applicant,1945-01-01",
    ],
    "incomes": [
        "person,from,income_kind,frequency,amount",
        "P,2020-04-01,state_pension,weekly,256.00",
        "Q,2020-04-01,state_pension,weekly,276.00",
        "R,2020-04-01,state_pension,weekly,256.00",
        "S,2019-04-01,state_pension,weekly,256.00",
    ],
}
WHICH = ["--council", "stevenage", "--year", "2026-27"]


@pytest.fixture(scope="module")
def caseload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("caseload")
    for name, lines in TABLES.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


class Told(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def told(caseload: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Told:
        capsys.readouterr()
        code = outcome(["explain", *words, "--caseload", str(caseload), *WHICH])
        return Told(code, *capsys.readouterr())

    return run


def test_both_claims_stand_in_the_working_by_their_references(told: Callable[..., Told]) -> None:
    text = told("X").out
    assert "Award (claim C1), 1 April 2026 to 31 March 2027" in text
    assert "Award (claim D1), 6 July 2026 to 31 March 2027" in text
    assert "Assessment of a claim (claim C1) 1: 1 April 2026 to 31 March 2027" in text
    assert "Assessment of a claim (claim D1) 1: 1 July 2026 to 31 March 2027" in text
    alone = told("Z").out
    assert "Award, 1 April 2026 to 31 March 2027" in alone and "(claim" not in alone
    rows = json.loads(told("X", "--format", "json").out)["rows"]
    assert [row["claim"] for row in rows if row["entity"] == "award"] == ["C1", "D1"]


def test_each_claim_has_a_letter_that_tells_nothing_of_the_other(told: Callable[..., Told], tmp_path: Path) -> None:
    one = told("X", "--letter", "--format", "markdown")
    assert one.code == 2 and "name one claim with --claim: C1, D1" in one.err
    unknown = told("X", "--letter", "--claim", "C2")
    assert unknown.code == 2 and "it has old, C1, D1" in unknown.err
    first, second = (told("X", "--letter", "--claim", claim, "--format", "markdown").out for claim in ("C1", "D1"))
    assert "X, claim C1" in first and "£256.00" in first and "£276.00" not in first
    assert "X, claim D1" in second and "£276.00" in second and "£256.00 a week |" in second  # the applicable amount
    for text, own in ((first, "£1,063.10"), (second, "£629.77")):
        assert f"| Your reduction for the year | {own} |" in text
        assert "| You pay for the year | £433.32 |" in text
        assert "Other people have to pay this bill together with you." in text
    done = told("--all-accounts", "--out", str(tmp_path / "letters"), "--format", "markdown")
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "letters").iterdir()) == ["000001-1.md", "000001-2.md", "000002.md", "index.md"]
    index = (tmp_path / "letters" / "index.md").read_text(encoding="utf-8")
    assert "| X, claim C1 | [000001-1.md](000001-1.md) |" in index and "| Z | [000002.md](000002.md) |" in index


def test_a_change_is_that_of_one_claim(told: Callable[..., Told]) -> None:
    days = ["--changed-from", "2026-06-01", "--to", "2026-08-01"]
    several = told("X", *days)
    assert several.code == 2 and "name one claim with --claim" in several.err
    assert "There was none before" in told("X", *days, "--claim", "D1").out
    assert "Nothing changed." in told("X", *days, "--claim", "C1").out


def test_a_run_says_of_each_row_whose_it_is(rules: Rules, caseload: Path, tmp_path: Path) -> None:
    council = rules.council("stevenage")

    def awards(folder: Path, out: str, **how: Any) -> list[tuple[str, str, str, str]]:
        rebill([council], "2026-27", folder, tmp_path / out, **how)
        rows = pq.read_table(tmp_path / out / "stevenage" / "awards.parquet").to_pylist()
        return [(row["account"], row["claim"], row["first_day"].isoformat(), str(row["awarded"])) for row in rows]

    expected = [("X", "C1", "2026-04-01", "1063.10"), ("X", "D1", "2026-07-06", "629.77"), ("Z", "E1", "2026-04-01", "2126.19")]
    assert awards(caseload, "out") == expected
    assert awards(caseload, "two", threads=2) == expected
    moved = tmp_path / "moved"  # the rows of each table the other way round
    moved.mkdir()
    for name, lines in TABLES.items():
        (moved / f"{name}.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n", encoding="utf-8")
    assert sorted(awards(moved, "again")) == expected
