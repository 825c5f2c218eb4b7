"""What peers are told of the claims, and what happens where there is none: no peer is needed here."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from benchmarks.peers import ASKED, WEEKS, WORKS, figures, linked, main, written
from benchmarks.reduction import SHARED, Both, Work

CLAIMS = 50
OTHERS = 10


@pytest.fixture(scope="module")
def work() -> Work:
    return Work(CLAIMS)


def told(work: Work) -> Any:
    return figures(work, np.full(CLAIMS, 200_000), date(2026, 4, 1))


def test_households_are_those_of_the_registers(benchmark: Any, work: Work) -> None:
    ours = benchmark.pedantic(told, args=(work,), rounds=1)
    people, registers = ours["person"], work.registers
    assert all(column.size == 2 * CLAIMS + OTHERS for column in people.values())
    paid = people["state_pension"] + people["occupational_pension"] + people["earnings"]
    assert np.allclose(paid[: 2 * CLAIMS], registers["incomes"].columns["amount"] / 100 * WEEKS)
    assert np.allclose(paid[2 * CLAIMS :], registers["non_dependants"].columns["gross_income"] / 100 * WEEKS)
    assert np.count_nonzero(ours["benunit"]["claims"]) == CLAIMS
    assert set(ours["household"]["charge"]) == {2_000.0}


def test_every_person_is_linked_once(benchmark: Any, work: Work) -> None:
    tables = benchmark.pedantic(linked, args=("policyengine_uk_compiled", told(work)), rounds=1)
    for table in ("benunit", "household"):
        people = [place for each in tables[table]["person_ids"] for place in each.split(";")]
        assert sorted(map(int, people)) == list(range(2 * CLAIMS + OTHERS))
    assert np.count_nonzero(tables["person"]["is_household_head"]) == CLAIMS
    assert np.count_nonzero(tables["person"]["is_benunit_head"]) == CLAIMS + OTHERS


def test_each_peer_is_written_for(work: Work, tmp_path: Path) -> None:
    asked, ours = yaml.safe_load(ASKED.read_text(encoding="utf-8")), told(work)
    for name, how in asked.items():
        written(tmp_path, name, how, ours, 2026)
    with np.load(tmp_path / "policyengine_uk.npz") as arrays:
        assert arrays["household.council_tax"].tolist() == [2_000.0] * CLAIMS
        assert arrays["person.age"].min() >= 30


def test_tenants_are_written_with_their_rent(tmp_path: Path) -> None:
    tenants = Work(CLAIMS, rent=True)
    place, wanted = WORKS["housing_benefit"]
    asked = yaml.safe_load(place.read_text(encoding="utf-8"))
    for name, how in asked.items():
        assert tuple(how["wanted"]) == wanted
        written(tmp_path, name, how, told(tenants), 2026)
    with np.load(tmp_path / "policyengine_uk.npz") as arrays:
        assert arrays["household.rent"].tolist() == (tenants.registers["rents"].columns["rent"] / 100 * WEEKS).tolist()


def test_for_both_benefits_the_same_people_have_a_charge_and_a_rent(tmp_path: Path) -> None:
    both = Both(CLAIMS)
    for name in SHARED:
        mine, theirs = both.accounts.registers[name], both.tenancies.registers[name]
        assert mine.owner is theirs.owner
        assert all(np.array_equal(mine.columns[column], theirs.columns[column]) for column in mine.columns.keys() & theirs.columns.keys())
    place, wanted = WORKS["both"]
    for name, how in yaml.safe_load(place.read_text(encoding="utf-8")).items():
        assert tuple(how["wanted"]) == wanted
        written(tmp_path, name, how, told(both.tenancies), 2026)
    with np.load(tmp_path / "policyengine_uk.npz") as arrays:
        assert arrays["household.council_tax"].min() > 0
        assert arrays["household.rent"].min() > 0


def test_without_a_peer_it_says_so(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code = benchmark.pedantic(main, args=(["--peer-python", sys.executable, "--claims", str(CLAIMS), "--turns", "1", "--json"],), rounds=1)
    assert code == 2
    said = capsys.readouterr()
    assert not said.out
    assert "policyengine_uk is left out" in said.err
