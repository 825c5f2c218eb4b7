"""Business rates of every year: the calculation written from the statute, the exact evaluator and the compiled one.

The statute is held against the rules on plausible ratepayers: every line that both give, the bill and its instalments.  The
two evaluators are held against each other on these and on disturbed ones: every value of every rule.  The generated source
runs as plain Python, which every year repays; as machine code it runs for one year, and in the nightly run for all.
1,250 ratepayers with twice as many accounts, or more as RBCALC_TEST_ACCOUNTS says.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction
from functools import cache
from random import Random

import pytest

from agreement.accounts import Record, Records
from agreement.both import Columns, differences
from agreement.rates.both import CompilingRatepayers, ExactlyRatepayers
from agreement.rates.comparing import LINES, Told
from agreement.rates.comparing import differences as otherwise
from agreement.rates.mapping import ratepayer_of
from agreement.rates.ratepayers import number_of
from agreement.rates.scenes import MACHINE, YEARS, accounts_in, mixed, program_of, share
from independent.rates.bill import bill
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.program.graph import Ref

MANY = 400
"""From so many ratepayers a year on, machine code repays the time that it takes to make."""
MANY_RELIEFS = (2014, 2015, 2018, 2021, 2022, 2024, 2026)
"""Years in which, all together, every relief is given."""


@cache
def exactly(year: int) -> ExactlyRatepayers:
    return ExactlyRatepayers(program_of(year))


@cache
def worked(year: int) -> tuple[list[Records], list[Row | str]]:
    """The ratepayers of a year, worked out exactly."""
    records = mixed(year, 0, share())
    return records, exactly(year).rows(records)


@cache
def compared(year: int) -> tuple[list[str], Told]:
    """Where the statute says otherwise than the rules, and what was compared."""
    records, rows = worked(year)
    wrong, told = [], Told()
    for number, (each, top) in enumerate(zip(records, rows, strict=True)):
        if number % 4 == 3:
            continue  # disturbed: the statute says nothing of facts that do not fit each other
        assert not isinstance(top, str), f"ratepayer {number} is refused: {top}"
        found = bill(ratepayer_of(each), year)
        for row, name in zip(top.children["account"], accounts_in(each, year), strict=True):
            wrong += [f"ratepayer {number}, account {name}: {text}" for text in otherwise(row, found[name], year, told)]
    return wrong, told


@cache
def machine_code(year: int) -> CompilingRatepayers:
    return CompilingRatepayers(program_of(year))


@cache
def by_machine(year: int) -> Columns:
    return machine_code(year).run(worked(year)[0])


@pytest.mark.parametrize("year", YEARS)
def test_the_statute_and_the_rules_agree(year: int) -> None:
    wrong, _ = compared(year)
    assert wrong == []


def test_every_line_was_compared() -> None:
    lines: Counter[str] = Counter()
    bills = 0
    for year in MANY_RELIEFS:
        told = compared(year)[1]
        lines.update(told.lines)
        bills += told.bills
    assert bills > 7 * share()
    assert {line for line, count in lines.items() if count > 1} >= {*LINES, "gross", "transition", "apportionment", "left"}


def plain(year: int, value: int, *cuts: int) -> Records:
    """An account without reliefs, in a year that is cut where nothing changes."""
    start = number_of(date(year, 4, 1))
    firsts = [start - 100, *(start + day for day in cuts)]
    lasts = [*(first - 1 for first in firsts[1:]), None]
    state: Record = {"rates_account": "0", "occupation_state": "occupied"}
    entry: Record = {"hereditament": "0", "rating_use": "other", "rateable_value": Fraction(value)}
    return {
        "rates_accounts": [{"rates_account": "0", "ratepayer": "r", "hereditament": "0", "from": start - 100, "to": None}],
        "hereditaments": [{**entry, "from": start - 100, "to": None}],
        "list_values": [],
        "occupations": [
            {**state, "from": first, "to": last, "discretionary_share": Fraction(0) if place % 2 else None}
            for place, (first, last) in enumerate(zip(firsts, lasts, strict=True))
        ],
    }


def test_a_charge_of_many_millions_is_left_to_the_exact_evaluator() -> None:
    compiling = CompilingRatepayers(program_of(2024), engine="python")
    records = [plain(2024, 2_000_000), plain(2024, 600_000_000), plain(2024, 20_000_000, 100)]
    compiled = compiling.run(records)
    assert compiled.doubt == {1}
    assert differences(exactly(2024).columns(exactly(2024).rows(records), compiling.compiled.denominators), compiled) == []


@pytest.mark.parametrize("year", [2014, 2024])
def test_half_a_penny_is_rounded_up_whatever_periods_a_year_has(year: int) -> None:
    """Value times multiplier that ends in half a penny, over a year that is cut where nothing changes."""
    random = Random(year)
    for _ in range(30):
        records = plain(year, random.randrange(10_005, 50_000, 10), *sorted(random.sample(range(1, 365), random.choice((2, 3, 4)))))
        (top,) = exactly(year).rows([records])
        assert isinstance(top, Row)
        (account,) = top.children["account"]
        assert account.values["bill"] == bill(ratepayer_of(records), year)["0"].bill


@pytest.mark.parametrize("year", YEARS)
def test_every_value_of_every_rule_agrees(year: int) -> None:
    records, rows = worked(year)
    machine = year == MACHINE or share() > MANY
    compiling = machine_code(year) if machine else CompilingRatepayers(program_of(year), engine="python")
    compiled = by_machine(year) if machine else compiling.run(records)
    exact = exactly(year).columns(rows, compiling.compiled.denominators)
    assert differences(exact, compiled) == []
    assert len(compiled.doubt) <= len(records) / 100, "the kernel is seldom in doubt"
    assert len(exact.refused) < len(records) / 5, "most ratepayers are worked out"
    assert len(exact.values) > 150


@pytest.mark.parametrize(("threads", "block"), [(1, 7), (1, 4096), (2, None), (2, 7), (2, 4096)])
def test_nothing_depends_on_blocks_or_threads(threads: int, block: int | None) -> None:
    again = machine_code(MACHINE).run(worked(MACHINE)[0], threads=threads, block=block)
    assert differences(by_machine(MACHINE), again) == []


def test_a_ratepayer_alone_is_the_same() -> None:
    # A block of one is worked out by functions of its own, which would take long to make.
    engine = None if share() > MANY else "python"
    again = CompilingRatepayers(program_of(MACHINE), engine=engine).run(worked(MACHINE)[0], block=1)
    assert differences(by_machine(MACHINE), again) == []


def test_the_generated_source_says_the_same_without_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RBCALC_ENGINE", "python")
    compiling = CompilingRatepayers(program_of(MACHINE))
    assert compiling.compiled.engine == "python"
    assert differences(by_machine(MACHINE), compiling.run(worked(MACHINE)[0])) == []


def test_nothing_depends_on_the_order_of_ratepayers() -> None:
    records = worked(MACHINE)[0]
    order = list(range(len(records)))
    Random(5).shuffle(order)
    shuffled = machine_code(MACHINE).run([records[number] for number in order])
    assert differences(by_machine(MACHINE), shuffled.of_accounts(order)) == []


@pytest.mark.parametrize("wrong", ["penny", "line", "instalment"])
def test_a_difference_is_found(wrong: str) -> None:
    records, rows = worked(YEARS[-1])
    found, top = bill(ratepayer_of(records[0]), YEARS[-1]), rows[0]
    assert isinstance(top, Row)
    row, name = top.children["account"][0], accounts_in(records[0], YEARS[-1])[0]
    assert otherwise(row, found[name], YEARS[-1], Told()) == []
    if wrong == "penny":
        found[name].bill += 1
    elif wrong == "line":
        found[name].relieve("retail", found[name].gross / 1000 + 1)
    else:
        found[name].instalments = (*found[name].instalments, found[name].bill)
    assert otherwise(row, found[name], YEARS[-1], Told()) != []


def test_every_authored_rule_is_compared() -> None:
    for year in (YEARS[0], YEARS[-1]):
        authored = {Ref(rule.entity, rule.name) for rule in program_of(year).rules if not rule.hidden}
        assert set(exactly(year).columns([], {}).values) == authored


def test_pinned_the_value_on_1_april_before_the_account_began() -> None:
    """The value at the beginning of the year decides for rural rate relief (s.43(6B)(b)), and the rules do not see it before the account.

    The made-up ratepayers have no such change; in the calculation by the statute there is no relief here.
    """
    year = 2016
    begins, changes, starts = (number_of(date(year, month, 1)) for month in (4, 6, 7))
    entry: Record = {"hereditament": "0", "rating_use": "other", "rural_kind": "shop_or_post_office"}
    records: Records = {
        "rates_accounts": [{"rates_account": "0", "ratepayer": "r", "hereditament": "0", "from": starts, "to": None}],
        "hereditaments": [
            {**entry, "from": begins, "to": changes - 1, "rateable_value": Fraction(9_000)},
            {**entry, "from": changes, "to": None, "rateable_value": Fraction(8_000)},
        ],
        "list_values": [],
        "occupations": [{"rates_account": "0", "from": starts, "to": None, "occupation_state": "occupied"}],
    }
    (top,) = exactly(year).rows([records])
    assert isinstance(top, Row)
    (account,) = top.children["account"]
    assert [row.values["mandatory_kind"] for row in account.children["period"]] == ["rural"]
    assert "mandatory_rural" not in bill(ratepayer_of(records), year)["0"].reliefs
