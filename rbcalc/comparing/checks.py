"""What must add up in a comparison: each line worked out in two ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rbcalc.comparing.figures import NEWLY, NO_LONGER, NO_RESULT, TOGETHER, Beside, Studied, Tally, gains, losses
from rbcalc.comparing.tables import Cells, Found, Key, Sheet, places, shares

Line = tuple[str, str, int, int, tuple[Key, ...]]
"""What is checked, its unit, what is expected, what was found, and the cells that it would tell."""


def checks(studied: Studied, found: Found, cells: Cells) -> Sheet:
    """Each check of each option and council.  Figures are pounds, or accounts."""
    sheet = Sheet(
        {
            **dict.fromkeys(("option", "council", "check", "unit"), "words"),
            **dict.fromkeys(("expected", "found"), "money"),
            "holds": "yes/no",
        },
    )
    for option, council in places(studied, baseline=True):
        for words, unit, expected, got, keys in _lines(studied, found, cells, option.name, council):
            scale = 1 if unit == "£" else 100
            row = {"option": option.name, "council": council, "check": words, "unit": unit}
            sheet.add({**row, "expected": expected * scale, "found": got * scale, "holds": expected == got}, expected=keys, found=keys)
    return sheet


def _lines(studied: Studied, found: Found, cells: Cells, option: str, council: str) -> Iterator[Line]:
    base = studied.options[0].name
    one = found[option][council]
    cost, change = (cells.cost(option, council),), (cells.change(option, council),)
    borne = shares(studied, option, council)
    if borne is not None:
        yield "the shares of the bodies add up to the cost", "£", one.amount, sum(borne.values()), cost
    if council == TOGETHER:
        total = sum(found[option][each].amount for each in studied.councils)
        yield "the councils' costs add up to the cost of all", "£", one.amount, total, cost
    if option == base:
        return
    compared = (cells.compared(option, council),)
    more, less = (sum(tally.change for tally in one.outcomes.values() if (tally.change > 0) is up) for up in (True, False))
    yield "gains less losses are the change of cost", "£", one.change, more + less, change
    counted = _sum("accounts", one.outcomes)
    yield "the outcomes add up to the accounts compared", "accounts", one.compared, counted, compared
    paid = found[base][council].paid + one.outcomes[NEWLY].accounts - one.outcomes[NO_LONGER].accounts
    without = one.outcomes.get(NO_RESULT, Tally())
    yield (
        "accounts with an amount before, and newly, less those no longer",
        "accounts",
        one.paid,
        paid + without.paid - without.paid_before,
        (cells.paid(option, council),),
    )
    yield "the ranges add up to the accounts compared", "accounts", one.compared, _sum("accounts", one.ranges), compared
    yield "the ranges' changes are the change of cost", "£", one.change, sum(tally.change for tally in one.ranges.values()), change
    expected: dict[str, tuple[int, tuple[Key, ...]]] = {"accounts": (one.compared, compared)}
    for column, outcomes in (("gaining", gains(studied.impact)), ("losing", losses(studied.impact))):
        keys = tuple(cells.part("outcome", option, council, outcome) for outcome in outcomes)
        expected[column] = sum(one.outcomes[outcome].accounts for outcome in outcomes), keys
    yield from _groups(one, without, change, expected)


def _groups(one: Beside, without: Tally, change: tuple[Key, ...], expected: Mapping[str, tuple[int, tuple[Key, ...]]]) -> Iterator[Line]:
    """Of all groups, the one that differs most is told."""
    for column, (right, keys) in expected.items():
        got = [_sum(column, members, inside=True) for members in one.groups.values()]
        words = "each group adds up to the accounts compared" if column == "accounts" else f"each group adds up to the accounts {column}"
        yield words, "accounts", right, _furthest(got, right), keys
    moved = [sum(tally.change for tally in members.values()) + without.change for members in one.groups.values()]
    yield "each group's changes are the change of cost", "£", one.change, _furthest(moved, one.change), change


def _sum(column: str, tallies: Mapping[str, Tally], *, inside: bool = False) -> int:
    return sum(getattr(tally, column) for name, tally in tallies.items() if inside or name != NO_RESULT)


def _furthest(found: Iterable[int], right: int) -> int:
    return max(found, key=lambda each: abs(each - right), default=right)
