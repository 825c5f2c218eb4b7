"""The command from end to end: what it prints, writes and refuses, with its exit codes; and figures made to try it on."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import rbcalc
from rbcalc.errors import UsageError
from rbcalc.reconciling import sample as _reconcile_sample
from rbcalc.reconciling.reconcile import reconcile
from rbcalc.reconciling.record import read_record
from rbcalc.reconciling.sample import Planted, billed, share_of
from rbcalc_cli.examples import worked as examples
from rbcalc_cli.main import helping, outcome
from reconcile.conftest import Figures, Small, without_machine_code
from reconcile.small import YEAR


@pytest.fixture
def run(
    small: Small, rules_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command in a folder with the caseload and the live system's figures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("RBCALC_ENGINE", "python")
    monkeypatch.delenv("RBCALC_DEBUG", raising=False)
    (tmp_path / "caseload").mkdir()
    for name, table in small.tables.items():
        pq.write_table(table, tmp_path / "caseload" / f"{name}.parquet")

    def ran(figures: Figures, *options: str) -> tuple[int, str, str]:
        pq.write_table(small.billed(figures), tmp_path / "live.parquet")
        capsys.readouterr()
        given = [
            "--caseload",
            "caseload",
            "--billed",
            "live.parquet",
            "--partnership",
            "both",
            "--rules",
            str(rules_root),
            "--threads",
            "1",
        ]
        code = outcome(["reconcile", *given, *options])
        return code, *capsys.readouterr()

    return ran


def test_a_baseline_that_agrees(run: Any, figures: Figures) -> None:
    code, out, err = run(figures, "--out", "out")
    assert code == 0
    assert "Baseline reconciled: 80 of 80 accounts match (100.00 %; 99.00 % wanted), 2026-27" in out
    assert "Causes" not in out
    assert "results: out" in err
    assert rbcalc.verify("out") == []
    assert read_record("out/reconciliation.json").trusted()


def test_a_baseline_that_does_not(run: Any, figures: Figures) -> None:
    figures["north", "n000"][0] += Decimal("12345.67")  # type: ignore[operator]
    figures["south", "s001"][0] += Decimal("0.01")  # type: ignore[operator]
    del figures["south", "s000"]
    code, out, err = run(figures, "--out", "out", "--tolerance", "£0.01")
    assert code == 1
    assert "BASELINE NOT RECONCILED: 78 of 80 accounts match (97.50 %; 99.00 % wanted)" in out
    assert "£12,345.67" in out
    assert "not explained" in out
    assert "1 accounts differ by more than £0.01; only 97.50 % of the accounts match, and 99.00 % is wanted" in err
    rows = pq.read_table("out/differences.parquet").to_pylist()
    assert [(row["account"], row["outcome"], row["charge_difference"]) for row in rows] == [
        ("n000", "differs", Decimal("12345.67")),
        ("s000", "only in the caseload", None),
        ("s001", "differs within the tolerance", Decimal("0.01")),
    ]
    record = read_record("out/reconciliation.json")
    assert not record.trusted()
    assert (record.matching, record.accounts) == (78, 80)


def test_for_programs(run: Any, figures: Figures) -> None:
    figures["north", "n000"][0] += Decimal("12345.67")  # type: ignore[operator]
    code, out, _ = run(figures, "--format", "json", "--no-causes")
    assert code == 1
    told = json.loads(out)
    assert told["match_rate"] == "79/80"
    assert told["trusted"] is False
    assert told["classes"]["differs"] == 1
    code, out, _ = run(figures, "--format", "csv")
    assert code == 1
    rows = list(csv.DictReader(out.splitlines()))
    assert {"council": "north", "grouped by": "cause", "group": "not explained", "what": "", "accounts": "1"}.items() <= rows[
        -1
    ].items() or [
        row for row in rows if row["group"] == "not explained" and row["figure"] == "charge_difference" and row["amount"] == "12345.67"
    ]


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--tolerance", "lots"], 2, "write the tolerance as £0.05"),
        (["--threshold", "99"], 2, "write the threshold in per cent"),
        (["--billed", "none.csv"], 2, "no such file: none.csv"),
        (["--billed", "bad.csv"], 3, "lack the columns 'council', 'account', 'charge', 'award'"),
        (["--caseload", "nowhere"], 2, "no such folder"),
        (["--council", "north"], 2, "a council or a partnership, not both"),
        (["--out", "caseload"], 2, "not empty"),
        (["--billed-map", "bad.csv"], 2, "column map"),
    ],
)
def test_mistakes_are_told_with_a_remedy(run: Any, figures: Figures, options: list[str], code: int, told: str) -> None:
    Path("bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    found, out, err = run(figures, *options)
    assert found == code
    assert told in err
    assert "help: " in err or "column map" in told
    assert not out


@pytest.fixture(scope="module")
def made(small: Small) -> Planted:
    with without_machine_code():
        return billed(small.councils, YEAR, small.tables, seed=3, share=Fraction(1, 5))


def test_what_is_put_in_is_found(small: Small, made: Planted) -> None:
    with without_machine_code():
        found = reconcile(small.councils, YEAR, small.tables, made.table, threads=1)
    causes = {row["account"]: row["cause"] or row["outcome"] for row in found.differences.to_pylist()}
    assert {"parameter", "data", "rounding", "not explained", "only in the caseload", "only in the live system"} <= set(made.counts)
    assert causes == {account: cause for _, account, cause, _ in made.planted}


def test_the_same_seed_puts_in_the_same(small: Small, made: Planted) -> None:
    with without_machine_code():
        again = billed(small.councils, YEAR, small.tables, seed=3, share=Fraction(1, 5))
        other = billed(small.councils, YEAR, small.tables, seed=4, share=Fraction(1, 5))
    assert again.table.equals(made.table)
    assert again.planted == made.planted
    assert other.planted != made.planted


@pytest.mark.parametrize("text", ["1", "30%", "0%", "few"])
def test_the_share_is_a_few_per_cent(text: str) -> None:
    with pytest.raises(UsageError, match="not a share"):
        share_of(text)


def test_the_examples_of_the_help_work_on_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RBCALC_ENGINE", "python")
    monkeypatch.setattr(_reconcile_sample, "MOST_TRIED", 1)
    first, second = examples(helping("reconcile"))
    council, year = first[first.index("--council") + 1], first[first.index("--year") + 1]
    sample = ["sample", "--council", council, "--year", year, "--dwellings", "30", "--out", "sample"]
    assert outcome([*sample, "--billed", "sample/live.csv"]) == 2
    assert outcome([*sample, "--billed", "live.txt"]) == 2
    assert outcome([*sample, "--billed", "live.csv"]) == 0
    assert "put in on purpose: " in capsys.readouterr().err
    assert outcome([*sample, "--force", "--billed", "live.csv", "--billed-share", "90%"]) == 2
    assert Path("live.planted.csv").is_file()
    for example in (first, second):
        assert outcome([*example, "--no-causes", "--threads", "1"]) == 1
    assert read_record("reconciled/reconciliation.json").accounts > 30
