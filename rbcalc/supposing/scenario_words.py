"""What an option changes, in words: figures, cells of tables, and rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rbcalc._show import amount
from rbcalc_kernels.program.graph import Cells, Parameter, Program, Table
from rbcalc_kernels.program.names import YEAR_PARAMETERS

MOST_CELLS: Final = 8
"""So many cells that change are told one by one; of more, the table is told as it becomes."""


def in_words(before: Program, after: Program) -> tuple[str, ...]:
    """What an option changes of a council's rules, a line for each figure, each row of a table and each rule."""
    earlier = {(rule.entity, rule.name): rule for rule in before.rules if not rule.hidden}
    rules = {
        f"{rule.entity}.{rule.name}": rule
        for rule in after.rules
        if not rule.hidden
        and (found := earlier.get((rule.entity, rule.name))) is not None
        and found.body != rule.body
        and found.origin != rule.origin
    }
    parameters = {
        name: parameter
        for name, parameter in after.parameters.items()
        if name not in YEAR_PARAMETERS and _differs(before.parameters.get(name), parameter)
    }
    tables = {
        name: table
        for name, table in after.tables.items()
        if not name.endswith("__known") and not table.rests_on and _differs(before.tables.get(name), table)
    }
    titles = told_apart({name: each.title for things in (rules, parameters, tables) for name, each in things.items()})
    lines = [f"{titles[name]}: another rule" for name in rules]
    lines += [_figure(titles[name], before.parameters.get(name), parameter) for name, parameter in parameters.items()]
    lines += [line for name, table in tables.items() for line in _cells(titles[name], before.tables.get(name), table)]
    return tuple(dict.fromkeys(lines))


def beside(changes: Sequence[str], others: Sequence[tuple[str, Sequence[str]]]) -> tuple[str, tuple[str, ...]]:
    """What an option changes, beside the earlier one that it has most in common with: that one's title, and in what it differs.

    No title, and all that it changes, where it has less than half in common with each.
    """
    title, like = max(others, key=lambda other: len({*changes} & {*other[1]}), default=("", ()))
    own = [line for line in changes if line not in like]
    if 2 * len(own) >= len(changes):
        return "", tuple(changes)
    about = {line.partition(":")[0] for line in own}
    gone = [line for line in like if line not in changes and line.partition(":")[0] not in about]
    return title, (*own, *(f"not so: {line}" for line in gone))


def _differs(old: Parameter | Table | None, new: Parameter | Table) -> bool:
    return old is None or old.by_period[-1] != new.by_period[-1]


def told_apart(titles: Mapping[str, str]) -> dict[str, str]:
    """The titles of things by name; where two have one title, each with its name."""
    often = Counter(titles.values())
    return {name: title if often[title] == 1 else f"{title} ({name})" for name, title in titles.items()}


def _figure(title: str, old: Parameter | None, new: Parameter) -> str:
    now = amount(new.by_period[-1], new.type)
    return f"{title}: {now}, new" if old is None else f"{title}: {amount(old.by_period[-1], old.type)} becomes {now}"


def _cells(title: str, old: Table | None, new: Table) -> Iterator[str]:
    """The cells that change, or the rows as they become."""
    rows = new.by_period[-1]
    before = {key: words for keys in old.by_period[-1].rows for key, words in _row(old, old.by_period[-1], keys)} if old is not None else {}
    after = {key: words for keys in rows.rows for key, words in _row(new, rows, keys)}
    changed = [key for key in after if before.get(key) != after[key]]
    if before.keys() == after.keys() and len(changed) <= MOST_CELLS:
        for key in changed:
            yield f"{title} ({', '.join(filter(None, key))}): {before[key]} becomes {after[key]}"
        return
    stamp = ", new" if old is None else ""
    if new.bands is None:
        told = "; ".join(f"{', '.join(filter(None, key))}: {words}" for key, words in after.items())
        yield f"{title}{stamp}: {told}"
        return
    for keys in rows.rows:
        cells = ", ".join(f"{words} {edge}".strip() for (*_, edge), words in _row(new, rows, keys))
        yield f"{title} ({', '.join(map(_spaced, keys))}){stamp}: {cells}" if keys else f"{title}{stamp}: {cells}"


def _row(table: Table, cells: Cells, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The cells of a row, each with its keys and its edge in words."""
    edges, values = cells.rows[keys]
    said = tuple(map(_spaced, keys))
    if table.bands is None:
        yield (*said, ""), amount(values[0], table.type)
        return
    word = "up to" if table.bands.upper else "from"
    named = [f"{word} {amount(edge, table.bands.type)}" for edge in edges] + (["above"] if table.bands.upper else [])
    for edge, value in zip(named, values, strict=True):
        yield (*said, edge), amount(value, table.type)


def _spaced(name: str) -> str:
    return name.replace("_", " ")
