"""How the figures of a comparison's tables are related, so that small ones can be hidden for good."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from rbcalc.comparing.figures import (
    NEWLY,
    NO_LONGER,
    NO_RESULT,
    OUTCOMES,
    TOGETHER,
    UNCHANGED,
    Beside,
    Studied,
    Tally,
    gains,
    losses,
)
from rbcalc.comparing.suppression import Relations, determined, hidden
from rbcalc.comparing.tables import Cells, Found, Key

LOSSES, GAINS, SAME = "lose_", "gain_", "same"
INNER, MEMBER, PART, TOTAL, BASELINE = range(5)
"""What is given up first to protect a small figure, and what last."""
RANKS = {"£ amount": INNER, "£ baseline": MEMBER, "£ change": INNER}


def unpublished(studied: Studied, found: Found, cells: Cells, rests: Mapping[Key, Sequence[int]], threshold: int) -> set[Key]:
    """The cells that stay out of what is published; `rests` says on how many accounts the costs of single changes rest.

    Each council is protected by itself.  Of all together, what is hidden for one council is hidden too: whatever keeps a reader from
    the one keeps him from the other, and a small figure of all together is never larger than its parts.
    """
    gone: set[Key] = set()
    for council in studied.councils:
        counts = relations_of_counts(studied, found, cells, [council])
        out = hidden(counts, threshold=threshold)
        unprinted = {key for key, cell in counts.cells.items() if not cell.printed}
        amounts = relations_of_amounts(studied, found, cells, [council])
        gone |= out | (unprinted - determined(counts, out)) | hidden(amounts, threshold=threshold)
    for option in studied.options:
        for keys_of in (_counts_of, _amounts_of):
            whole, *parts = (keys_of(studied, found, cells, option.name, council) for council in (TOGETHER, *studied.councils))
            gone |= {key for name, key in whole.items() if any(part.get(name) in gone for part in parts)}
    for option in studied.options[1:]:
        single = cells.singles(option.name)
        small = any(0 < accounts < threshold for accounts in rests.get(single, ()))
        if small or any(cells.change(option.name, council) in gone for council in studied.councils):
            gone.add(single)
    return gone


def relations_of_counts(studied: Studied, found: Found, cells: Cells, councils: Sequence[str]) -> Relations:
    """The counts of the tables of some councils, and how they add up."""
    made = Relations()
    base = studied.options[0].name
    for option, council in product(studied.options, councils):
        one, place = found[option.name][council], (option.name, council)
        rank = BASELINE if option.name == base else TOTAL
        paid, known = made.cell(cells.paid(*place), one.paid, rank), made.cell(cells.known(*place), one.known, rank)
        if option.name == base:
            continue
        compared = made.cell(cells.compared(*place), one.compared, printed=False)
        parts = {name: made.cell(cells.part("outcome", *place, name), tally.accounts, PART) for name, tally in one.outcomes.items()}
        scale = {name: made.cell(cells.part("range", *place, name), tally.accounts, PART) for name, tally in one.ranges.items()}
        made.total([parts[name] for name in OUTCOMES], compared)
        if NO_RESULT in parts:
            made.total([parts[NO_RESULT]], scale[NO_RESULT])
        else:
            made.total([paid, parts[NO_LONGER]], cells.paid(base, council), parts[NEWLY])
            for mine, count in ((known, one.known), (cells.known(base, council), found[base][council].known)):
                if count == one.compared:
                    made.total([mine], compared)
        made.total(_side(scale, LOSSES), *(parts[name] for name in losses(studied.impact)))
        made.total(_side(scale, GAINS), *(parts[name] for name in gains(studied.impact)))
        made.total([scale[SAME]], parts[UNCHANGED])
        for group, members in one.groups.items():
            _count_group(made, cells, place, group, members, parts, compared)
    return made


def _count_group(
    made: Relations,
    cells: Cells,
    place: tuple[str, str],
    group: str,
    members: Mapping[str, Tally],
    parts: Mapping[str, Key],
    compared: Key,
) -> None:
    columns: dict[str, list[Key]] = {name: [] for name in ("accounts", "gaining", "losing", "unchanged")}
    for member, tally in members.items():
        for name, keys in columns.items():
            rank = MEMBER if name == "accounts" else INNER
            keys.append(made.cell(cells.member(*place, group, member, name), getattr(tally, name), rank))
        whole, *split = (keys[-1] for keys in columns.values())
        made.total(split, whole)
    made.total(columns["accounts"], compared)
    made.total(columns["gaining"], *(parts[name] for name in gains(cells.studied.impact)))
    made.total(columns["losing"], *(parts[name] for name in losses(cells.studied.impact)))
    made.total(columns["unchanged"], parts[UNCHANGED])


def relations_of_amounts(studied: Studied, found: Found, cells: Cells, councils: Sequence[str]) -> Relations:
    """The amounts of the tables of some councils with the number of accounts that each rests on, and how they add up."""
    made = Relations()
    base = studied.options[0].name
    for option, council in product(studied.options, councils):
        one, place = found[option.name][council], (option.name, council)
        cost = made.cell(cells.cost(*place), one.paid, BASELINE if option.name == base else TOTAL)
        if option.name == base:
            continue
        before = cells.cost(base, council)
        moved = {name: made.cell(cells.moved("outcome", *place, name), tally.changed, PART) for name, tally in one.outcomes.items()}
        scale = {name: made.cell(cells.moved("range", *place, name), tally.changed, PART) for name, tally in one.ranges.items()}
        change = made.cell(cells.change(*place), sum(tally.changed for tally in one.outcomes.values()), TOTAL)
        made.total([before, change], cost)
        made.total(moved.values(), change)
        made.total(_side(scale, LOSSES), *(moved[name] for name in losses(studied.impact)))
        made.total(_side(scale, GAINS), *(moved[name] for name in gains(studied.impact)))
        without = [moved[NO_RESULT]] if NO_RESULT in moved else []
        if without:
            made.total(without, scale[NO_RESULT])
        for group, members in one.groups.items():
            columns: dict[str, list[Key]] = {"£ baseline": [], "£ amount": [], "£ change": []}
            for member, tally in members.items():
                rests = {"£ baseline": tally.paid_before, "£ amount": tally.paid, "£ change": tally.changed}
                for name, keys in columns.items():
                    keys.append(made.cell(cells.member(*place, group, member, name), rests[name], RANKS[name]))
                made.total([columns["£ baseline"][-1], columns["£ change"][-1]], columns["£ amount"][-1])
            made.total([*columns["£ change"], *without], change)
            if not without:
                made.total(columns["£ baseline"], before)
                made.total(columns["£ amount"], cost)
    return made


def _side(parts: Mapping[str, Key], side: str) -> list[Key]:
    return [key for name, key in parts.items() if name.startswith(side)]


def together(made: Relations, studied: Studied, found: Found, cells: Cells) -> None:
    """That the figures of the councils add up to those of all."""
    for option in studied.options:
        for keys_of in (_counts_of, _amounts_of):
            whole, *parts = (keys_of(studied, found, cells, option.name, council) for council in (TOGETHER, *studied.councils))
            for name, key in whole.items():
                if key in made.cells:
                    made.total([part[name] for part in parts if name in part], key)


def _counts_of(studied: Studied, found: Found, cells: Cells, option: str, council: str) -> dict[Key, Key]:
    one, place = found[option][council], (option, council)
    result: dict[Key, Key] = {"accounts": cells.paid(*place), "known": cells.known(*place)}
    if option == studied.options[0].name:
        return result
    result["compared"] = cells.compared(*place)
    return result | _parts_of(cells.part, cells, one, place, ("accounts", "gaining", "losing", "unchanged"))


def _amounts_of(studied: Studied, found: Found, cells: Cells, option: str, council: str) -> dict[Key, Key]:
    one, place = found[option][council], (option, council)
    result: dict[Key, Key] = {"cost": cells.cost(*place)}
    if option == studied.options[0].name:
        return result
    result["change"] = cells.change(*place)
    return result | _parts_of(cells.moved, cells, one, place, ("£ baseline", "£ amount", "£ change"))


def _parts_of(
    part_of: Callable[[str, str, str, str], Key], cells: Cells, one: Beside, place: tuple[str, str], columns: Sequence[str]
) -> dict[Key, Key]:
    result: dict[Key, Key] = {}
    for table, parts in (("outcome", one.outcomes), ("range", one.ranges)):
        result |= {(table, part): part_of(table, *place, part) for part in parts}
    for group, members in one.groups.items():
        result |= {(group, member, column): cells.member(*place, group, member, column) for member in members for column in columns}
    return result
