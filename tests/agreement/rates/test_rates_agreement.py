"""Business rates of every year: the calculation written from the statute, the exact evaluator and the compiled one.

The statute is held against the rules on plausible ratepayers: every line that both give, the bill and its instalments.  The
two evaluators are held against each other on these and on disturbed ones: every value of every rule.  The generated source
runs as plain Python, which every year repays; as machine code it runs for one year, and in the nightly run for all.
2,500 ratepayers with twice as many accounts, or more as RBCALC_TEST_ACCOUNTS says.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from agreement.accounts import Records
from agreement.both import Columns, differences
from agreement.rates.both import CompilingRatepayers, ExactlyRatepayers
from agreement.rates.comparing import LINES, Told
from agreement.rates.comparing import differences as otherwise
from agreement.rates.mapping import ratepayer_of
from agreement.rates.scenes import MACHINE, YEARS, accounts_in, mixed, program_of, share
from independent.rates.bill import bill
from rbcalc_kernels.exact.rows import Row
from rbcalc_kernels.program.graph import Ref

SOME = 400
MANY_RELIEFS = (2014, 2015, 2018, 2021, 2022, 2024, 2026)
"""Years in which, all together, every relief is given."""
MOST_PENNIES = 400
"""Of so many bills at most one may be off by a penny, for the roundings that `comparing` allows."""


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
    return machine_code(year).run(mixed(year, 0, SOME))


@pytest.mark.parametrize("year", YEARS)
def test_the_statute_and_the_rules_agree(year: int) -> None:
    wrong, _ = compared(year)
    assert wrong == []


def test_every_line_was_compared_and_pennies_are_seldom_off() -> None:
    lines: Counter[str] = Counter()
    bills = pennies = 0
    for year in MANY_RELIEFS:
        told = compared(year)[1]
        lines.update(told.lines)
        bills, pennies = bills + told.bills, pennies + told.pennies
    assert bills > 7 * share() and pennies * MOST_PENNIES <= bills
    assert {line for line, count in lines.items() if count > 1} >= {*LINES, "gross", "transition", "apportionment", "left"}


@pytest.mark.parametrize("year", YEARS)
def test_every_value_of_every_rule_agrees(year: int) -> None:
    records, rows = worked(year)
    compiling = CompilingRatepayers(program_of(year), engine=None if year == MACHINE or share() > SOME else "python")
    compiled = compiling.run(records)
    exact = exactly(year).columns(rows, compiling.compiled.denominators)
    assert differences(exact, compiled) == []
    assert len(compiled.doubt) <= len(records) / 100, "the kernel is seldom in doubt"
    assert len(exact.refused) < len(records) / 5, "most ratepayers are worked out"
    assert len(exact.values) > 150


@pytest.mark.parametrize(("threads", "block"), [(1, 1), (1, 7), (1, 4096), (2, None), (2, 7), (2, 4096)])
def test_nothing_depends_on_blocks_or_threads(threads: int, block: int | None) -> None:
    again = machine_code(MACHINE).run(mixed(MACHINE, 0, SOME), threads=threads, block=block)
    assert differences(by_machine(MACHINE), again) == []


def test_the_generated_source_says_the_same_without_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RBCALC_ENGINE", "python")
    compiling = CompilingRatepayers(program_of(MACHINE))
    assert compiling.compiled.engine == "python"
    assert differences(by_machine(MACHINE), compiling.run(mixed(MACHINE, 0, SOME))) == []


def test_nothing_depends_on_the_order_of_ratepayers() -> None:
    order = [number * 7 % SOME for number in range(SOME)]
    records = mixed(MACHINE, 0, SOME)
    shuffled = machine_code(MACHINE).run([records[number] for number in order])
    assert len(set(order)) == SOME
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
