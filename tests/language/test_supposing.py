"""What a scenario supposes of figures as a whole: files left out, figures that go on, figures put up, and for whom."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from language.linking_toolbox import BASE, write, year_days
from rbcalc_kernels.language.shaping import document
from rbcalc_kernels.program.graph import Program
from rbcalc_kernels.program.library import Library, RuleSource
from rbcalc_kernels.program.linking import link
from rbcalc_kernels.source import Findings, RulesError, read, render

STATUTE = (
    BASE.replace("lists:\n  band:", "lists:\n  area: {title: Area, local: yes}\n  band:").replace(
        "inputs:\n", "inputs:\n  place: {of: period, unit: area, optional: yes, register: dwellings}\n"
    )
    + """\
  tapered:
    of: period
    unit: £/week
    output: yes
    is: |
      max(£0/week, rent * taper - steps[band, rent] - amounts[band] - rate - twice[band] - bands[rent]
      - (if kept then £1/week else £0/week))
  local_rule: {of: period, unit: £/week, local: yes, output: yes, is: £1/week}
  places: {of: period, unit: £/week, output: yes, is: "if known(place) then by_area[place] else £0/week"}
parameters:
  taper: {unit: rate, local: yes}
  rate: {unit: £/week, values: [{from: 2020-04-01, value: £10/week}, {from: 2025-10-01, value: £20/week}]}
  kept: {unit: yes/no, value: no}
tables:
  steps:
    over: {band: band, from: £/week}
    unit: £/week
    values:
      - {from: 2020-04-01, rows: {A: {£0: £1, £10: £2}, B: {£0: £3}, C: {£0: £4}}}
      - {from: 2024-04-01, rows: {B: {£0: £30}}}
  bands:
    over: {from: £/week}
    unit: £/week
    values: [{from: 2020-04-01, rows: {£0: £1, £10: £2}}, {from: 2024-04-01, rows: {£0: £1, £12: £2}}]
  amounts: {over: {band: band}, unit: £/week, local: yes}
  twice: {over: {band: band}, unit: £/week, is: "2 * amounts[band]"}
  by_area: {over: {a: area}, unit: £/week, local: yes}
"""
)
COUNCIL = """\
kind: council
title: The council
extends: [statute]
from: 2024-04-01
to: 2025-03-31
source: {note: made up}
adopted: made up
lists: {area: {members: [north, south]}}
set:
  taper: {value: 20%}
  amounts: {rows: {A: £1.01, B: £2, C: £3}}
  by_area: {rows: {north: £1, south: £2}}
replace:
  local_rule: {of: period, unit: £/week, is: £7/week, reason: ours}
"""
OPEN = COUNCIL.replace("from: 2024-04-01\nto: 2025-03-31", "from: 2025-04-01")
SCENARIO = "kind: scenario\ntitle: Supposed\nfrom: 2025-04-01\nsource: {note: supposed}\n"
CARRY = "carry: {as_on: 2025-03-31, because: Nothing is published.}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, {"statute.yaml": STATUTE, "councils/one/2024.yaml": COUNCIL})


def source(text: str, name: str = "supposed.yaml") -> RuleSource:
    found = Findings()
    content = document(read(text, name), found)
    found.raise_if_errors({name: text})
    assert content is not None
    return RuleSource(name, text, content)


def program(folder: Path, *scenarios: str, year: int = 2025, name: str = "one", files: Sequence[str] | None = None) -> Program:
    paths = sorted((folder / "councils").rglob("*.yaml"))
    more = [source(text, f"supposed_{place}.yaml") for place, text in enumerate(scenarios, 1)]
    return link(Library(folder), paths, *year_days(year), name=name, more=more).program


def told(folder: Path, *scenarios: str, **options: Any) -> str:
    """The findings as a person reads them."""
    with pytest.raises(RulesError) as error:
        program(folder, *scenarios, **options)
    texts = {f"supposed_{place}.yaml": text for place, text in enumerate(scenarios, 1)}
    return render(Findings(error.value.diagnostics), {**Library(folder).texts(Findings(error.value.diagnostics)), **texts})


def cells(found: Program, table: str, period: int = 0) -> dict[tuple[str, ...], Any]:
    return dict(found.tables[table].by_period[period].rows)


# --------------------------------------------------------------------------------------------------------------- carry


def test_a_year_without_figures_links_when_figures_go_on(folder: Path) -> None:
    """Figures, tables, rules and lists of the council's last year; and the program says which."""
    assert program(folder, SCENARIO).rules == (), "nothing is in force"
    found = program(folder, SCENARIO + CARRY)
    assert found.parameters["taper"].by_period == (Fraction(1, 5),) * len(found.periods)
    assert cells(found, "amounts")["A",] == ((), (Fraction(101, 100),))
    assert found.lists["area"].members == ("north", "south")
    assert found.rule("period", "local_rule").origin == "council"
    assert dict(found.supposed) == dict.fromkeys(("taper", "amounts", "by_area"), "goes on from the year before")
    assert found.hypothetical


def test_figures_that_are_published_later_win(folder: Path) -> None:
    """From the day on which somebody says what follows; only what still goes on is told."""
    later = COUNCIL.replace("2024-04-01", "2025-04-01").replace("2025-03-31", "2026-03-31")
    own = later[: later.index("set:")] + "set:\n  taper: {value: 25%, from: 2025-07-01}\n  by_area: {rows: {east: £9}}\n"
    write(folder, {"councils/one/2025.yaml": own.replace("[north, south]", "[east]")})
    found = program(folder, SCENARIO + CARRY)
    assert list(dict.fromkeys(found.parameters["taper"].by_period)) == [Fraction(1, 5), Fraction(1, 4)]
    assert found.lists["area"].members == ("east",)
    assert cells(found, "by_area") == {("east",): ((), (Fraction(9),))}
    assert set(dict(found.supposed)) == {"taper", "amounts"}
    whole = own.replace(", from: 2025-07-01", "")
    write(folder, {"councils/one/2025.yaml": whole.replace("[north, south]", "[east]")})
    assert set(dict(program(folder, SCENARIO + CARRY).supposed)) == {"amounts"}


def test_figures_of_an_earlier_day_go_on(folder: Path) -> None:
    """Of several years of lists and figures those of the day that was named."""
    earlier = COUNCIL.replace("2025-03-31", "2024-03-31").replace("2024-04-01", "2023-04-01").replace("20%", "10%")
    write(folder, {"councils/one/2023.yaml": earlier.replace("north, south", "old").replace("north: £1, south: £2", "old: £1")})
    found = program(folder, SCENARIO + CARRY.replace("2025-03-31", "2023-05-01"))
    assert found.parameters["taper"].by_period[0] == Fraction(1, 10)
    assert found.lists["area"].members == ("old",)
    now = program(folder, SCENARIO + CARRY)
    assert (now.parameters["taper"].by_period[0], now.lists["area"].members) == (Fraction(1, 5), ("north", "south"))


def test_figures_go_on_from_one_day_only(folder: Path) -> None:
    found = told(folder, SCENARIO + CARRY, SCENARIO + CARRY.replace("2025-03-31", "2025-03-30"))
    assert found == (
        "supposed_2.yaml:5:16: error[RB062] figures go on from two days\n"
        "   5 | carry: {as_on: 2025-03-30, because: Nothing is published.}\n"
        "     |                ^^^^^^^^^^\n"
        "   note: supposed_1.yaml:5:16: also here\n"
        "   help: keep one of them\n"
        "1 error"
    )
    assert program(folder, SCENARIO + CARRY, SCENARIO + CARRY).hypothetical


def test_a_day_that_is_none_is_told(folder: Path) -> None:
    assert "supposed_1.yaml:5:16: error[RB038] no such day: 31 March 2025" in told(
        folder, SCENARIO + CARRY.replace("2025-03-31", "31 March 2025")
    )


# -------------------------------------------------------------------------------------------------------------- uprate


def put_up(names: str, by: str, more: str = "") -> str:
    return SCENARIO + CARRY + f"uprate:\n  - {{names: [{names}], by: {by}{more}}}\n"


def test_figures_are_put_up_from_the_first_day(folder: Path) -> None:
    """A figure that changes in the year is put up in each of its values; those of earlier years are as they were."""
    found = program(folder, put_up("rate, taper", "10%"))
    assert list(dict.fromkeys(found.parameters["rate"].by_period)) == [Fraction(11), Fraction(22)]
    assert found.parameters["taper"].by_period[0] == Fraction(22, 100)
    assert [dated.value for dated in found.parameters["rate"].history] == [10, 11, 22]
    supposed = dict(found.supposed)
    assert supposed["rate"] == "put up by 10%"
    assert supposed["taper"] == "goes on from the year before, put up by 10%"


@pytest.mark.parametrize(("by", "rounding", "value"), [
    ("3.8%", "", Fraction("1.04838")),
    ("3.8%", ', round: "penny, half up"', Fraction("1.05")),
    ("3.8%", ', round: "penny, down"', Fraction("1.04")),
    ("-2%", ', round: "penny, half up"', Fraction("0.99")),
    ("0%", "", Fraction("1.01")),
    ("-100%", "", Fraction(0)),
])  # fmt: skip
def test_cells_are_put_up_and_rounded(folder: Path, by: str, rounding: str, value: Fraction) -> None:
    found = program(folder, put_up("amounts", by, rounding))
    assert cells(found, "amounts")["A",] == ((), (value,))
    assert cells(found, "twice")["A",] == ((), (2 * value,))
    assert dict(found.supposed)["amounts"].endswith(f"put {'down' if by.startswith('-') else 'up'} by {by.lstrip('-')}")


def test_rows_stated_in_different_years_are_put_up_once_each(folder: Path) -> None:
    """The row of B was replaced later: each row that is in force is put up, and no row twice."""
    found = program(folder, put_up("steps, bands", "50%"))
    assert cells(found, "steps") == {
        ("A",): ((0, 10), (Fraction(3, 2), Fraction(3))),
        ("B",): ((0,), (Fraction(45),)),
        ("C",): ((0,), (Fraction(6),)),
    }
    assert cells(found, "bands") == {(): ((0, 12), (Fraction(3, 2), Fraction(3)))}


def test_edges_are_put_up_instead_of_what_a_table_gives(folder: Path) -> None:
    found = program(folder, put_up("steps, bands", "10%", ', edges: yes, round: "pound, up"'))
    assert cells(found, "steps")["A",] == ((0, 11), (Fraction(1), Fraction(2)))
    assert cells(found, "bands")[()] == ((0, 14), (Fraction(1), Fraction(2)))


def test_what_a_scenario_sets_itself_is_not_put_up(folder: Path) -> None:
    text = put_up("rate, amounts", "10%") + "set:\n  rate: {value: £5/week}\n  amounts: {rows: {A: £1}}\n"
    found = program(folder, text)
    assert set(found.parameters["rate"].by_period) == {Fraction(5)}
    assert (cells(found, "amounts")["A",][1], cells(found, "amounts")["B",][1]) == ((Fraction(1),), (Fraction("2.2"),))


@pytest.mark.parametrize(("text", "said"), [
    (put_up("rtae", "1%"), "supposed_1.yaml:7:14: error[RB068] nothing called 'rtae' to put up"),
    (put_up("rtae", "1%"), "help: names: are parameters and tables (did you mean 'rate'?)"),
    (put_up("twice", "1%"), "supposed_1.yaml:7:14: error[RB068] 'twice' is worked out from other figures"),
    (put_up("twice", "1%"), "help: put those up"),
    (put_up("rate, rate", "1%"), "supposed_1.yaml:7:20: error[RB062] 'rate' is put up twice"),
    (put_up("kept", "1%"), "supposed_1.yaml:7:14: error[RB060] 'kept' is no number and cannot be put up"),
    (put_up("kept", "1%"), "help: name figures; for the edges of a table write edges: yes"),
    (put_up("rate", "1"), "supposed_1.yaml:7:25: error[RB060] '1' is no share"),
    (put_up("rate", "1"), "help: write it as 3.8%; -2% puts figures down"),
    (put_up("rate", "x%"), "error[RB060] 'x%' is no share"),
    (put_up("rate", "-101%"), "error[RB060] -101% is out of all proportion"),
    (put_up("rate", "1001%"), "help: from -100% to 1000%"),
    (put_up("amounts", "1%", ", edges: yes"), "supposed_1.yaml:7:14: error[RB060] 'amounts' has no edges"),
    (put_up("steps", "1%", ", edges: true"), "error[RB060] 'true' is neither yes nor no"),
    (put_up("bands", "-100%", ", edges: yes"), "error[RB064] two edges of 'bands' are put up to one"),
    (put_up("rate", "1%", ", round: penny"), "RB060"),
])  # fmt: skip
def test_what_cannot_be_put_up(folder: Path, text: str, said: str) -> None:
    assert said in told(folder, text)


def test_figures_put_up_by_two_scenarios(folder: Path) -> None:
    found = told(folder, put_up("rate", "1%"), put_up("rate", "2%"))
    assert "supposed_2.yaml:7:14: error[RB062] 'rate' is put up twice" in found
    assert "note: supposed_1.yaml:7:14: also here" in found


# ------------------------------------------------------------------------------------------------- without and only_for


def test_files_are_left_out_and_others_come_in_their_place(folder: Path) -> None:
    """Another council's files under the own name: its figures and its rule, nobody else's."""
    other = OPEN.replace("20%", "60%").replace("£7/week", "£8/week")
    write(
        folder,
        {"others/two/2025.yaml": other, "councils/one/2024.yaml": OPEN},
    )
    own = program(folder)
    assert own.parameters["taper"].by_period[0] == Fraction(1, 5)
    assert not own.hypothetical
    for name in ("councils.one", "councils.one.2024"):
        found = program(folder, SCENARIO + f"without: [{name}]\nextends: [others.two]\n")
        assert found.parameters["taper"].by_period[0] == Fraction(3, 5)
        assert found.rule("period", "local_rule").body != own.rule("period", "local_rule").body


@pytest.mark.parametrize("name", ["councils.two", "coucils.one", "..", ".", "statute.yaml", "/etc"])
def test_what_is_left_out_must_be_there(folder: Path, name: str) -> None:
    found = told(folder, SCENARIO + CARRY + f'without: ["{name}"]\n')
    assert f"supposed_1.yaml:6:11: error[RB054] nothing to leave out: {name}" in found
    assert "help: a dotted name of a file or folder under rules/" in found


def test_the_nearest_name_is_suggested(folder: Path) -> None:
    assert "did you mean 'councils.one'?" in told(folder, SCENARIO + CARRY + "without: [councils.oen]\n")


def test_a_scenario_is_for_whom_it_says(folder: Path) -> None:
    """By the name of the program: what is meant for others changes nothing, whatever it holds."""
    write(folder, {"councils/one/2024.yaml": OPEN})
    text = SCENARIO + "only_for: [one, three]\nset:\n  taper: {value: 99%}\n"
    assert program(folder, text).parameters["taper"].by_period[0] == Fraction(99, 100)
    for other in (program(folder, text, name="two"), program(folder, SCENARIO + "only_for: [two]\nset: {nothing: {value: 1}}\n")):
        assert other.parameters["taper"].by_period[0] == Fraction(1, 5)
        assert not other.hypothetical


@pytest.mark.parametrize(("key", "place"), [
    ("only_for: [one]", "4:12"),
    ("without: [statute]", "4:11"),
    ("carry: {as_on: 2025-03-31, because: x}", "4:16"),
    ("uprate: [{names: [rate], by: 1%}]", "4:19"),
])  # fmt: skip
def test_only_a_scenario_supposes(folder: Path, key: str, place: str) -> None:
    """Statute, precept and council files say what is so."""
    first = COUNCIL.splitlines()
    for kind in ("council", "statute", "precept"):
        lines = [f"kind: {kind}", *first[1:3], key, *first[3:]]
        write(folder, {"councils/one/2024.yaml": "\n".join(lines).replace("2024-04-01\nto: 2025-03-31", "2025-04-01") + "\n"})
        found = told(folder)
        assert f"rules/councils/one/2024.yaml:{place}: error[RB067] a {kind} file cannot suppose anything" in found
        assert "help: only_for, without, carry and uprate are for kind: scenario" in found


def test_scenarios_are_laid_over_each_other_in_the_order_in_which_they_are_given(folder: Path) -> None:
    """The later one holds, for figures, rows and rules; within one file a name is set once."""
    one = SCENARIO + CARRY + "set:\n  taper: {value: 1%}\n  amounts: {rows: {A: £8, B: £8}}\n"
    two = SCENARIO + "set:\n  taper: {value: 2%}\n  amounts: {rows: {B: £9}}\n"
    for texts, taper, b in (((one, two), 2, 9), ((two, one), 1, 8)):
        found = program(folder, *texts)
        assert found.parameters["taper"].by_period[0] == Fraction(taper, 100)
        assert (cells(found, "amounts")["A",][1], cells(found, "amounts")["B",][1]) == ((Fraction(8),), (Fraction(b),))
    twice = SCENARIO + CARRY + "parameters:\n  cut: {unit: rate, value: 1%}\nset:\n  cut: {value: 2%}\n"
    assert "RB062" in told(folder, twice)
