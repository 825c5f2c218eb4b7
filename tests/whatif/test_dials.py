"""Dials: figures read and written as a rule file writes them, and turned as a scenario would set them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.linking_toolbox import BASE, linked, write
from rbcalc import Partnership, UsageError
from rbcalc._years import EPOCH, FinancialYear
from rbcalc.comparing.study import Option, Study
from rbcalc.rulebook.dials import (
    MOST_STEPS,
    Dial,
    dial_of,
    literal,
    read,
    readers,
    setting_of,
    sources_of,
    steps,
    supposed,
    turned,
    type_of,
    value_of,
)
from rbcalc_kernels.language.documents import Text
from rbcalc_kernels.language.types import COUNT, DATE, DAYS, POUNDS, RATE, UNITS, YES_NO, Choice, Number, Type
from rbcalc_kernels.program.graph import Program, Value
from rbcalc_kernels.program.library import Library
from rbcalc_kernels.program.linking import link
from rbcalc_kernels.program.names import Names
from rbcalc_kernels.program.values import constant
from rbcalc_kernels.source import Findings, Scalar, Span

YEAR = FinancialYear.of("2025-26")
COLOUR = Choice("colour", ("red", "dark_green"))
WEEK = Number("£/week")
NUMBERS = st.one_of(
    st.integers(-(10**9), 10**9).map(lambda n: Fraction(n, 100)),
    st.fractions(-(10**6), 10**6, max_denominator=10**6),
    st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(-2, 7), Fraction(1, 10**12), Fraction(1, 35)]),
)


@st.composite
def values(draw: st.DrawFn) -> tuple[Value, Type]:
    type_ = draw(st.sampled_from([*map(Number, UNITS), YES_NO, DATE, COLOUR]))
    if isinstance(type_, Number):
        return draw(NUMBERS), type_
    if type_ == DATE:
        return draw(st.dates(date(1900, 1, 1), date(2150, 1, 1))).toordinal() - EPOCH, type_
    return draw(st.sampled_from(["red", "dark_green"]) if type_ == COLOUR else st.booleans()), type_


@settings(max_examples=400)
@given(case=values())
def test_a_figure_is_read_as_it_is_written(case: tuple[Value, Type]) -> None:
    """What is printed can be typed in again, at the command line and in a rule file."""
    value, type_ = case
    text = literal(value, type_)
    assert read(text, type_) == value
    found = Findings()
    in_a_file = Text.of(Scalar(text, Span("file", 1, 1, 1, len(text) + 1)))
    assert constant(in_a_file, type_, Names(lists={"colour": COLOUR}), found) == value
    assert not found


@pytest.mark.parametrize(("text", "type_", "value"), [
    ("£10000", POUNDS, Fraction(10_000)),
    (" £5.50/week ", WEEK, Fraction(11, 2)),
    ("£5.50", WEEK, Fraction(11, 2)),
    ("-£5", POUNDS, Fraction(-5)),
    ("£1 / 3", POUNDS, Fraction(1, 3)),
    ("20%", RATE, Fraction(1, 5)),
    ("2.5%", RATE, Fraction(1, 40)),
    ("26", COUNT, Fraction(26)),
    ("14 days", DAYS, Fraction(14)),
    ("14", DAYS, Fraction(14)),
    ("1 day", DAYS, Fraction(1)),
    ("2027-04-01", DATE, 20_909),
    ("yes", YES_NO, True),
    ("dark_green", COLOUR, "dark_green"),
])  # fmt: skip
def test_figures_are_written_in_the_usual_ways(text: str, type_: Type, value: Value) -> None:
    assert read(text, type_) == value


@pytest.mark.parametrize(("text", "type_", "said"), [
    ("£16,000", POUNDS, "'£16,000' is no amount in £"),
    ("£5/day", WEEK, "'£5/day' is no amount in £/week\n   help: the figure is in £/week"),
    ("£5/week", POUNDS, "'£5/week' is no amount in £\n   help: the figure is in £"),
    ("£26", COUNT, "'£26' is no count"),
    ("10000", POUNDS, "'10000' is no amount in £\n   help: money is written with its sign: £10000"),
    ("0", POUNDS, "'0' is no amount in £\n   help: money is written with its sign: £0"),
    ("-5.50", WEEK, "'-5.50' is no amount in £/week\n   help: money is written with its sign: -£5.50"),
    ("5.50/week", WEEK, "'5.50/week' is no amount in £/week\n   help: money is written with its sign: £5.50/week"),
    ("1 / 3", POUNDS, "'1 / 3' is no amount in £\n   help: money is written with its sign: £1 / 3"),
    ("20", RATE, "'20' is no rate\n   help: a rate is written as 20%, anything else without %"),
    ("20%", POUNDS, "'20%' is no amount in £"),
    ("", POUNDS, "'' is no amount in £"),
    ("ten", POUNDS, "'ten' is no amount in £\n   help: write it as in a rule file, without commas and spaces: £10000, 2.5%, 26"),
    ("£1 / 0", POUNDS, "'£1 / 0' is no amount in £"),
    ("01/04/2027", DATE, "'01/04/2027' is no day\n   help: write it as 2027-04-01"),
    ("true", YES_NO, "'true' is neither yes nor no"),
    ("green", COLOUR, "'green' is not one of colour\n   help: one of red, dark_green"),
])  # fmt: skip
def test_other_writing_is_refused(text: str, type_: Type, said: str) -> None:
    with pytest.raises(UsageError) as told:
        read(text, type_)
    assert str(told.value).startswith(f"error[RC061] {said}")


@pytest.mark.parametrize(("text", "type_", "found"), [
    ("10%:30%:10%", RATE, [Fraction(1, 10), Fraction(1, 5), Fraction(3, 10)]),
    ("10%:29%:10%", RATE, [Fraction(1, 10), Fraction(1, 5)]),
    ("£1:£1:£5", POUNDS, [Fraction(1)]),
    ("-£1:£1:£1", POUNDS, [Fraction(-1), Fraction(0), Fraction(1)]),
    ("£0/week:£0.30/week:£0.10/week", WEEK, [Fraction(n, 10) for n in range(4)]),
    ("£6000, £8000,£16000", POUNDS, [Fraction(6000), Fraction(8000), Fraction(16000)]),
    ("£6000", POUNDS, [Fraction(6000)]),
    ("yes,no", YES_NO, [True, False]),
    ("red", COLOUR, ["red"]),
    ("2027-04-01,2027-10-01", DATE, [20_909, 21_092]),
])  # fmt: skip
def test_ranges(text: str, type_: Type, found: list[Value]) -> None:
    assert steps(text, type_) == found


@pytest.mark.parametrize(("text", "type_", "said"), [
    ("10%:30%", RATE, "'10%:30%' is no range\n   help: write from:to:step, as 10%:30%:1%"),
    ("30%:10%:1%", RATE, "'30%:10%:1%' has no values"),
    ("10%:30%:0%", RATE, "'10%:30%:0%' has no values"),
    ("10%:30%:-1%", RATE, "'10%:30%:-1%' has no values"),
    ("10:30:1", RATE, "'10' is no rate"),
    ("no:yes:1", YES_NO, "'no' is no yes/no"),
    ("£6000:16000:£1000", POUNDS, "'16000' is no amount in £\n   help: money is written with its sign: £16000"),
    ("£6000,8000", POUNDS, "'8000' is no amount in £\n   help: money is written with its sign: £8000"),
    ("", POUNDS, "'' is no amount in £"),
    (f"£0:£{MOST_STEPS}:£0.99", POUNDS, f"'£0:£{MOST_STEPS}:£0.99' has more than 100,000 values"),
])  # fmt: skip
def test_ranges_that_are_none(text: str, type_: Type, said: str) -> None:
    with pytest.raises(UsageError) as told:
        steps(text, type_)
    assert str(told.value).startswith(f"error[RC061] {said}")


@pytest.mark.parametrize(("text", "dial"), [
    ("capital_limit", Dial("capital_limit")),
    (" support[single, £116.21] ", Dial("support", ("single", "£116.21"))),
    ("support[above]", Dial("support", ("above",))),
])  # fmt: skip
def test_dials_as_people_write_them(text: str, dial: Dial) -> None:
    assert dial_of(text) == dial
    assert dial_of(str(dial)) == dial
    assert setting_of(f"{text}=£1=2") == (dial, "£1=2")


@pytest.mark.parametrize("text", ["Capital limit=£1", "support[single=£1", "=£1", "capital_limit", "capital_limit= ", "a.b=1", "[x]=1"])
def test_what_is_no_setting_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="RC061"):
        setting_of(text)


# ------------------------------------------------------------------------------------------------- a small set of rules

EXTRA = """\
  tapered:
    of: period
    unit: £/week
    output: yes
    is: max(£0/week, rent * taper - steps[band, rent] - held[band] as £/week)
  since:
    of: period
    unit: yes/no
    output: yes
    is: reached(change_day) and fresh and rent <= limits[rent] and twice[band] > £0/week and earlier > £0/week
  earlier:
    of: period
    unit: £/week
    is: dated as at 2024-06-01
parameters:
  taper: {unit: rate, values: [{from: 2020-04-01, value: 20%}, {from: 2025-10-01, value: 25%}]}
  change_day: {unit: date, value: 2025-07-01}
  fresh: {unit: yes/no, value: yes}
  dated: {unit: £/week, values: [{from: 2020-04-01, value: £1/week}, {from: 2025-04-01, value: £2/week}]}
tables:
  steps:
    over: {band: band, from: £/week}
    unit: £/week
    values:
      - {from: 2020-04-01, rows: {A: {£0: £1, £10: £2}, B: {£0: £3}, C: {£0: £4}}}
      - {from: 2025-10-01, rows: {A: {£0: £5, £10: £6}, B: {£0: £7}}}
  limits: {over: {up_to: £/week}, unit: £/week, rows: {£100: £100, £1000: £900, above: £2000}}
  held: {over: {band: band}, unit: £/week, rows: {A: £1, B: £2, C: "£1/week / 3"}}
  twice: {over: {band: band}, unit: £/week, is: "2 * held[band]"}
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Program]:
    folder = tmp_path_factory.mktemp("small")
    rules = BASE.replace("entities:", "entities:", 1) + EXTRA
    write(folder, {"base.yaml": rules})
    return folder, linked(folder).program


def again(small: tuple[Path, Program], settings_: dict[Dial, Value]) -> Program:
    """The rules linked anew with a scenario that sets the figures."""
    folder, program = small
    sources = sources_of({"": program}, settings_, YEAR, "set")
    return link(Library(folder), [folder / "base.yaml"], YEAR.first_day, YEAR.last_day, more=sources).program


def figures(program: Program) -> tuple[object, ...]:
    """All figures, whole year and history from its beginning on."""
    return (
        {name: [each.by_period[min(place, len(each.by_period) - 1)] for place in range(2)] for name, each in program.parameters.items()},
        {name: [each.by_period[min(place, len(each.by_period) - 1)].rows for place in range(2)] for name, each in program.tables.items()},
        {name: [d.value for d in each.history if d.first_day <= program.first_day][-1:] for name, each in program.parameters.items()},
    )


QUICK: list[dict[str, str]] = [
    {"taper": "30%"},
    {"steps[A, £10]": "£9"},
    {"steps[A, £0]": "£8", "steps[A, £10]": "£9", "steps[C, £0]": "£1"},
    {"limits[£100]": "£1"},
    {"limits[above]": "£1/week / 3", "limits[£1000]": "£7"},
    {"fresh": "no", "dated": "£7"},
]
SLOW: list[dict[str, str]] = [{"change_day": "2025-08-01"}, {"held[B]": "£9"}, {"held[C]": "£9", "taper": "1%"}]


def settings_for(program: Program, texts: dict[str, str]) -> dict[Dial, Value]:
    return {dial_of(name): read(text, type_of(program, dial_of(name))) for name, text in texts.items()}


@pytest.mark.parametrize("texts", QUICK, ids=str)
def test_turned_figures_are_those_of_a_scenario(small: tuple[Path, Program], texts: dict[str, str]) -> None:
    """Also in a year in which a figure, or the rest of a row, changes on the way: the dial holds all year, the rest is as it was."""
    wanted = settings_for(small[1], texts)
    program = turned(small[1], wanted)
    assert program is not None
    assert figures(program) == figures(again(small, wanted))
    assert figures(program) != figures(small[1])
    assert {dial: value_of(program, dial) for dial in wanted} == wanted


@pytest.mark.parametrize("texts", SLOW, ids=str)
def test_figures_on_which_others_rest_are_linked_anew(small: tuple[Path, Program], texts: dict[str, str]) -> None:
    wanted = settings_for(small[1], texts)
    assert turned(small[1], wanted) is None
    program = again(small, wanted)
    assert {dial: value_of(program, dial) for dial in wanted} == wanted
    if "held[B]" in texts:
        assert program.tables["twice"].by_period[0].rows[("B",)] == ((), (Fraction(18),))


@pytest.mark.parametrize(("text", "said"), [
    ("tapr", "read no figure called tapr (did you mean 'taper'?)"),
    ("steps", "steps is no single figure\n   help: it is a table: name one cell, by band, the edge in £/week"),
    ("taper[A]", "taper[A] is no single figure\n   help: it is one figure: leave the brackets out"),
    ("steps[A]", "steps[A] is no cell of the table\n   help: steps[band, edge in £/week]"),
    ("steps[D, £0]", "steps[D, £0]: D is not one of band\n   help: one of A, B, C"),
    ("steps[A, £5]", "steps[A, £5]: the table has no edge at £5\n   help: edges there are: £0/week, £10/week"),
    ("steps[A, above]", "'above' is no amount in £/week"),
    ("limits[above, A]", "limits[above, A] is no cell of the table"),
    ("twice[A]", "twice is worked out from other figures\n   help: turn what it rests on: held"),
    ("days_in_year", "days_in_year belongs to the calendar\n   help: choose another year"),
])  # fmt: skip
def test_figures_that_cannot_be_turned(small: tuple[Path, Program], text: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        type_of(small[1], dial_of(text))
    assert said in str(told.value)


def test_a_later_scenario_is_laid_over_an_earlier_one(small: tuple[Path, Program]) -> None:
    folder, program = small
    one, two = (sources_of({"": program}, {Dial("taper"): value}, YEAR, "set") for value in (Fraction(1, 2), Fraction(1, 4)))
    for sources, value in (([*one, *two], Fraction(1, 4)), ([*two, *one], Fraction(1, 2))):
        found = link(Library(folder), [folder / "base.yaml"], YEAR.first_day, YEAR.last_day, more=sources).program
        assert found.parameters["taper"].by_period[0] == value


def test_a_scenario_may_be_finer_than_a_declared_step(tmp_path: Path) -> None:
    write(tmp_path, {"base.yaml": BASE + EXTRA.replace("dated: {unit: £/week,", "dated: {unit: £/week, step: £1,")})
    program = linked(tmp_path).program
    assert program.parameters["dated"].step == 1
    sources = sources_of({"": program}, {Dial("dated"): Fraction(1, 2)}, YEAR, "set")
    finer = link(Library(tmp_path), [tmp_path / "base.yaml"], YEAR.first_day, YEAR.last_day, more=sources).program
    assert (finer.parameters["dated"].step, finer.parameters["dated"].by_period[0]) == (Fraction(1, 2), Fraction(1, 2))


# --------------------------------------------------------------------------------------------------- the shipped rules


def test_councils_whose_rows_differ_are_set_apart(service: Partnership) -> None:
    """One document where it fits all; where the rest of a row differs from council to council, each has its own."""
    programs = {council.name: council.program("2026-27") for council in service.councils("2026-27")}
    year = FinancialYear.of("2026-27")
    cell = dial_of("work_deduction[£279]")
    (alike,) = sources_of(programs, {cell: Fraction(11)}, year, "set")
    assert "only_for" not in alike.text
    east, stevenage = programs.values()
    table = stevenage.tables["work_deduction"]
    cells = replace(table.by_period[0], rows={(): ((0, 279, 485, 605), tuple(map(Fraction, (1, 2, 3, 4))))})
    other = replace(stevenage, tables={**stevenage.tables, "work_deduction": replace(table, by_period=(cells,))})
    apart = sources_of({**programs, "stevenage": other}, {cell: Fraction(11)}, year, "set")
    assert [f"only_for: [{name}]" in each.text for name, each in zip(programs, apart, strict=True)] == [True, True]
    assert len({each.file for each in apart}) == 2
    without = replace(stevenage, tables={name: each for name, each in stevenage.tables.items() if name != "work_deduction"})
    (alone,) = sources_of({**programs, "stevenage": without}, {cell: Fraction(11)}, year, "set")
    assert "only_for: [east_hertfordshire]" in alone.text
    assert readers({**programs, "stevenage": without}, cell) == ["east_hertfordshire"]
    with pytest.raises(UsageError, match=r"no figure called work_deducton.*did you mean 'work_deduction'"):
        readers(programs, dial_of("work_deducton"))
    with pytest.raises(UsageError, match="no edge at £280"):
        readers({**programs, "stevenage": without}, dial_of("work_deduction[£280]"))
    assert east.name == "east_hertfordshire"


SHIPPED = [
    {"capital_limit_working_age": "£10000"},
    {"taper_working_age": "33.3%", "excess_ignored_working_age": "£7.50"},
    {"alternative_rate[£289]": "10%", "alternative_rate[£0]": "1%"},
    {"personal_allowance_working_age[single_18_to_24]": "£80.01"},
    {"band_cap_working_age": "C"},
    {"rounding_plan_working_age": "weekly_penny"},
    {"second_adult_reduction_kept_working_age": "no"},
]


@pytest.mark.parametrize("texts", SHIPPED, ids=str)
def test_dials_of_the_shipped_rules(study: Study, texts: dict[str, str]) -> None:
    program = study.outcomes["baseline"]["stevenage"].program
    if "rounding_plan_working_age" in texts:
        type_ = type_of(program, Dial("rounding_plan_working_age"))
        assert isinstance(type_, Choice)
        texts = {"rounding_plan_working_age": next(m for m in type_.members if m != value_of(program, Dial("rounding_plan_working_age")))}
    wanted = settings_for(program, texts)
    quick = turned(program, wanted)
    assert quick is not None
    sources = sources_of({"stevenage": program}, wanted, study.year, "set")
    slow = study.program(Option("set", "set", tuple(sources), hypothetical=True), "stevenage")
    assert slow.hypothetical
    assert figures(quick) == figures(slow)
    assert quick.rules == slow.rules


def another(value: Value, type_: Type, step: Fraction) -> Value:
    """Another figure of the same kind, as fine as it is held."""
    if isinstance(type_, Choice):
        return next((member for member in type_.members if member != value), type_.members[0])
    if isinstance(value, bool):
        return not value
    assert isinstance(value, Fraction | int)
    return value + (step if isinstance(type_, Number) else 30)


def once(program: Program) -> Program:
    """The program without what its histories say again, on days at which nothing changes."""
    parameters = {
        name: replace(
            each,
            history=tuple(
                dated
                for before, dated in zip([None, *each.history], each.history, strict=False)
                if before is None or replace(dated, first_day=before.first_day) != before
            ),
        )
        for name, each in program.parameters.items()
    }
    return replace(program, parameters=parameters)


def test_a_figure_set_without_linking_is_what_linking_gives(service: Partnership) -> None:
    """Every third figure of two councils, and a cell of each third table: the programs are equal in every part, or the rules are linked."""
    year, checked = FinancialYear.of("2026-27"), 0
    for council in service.councils(year):
        program = council.program(year)
        dials = [Dial(name) for name in program.parameters]
        dials += [
            Dial(name, tuple(keys))
            for name, table in program.tables.items()
            if table.bands is None and table.axes
            for keys in list(table.by_period[0].rows)[:1]
        ]
        for dial in dials[:: 3 if council.name == "stevenage" else 7]:
            try:
                value = value_of(program, dial)
            except UsageError:
                continue
            figure = program.tables.get(dial.name) or program.parameters[dial.name]
            settings = {dial: another(value, type_of(program, dial), figure.step)}
            sources = sources_of({council.name: program}, settings, year, "A dial")
            made = supposed(program, settings, sources)
            if made is not None:
                assert once(made) == once(council.program(year, sources)), f"{council.name}: {dial}"
                checked += 1
    assert checked > 20


def test_figures_that_change_more_are_linked(service: Partnership) -> None:
    """A finer figure than was held, and one that others are worked out from."""
    year = FinancialYear.of("2026-27")
    council = next(each for each in service.councils(year) if each.name == "stevenage")
    program = council.program(year)
    for name, text in (("taper_working_age", "20.001%"), ("band_d_amount", "")):
        dial = Dial(name) if name in program.parameters else Dial(name, next(iter(program.tables[name].by_period[0].rows)))
        value = read(text, type_of(program, dial)) if text else value_of(program, dial)
        assert supposed(program, {dial: value}, []) is None, name
