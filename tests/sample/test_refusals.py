"""What cannot be made is refused with a remedy, and nothing that was there is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from rbcalc.errors import OutputError, UsageError
from rbcalc.rulebook.rules import Rules, load
from rbcalc.sampling.sample import sample
from rbcalc_kernels.source import RulesError


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "whose caseload is wanted"),
        ({"council": "stevenage", "partnership": "westwey"}, "whose caseload is wanted"),
        ({"council": "stevenag"}, "no such council"),
        ({"council": "stevenage", "format": "xlsx"}, "no such format"),
        ({"council": "stevenage", "dwellings": 0}, "0 dwellings cannot be made"),
        ({"council": "stevenage", "changing": "130%"}, "not a share"),
        ({"council": "stevenage", "changing": "a third"}, "not a share"),
        ({"council": "stevenage", "year": "2008-09"}, "no published charges"),
        ({"council": "stevenage", "year": "2011-12", "subjects": ["council_tax"]}, "no published charges"),
        ({"council": "stevenage", "year": "2008-09", "subjects": ["business_rates"]}, "no published charges"),
        ({"council": "stevenage", "subjects": ["business_rate"]}, "no such subject"),
        ({"council": "stevenage", "subjects": ["business_rates"], "dwellings": 20}, "no dwellings are made"),
        ({"council": "stevenage", "hereditaments": 0}, "0 hereditaments cannot be made"),
        ({"partnership": "westwey", "year": "2026-27"}, "had no members"),
    ],
)
def test_a_wrong_request_is_refused(rules: Rules, asked: dict[str, str], says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        sample(rules, out=tmp_path / "x", **asked)  # type: ignore[arg-type]
    assert says in str(refused.value)
    assert not (tmp_path / "x").exists()


def test_a_folder_with_anything_in_it_is_left_alone(rules: Rules, tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text("mine")
    for force in (False, True):
        with pytest.raises(OutputError):
            sample(rules, council="stevenage", dwellings=20, out=tmp_path, force=force)
    assert (tmp_path / "accounts.csv").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_earlier_sample_is_replaced_only_when_asked(rules: Rules, tmp_path: Path) -> None:
    sample(rules, council="stevenage", dwellings=20, out=tmp_path)
    with pytest.raises(OutputError):
        sample(rules, council="stevenage", dwellings=20, out=tmp_path, format="csv")
    sample(rules, council="stevenage", dwellings=20, out=tmp_path, format="csv", force=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "accounts.csv",
        "charges.csv",
        "claims.csv",
        "dwellings.csv",
        "earlier_overpayments.csv",
        "hereditaments.csv",
        "household.csv",
        "incomes.csv",
        "list_values.csv",
        "manifest.json",
        "non_dependants.csv",
        "occupations.csv",
        "payments.csv",
        "people.csv",
        "rates_accounts.csv",
        "recoveries.csv",
        "rents.csv",
        "tenancies.csv",
    ]


def test_a_manifest_cannot_lead_out_of_its_folder(rules: Rules, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    folder = tmp_path / "sample"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"kind": "sample caseload", "tables": {"a": {"files": ["../precious"]}}}')
    with pytest.raises(OutputError):
        sample(rules, council="stevenage", dwellings=20, out=folder, force=True)
    assert precious.exists()


def test_a_failure_leaves_no_half_written_file(rules: Rules, tmp_path: Path) -> None:
    def stop(done: int, whole: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(rules, council="stevenage", dwellings=20, out=tmp_path, progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("    rest: 45%", "    rest: 45", "RB037", "not a share"),
        ("  older: year_start", "  older: year_begin", "RB039", "no day is called year_begin"),
        ("year_start - 97 years to", "year_start - 197 years to", "RB058", "leaves the range"),
        ("year_start - 97 years to year_start - 66 years", "year_start to year_start - 66 years", "RB058", "the first of the two is after"),
        ("exemption: M}", "exemption: MM}", "RB039", "MM is not one of"),
        ("weekly_hours: {24: 40%, 23: 20%", "weekly_hours: {24: 40%, 23: 30%", "RB037", "do not add up"),
        ("    among: all_disregarded", "    among: nobody", "RB039", "which is no situation"),
        ("    least: 6", "    fewest: 6", "RB035", "unknown key"),
        ("    least: 6", "    least: six", "RB037", "expected a whole number"),
        ("\nreferences:", "\nreference:", "RB035", "unknown key 'reference'"),
        ("\n  exempt_N_recorded:", "\n  exempt_N:", "RB006", "twice"),
        ("\n  exempt_N_recorded:", "\n  one_adult_and_student:", "RB069", "two situations"),
        ("{adapted: any_day}", "{adapted: 1st May}", "RB037", "not a day"),
        ("{occupation: furnished, prescribed_class", "{occupied: furnished, prescribed_class", "RB039", "no column occupied"),
        ("accounts: {to: gone}", "accounts: {from: gone, to: year_start}", "RB073", "ends before it begins"),
        ("disabled_reduction: yes}", "disabled_reduction: maybe}", "RB037", "expected yes or no"),
    ],
)
def test_a_mistake_in_the_sample_file_is_shown_where_it_is(
    own_rules: Path, old: str, new: str, code: str, says: str, tmp_path: Path
) -> None:
    file = own_rules / "england" / "council_tax" / "sample.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RulesError) as refused:
        sample(load(own_rules), council="stevenage", year="2026-27", dwellings=5000, subjects=["council_tax"], out=tmp_path / "out")
    assert code in [d.code for d in refused.value.diagnostics]
    assert says in str(refused.value)
    assert "sample.yaml:" in str(refused.value)


def test_rules_without_a_sample_file_say_so(own_rules: Path, tmp_path: Path) -> None:
    (own_rules / "england" / "council_tax" / "sample.yaml").unlink()
    with pytest.raises(UsageError, match="say nothing about sample caseloads"):
        sample(load(own_rules), council="stevenage", out=tmp_path / "out")
