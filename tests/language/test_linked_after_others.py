"""A program is the same whatever was linked before it from the same files: what was made for others serves only where it means the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from language.linking_toolbox import BASE, write, year_days
from rbcalc_kernels.program.library import Library
from rbcalc_kernels.program.linking import link
from rbcalc_kernels.source import RulesError

STATUTE = (
    BASE
    + """\
  total: {of: period, unit: £/week, round: "penny, half up", output: yes, is: rent * 10% + extra}
  many: {of: period, unit: count, output: yes, is: "count(residents where income > extra and income > £1/week)"}
  most: {of: period, unit: £/week, output: yes, is: "max(residents.income where income > extra, none: £0)"}
  some: {of: period, unit: yes/no, output: yes, is: "any(residents where student and income > £2/week)"}
  steps:
    of: period
    unit: £/week
    output: yes
    first:
      - {when: size = big and many > 2, give: "rates[size]", because: "It is {size}, with {extra}."}
      - {when: "known(worths[size])", give: "worths[size] + extra"}
      - otherwise: £0/week
"""
)
KIND = "kind: scenario\ntitle: Supposed\nextends: [statute]\nfrom: 2020-04-01\nsource: {note: supposed}\n"
SIZES = "lists: {sizes: {members: [small, big]}}\n"
EXTRA = "  extra: {unit: £/week, value: £3/week}\n"
SIZE = "  size: {unit: sizes, value: big}\n"
RATES = "  rates: {over: {size: sizes}, unit: £/week, rows: {small: £1, big: £2}}\n"
WORTHS = "  worths: {over: {size: sizes}, unit: £/week, sparse: yes, rows: {small: £5}}\n"
PLAIN = f"{KIND}{SIZES}parameters:\n{EXTRA}{SIZE}tables:\n{RATES}{WORTHS}"
MEANINGS = {
    "plain": PLAIN,
    "further members": PLAIN.replace("[small, big]", "[tiny, small, big]").replace("rows: {small: £1,", "rows: {tiny: £0, small: £1,"),
    "another unit": PLAIN.replace("unit: £/week, value: £3/week", "unit: count, value: 3"),
    "a fact": f"{PLAIN.replace(EXTRA, '')}inputs:\n  extra: {{of: resident, unit: £/week, range: £0/week to £9/week, register: people}}\n",
    "a fact of the period": (
        f"{PLAIN.replace(EXTRA, '')}inputs:\n  extra: {{of: period, unit: £/week, range: £0/week to £9/week, register: dwellings}}\n"
    ),
    "a fact that may be absent": (
        f"{PLAIN.replace(EXTRA, '')}inputs:\n"
        "  extra: {of: period, unit: £/week, range: £0/week to £9/week, register: dwellings, optional: yes}\n"
    ),
    "a rule": f"{PLAIN.replace(EXTRA, '')}rules:\n  extra: {{of: period, unit: £/week, is: rent * 1%}}\n",
    "nothing": PLAIN.replace(EXTRA, ""),
    "a member that is a figure too": PLAIN.replace(EXTRA, EXTRA + "  big: {unit: £/week, value: £1/week}\n"),
    "a table by two lists": PLAIN.replace(WORTHS, WORTHS.replace("sizes}", "sizes, band: band}").replace("£5", "{A: £5}")),
    "other rows": PLAIN.replace("{small: £5}", "{small: £5, big: £6}"),
    "a mistake in a table": PLAIN.replace("small: £1,", "smaller: £1,"),
    "a sum less": f"{PLAIN}replace:\n  many: {{of: period, unit: count, is: 3, reason: why not}}\n",
    "another sum before": (
        f"{PLAIN}replace:\n  total: {{of: period, unit: £/week, is: sum(residents.income where not student), reason: why not}}\n"
    ),
    "changed in the year": (
        f"{PLAIN}replace:\n  many:\n    of: period\n    unit: count\n    reason: why not\n    versions:\n"
        "      - {from: 2020-04-01, is: count(residents where student)}\n"
        "      - {from: 2025-10-01, is: count(residents where student and income > extra)}\n"
    ),
    "dropped": f"{PLAIN}drop: {{steps: {{reason: why not}}}}\n",
    "put up": f"{PLAIN}uprate: [{{names: [extra, rates], by: 10%, round: 'penny, half up'}}]\n",
}


def everything(found: object) -> object:
    """A value with all that is in it, places in files and the order of mappings too, as plain tuples."""
    if is_dataclass(found):
        return type(found).__name__, tuple(everything(getattr(found, each.name)) for each in fields(found) if each.init)
    if isinstance(found, Mapping):
        return tuple((everything(key), everything(value)) for key, value in found.items())
    if isinstance(found, tuple | list):
        return tuple(map(everything, found))
    return found


def outcome(library: Library, path: Path) -> object:
    """The program in every part with its warnings, or what is wrong."""
    try:
        linked = link(library, [path], *year_days(2025), name="one")
    except RulesError as error:
        return everything(error.diagnostics)
    return everything(linked.program), everything(tuple(linked.findings))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {f"supposed/{number}.yaml": text for number, text in enumerate(MEANINGS.values())}
    return write(tmp_path_factory.mktemp("rules"), {"statute.yaml": STATUTE, **files})


@pytest.fixture(scope="module")
def alone(folder: Path) -> dict[str, object]:
    """What each gives by itself."""
    return {name: outcome(Library(folder), folder / f"supposed/{number}.yaml") for number, name in enumerate(MEANINGS)}


def test_the_meanings_differ(alone: dict[str, object]) -> None:
    """Some are programs, some are mistakes, and no two give the same."""
    assert len(set(map(repr, alone.values()))) == len(MEANINGS)
    wrong = {name for name, found in alone.items() if "Diagnostic" in repr(found)[:20]}
    assert wrong == {"another unit", "a fact", "a fact that may be absent", "nothing", "a table by two lists", "a mistake in a table"}


@pytest.mark.parametrize("first", MEANINGS)
def test_after_one_other_and_before_all(folder: Path, alone: dict[str, object], first: str) -> None:
    """Whichever comes first, all others, and it again, are what they are by themselves."""
    library, names = Library(folder), list(MEANINGS)
    for name in (first, *names, first):
        assert outcome(library, folder / f"supposed/{names.index(name)}.yaml") == alone[name], name


def test_what_means_the_same_is_shared(folder: Path) -> None:
    """Rules that mean the same are the very same in two programs; so are their names for what they sum."""
    library, names = Library(folder), list(MEANINGS)
    paths = [folder / f"supposed/{names.index(name)}.yaml" for name in ("plain", "other rows")]
    one, other = (link(library, [path], *year_days(2025), name="one").program for path in paths)
    assert [rule.name for rule in one.rules] == [rule.name for rule in other.rules]
    assert all(mine is theirs for mine, theirs in zip(one.rules, other.rules, strict=True))
    assert one.tables["worths"] != other.tables["worths"]


def test_nodes_are_equal_wherever_they_were_written(folder: Path) -> None:
    """Two readings of one file give equal nodes with equal sums, and the same order."""
    one, other = (link(Library(folder), [folder / "supposed/0.yaml"], *year_days(2025), name="one").program for _ in range(2))
    assert one.rules == other.rules
    assert not any(mine.body is theirs.body for mine, theirs in zip(one.rules, other.rules, strict=True))
    for mine, theirs in zip(one.rules, other.rules, strict=True):
        assert (hash(mine.body), mine.body.digest) == (hash(theirs.body), theirs.body.digest)
    assert len({rule.body.digest for rule in one.rules}) == len({rule.body for rule in one.rules})
