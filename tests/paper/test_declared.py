"""What an officer declares for a paper: read strictly, every mistake with its place, and nothing assumed."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from rbcalc.errors import UsageError
from rbcalc.papers.file import Declared, read_declared

COUNCILS, OPTIONS, STEPS = ["north", "south"], ["grid", "limit"], ["precepting", "draft", "interested"]


def read(folder: Path, text: str) -> Declared:
    path = folder / "paper.yaml"
    path.write_text(text, encoding="utf-8")
    return read_declared(path, councils=COUNCILS, options=OPTIONS, steps=STEPS)


def test_everything_can_be_said(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """kind: paper
title: The scheme for 2027-28
report: FC/26/41
date: 2026-12-02
author: Head of Revenues
contact: revenues@example.org
meeting: {body: Full Council, on: 2027-02-24}
threshold: 99.5%
background: [Members asked for this.]
options: {grid: {title: An income grid, says: Bands of income., transitional: No one loses more than £5 a week.}}
consultation: [{step: draft, council: north, whom: all, from: 2026-09-01, to: 2026-10-01, outcome: 12 answers}]
money: [{council: north, option: grid, collection_rate: 82.5%, hardship_fund: £25000, administration: -£400.50, source: estimate}]
other_ways: {reserves: {title: Reserves, amount: £30000, says: x, reason: y, source: z}}
""",
    )
    assert (found.dated, found.body, found.meeting, found.threshold) == (
        date(2026, 12, 2),
        "Full Council",
        date(2027, 2, 24),
        Fraction(199, 200),
    )
    assert found.options["grid"].transitional == "No one loses more than £5 a week."
    assert (found.consultation[0].first, found.consultation[0].council) == (date(2026, 9, 1), "north")
    assert found.figure("collection_rate", "north", "grid") == Fraction(33, 40)
    assert found.figure("administration", "north", "grid") == Fraction(-801, 2)
    assert found.figure("collection_rate", "south", "grid") is None
    assert found.other_ways["reserves"].amount == 30_000


def test_the_closest_declaration_counts(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """kind: paper
money:
  - {collection_rate: 70%}
  - {option: grid, collection_rate: 71%}
  - {council: north, collection_rate: 72%}
  - {council: north, option: grid, collection_rate: 73%}
""",
    )
    places = [("south", "limit"), ("south", "grid"), ("north", "limit"), ("north", "grid")]
    assert [found.figure("collection_rate", *place) for place in places] == [Fraction(rate, 100) for rate in (70, 71, 72, 73)]


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [
        ("date: 2026-13-01", "paper.yaml:2:7", "no day: 2026-13-01"),
        ("threshold: 101%", "paper.yaml:2:12", "no rate from 0% to 100%: 101%"),
        ("options: {gird: {title: x}}", "paper.yaml:2:11", "no option is called gird (did you mean 'grid'?)"),
        ("consultation: [{step: drafts}]", "paper.yaml:2:23", "no step is called drafts (did you mean 'draft'?)"),
        ("consultation: [{step: draft, from: 2026-02-01, to: 2026-01-01}]", "paper.yaml:2:52", "the consultation ends before it begins"),
        ("money: [{council: nord, hardship_fund: £5}]", "paper.yaml:2:19", "no council is called nord"),
        ("money: [{council: north, hardship_fund: '5,000'}]", "paper.yaml:2:41", "no amount of money: 5,000"),
        ("money: [{hardship_fund: £5}]", "paper.yaml:2:25", "an amount belongs to one council"),
        ("money: [{collection_rate: 5%}, {collection_rate: 6%}]", "paper.yaml:2:50", "collection_rate is declared twice"),
        ("recommendation: none", "paper.yaml:2:1", "unknown key 'recommendation'"),
        ("title: [a]", "paper.yaml:2:1", "expected a text"),
    ],
)
def test_a_mistake_is_shown_where_it_stands(tmp_path: Path, line: str, place: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, f"kind: paper\n{line}\n")
    assert caught.value.code == "RC080"
    assert place in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["kind: cases\n", "title: x\n", "- a\n", "kind: !!python/object:os.system x\n"])
def test_another_kind_of_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="declarations cannot be used"):
        read(tmp_path, text)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_declared(tmp_path / "none.yaml", councils=(), options=(), steps=())
