"""A reconciliation as Arrow tables: accounts, classes and causes, with money as decimals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from rbcalc.reconciling.causes import KINDS, Causes
from rbcalc.reconciling.compare import MATCHES, OUTCOMES, Accounts, Places

MONEY: Final = pa.decimal128(18, 2)


def money(pence: Any, valid: Any = None) -> Any:
    """Whole pence as decimals; where `valid` is false nothing stands."""
    whole = np.ascontiguousarray(pence, dtype=np.int64)
    wide = np.empty((whole.size, 2), np.int64)
    wide[:, 0], wide[:, 1] = whole, np.where(whole < 0, -1, 0)
    held = pa.Array.from_buffers(MONEY, whole.size, [None, pa.py_buffer(np.ascontiguousarray(wide))])
    return held if valid is None else pa.compute.if_else(pa.array(valid), held, pa.scalar(None, MONEY))


def _words(places: Any, words: tuple[str, ...], valid: Any = None) -> Any:
    indices = pa.array(places.astype(np.int32), mask=None if valid is None else ~valid)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(words), pa.string()))


def cause_columns(accounts: Accounts, causes: Mapping[int, Causes]) -> tuple[Places, list[str], list[str], Places]:
    """For each account the kind of cause (-1: none), what it is, what it is in this account, and in how many ways."""
    kind = np.full(accounts.count, -1, np.int64)
    ways = np.zeros(accounts.count, np.int64)
    what, detail = [""] * accounts.count, [""] * accounts.count
    for place, found in causes.items():
        mine = np.flatnonzero((accounts.council == place) & (accounts.row >= 0))
        rows = accounts.row[mine]
        kind[mine] = found.kind[rows]
        for n in mine[found.kind[rows] >= 0]:
            row = int(accounts.row[n])
            what[n], detail[n] = found.what.get(row, ""), found.detail.get(row, "")
            ways[n] = found.ways.get(row, 1 if row in found.what else 0)
    return kind, what, detail, ways


def account_table(accounts: Accounts, causes: Mapping[int, Causes]) -> Any:
    """One row an account: its class, both sides' figures, the difference, and what is known of its cause."""
    kind, what, detail, ways = cause_columns(accounts, causes)
    columns: dict[str, Any] = {
        "council": _words(accounts.council, accounts.councils),
        "account": accounts.references,
        "outcome": _words(accounts.outcome, OUTCOMES),
    }
    both = accounts.has_ours & accounts.has_live
    difference = accounts.difference
    for place, figure in enumerate(accounts.compared):
        columns[figure.name] = money(accounts.ours[:, place], accounts.has_ours)
        columns[f"{figure.name}_live"] = money(accounts.live[:, place], accounts.has_live)
        columns[f"{figure.name}_difference"] = money(difference[:, place], both)
    columns["cause"] = _words(np.maximum(kind, 0), KINDS, kind >= 0)
    columns["what"] = pa.array(what, pa.string())
    columns["detail"] = pa.array(detail, pa.string())
    columns["ways"] = pa.array(ways, pa.int32())
    columns["reason"] = pa.array([accounts.reasons.get(n, "") for n in range(accounts.count)], pa.string())
    return pa.table(columns)


def differing(table: Any) -> Any:
    """The accounts that do not match to the penny."""
    return table.filter(pa.compute.not_equal(table["outcome"].cast(pa.string()), OUTCOMES[MATCHES]))


def class_table(accounts: Accounts) -> Any:
    """For each council and class: how many accounts, both sides' sums, and the difference where both have figures."""
    rows: list[dict[str, Any]] = []
    for place, council in enumerate(accounts.councils):
        for outcome, words in enumerate(OUTCOMES):
            chosen = (accounts.council == place) & (accounts.outcome == outcome)
            rows.append({"council": council, "outcome": words, "accounts": int(chosen.sum()), **_sums(accounts, chosen)})
    return _table(rows)


def cause_table(accounts: Accounts, causes: Mapping[int, Causes]) -> Any:
    """For each council and cause: how many accounts, and for each figure the net and the absolute difference."""
    kind, what, _, _ = cause_columns(accounts, causes)
    groups: dict[tuple[int, int, str], list[int]] = {}
    for n in np.flatnonzero(kind >= 0):
        groups.setdefault((int(accounts.council[n]), int(kind[n]), what[n]), []).append(int(n))
    rows = []
    largest = {key: int(np.abs(accounts.difference[places]).sum()) for key, places in groups.items()}
    for key in sorted(groups, key=lambda each: (each[0], each[1], -largest[each], each[2])):
        council, cause, words = key
        difference = accounts.difference[groups[key]]
        row: dict[str, Any] = {"council": accounts.councils[council], "cause": KINDS[cause], "what": words, "accounts": len(groups[key])}
        for place, figure in enumerate(accounts.compared):
            row[f"{figure.name}_difference"] = int(difference[:, place].sum())
            row[f"{figure.name}_absolute"] = int(np.abs(difference[:, place]).sum())
        rows.append(row)
    names = [f"{figure.name}_{end}" for figure in accounts.compared for end in ("difference", "absolute")]
    empty: dict[str, Any] = {"council": "", "cause": "", "what": "", "accounts": 0, **dict.fromkeys(names, 0)}
    return _table(rows) if rows else _table([empty]).slice(0, 0)


def _sums(accounts: Accounts, chosen: Any) -> dict[str, int]:
    made: dict[str, int] = {}
    for place, figure in enumerate(accounts.compared):
        made[figure.name] = int(accounts.ours[chosen & accounts.has_ours, place].sum())
        made[f"{figure.name}_live"] = int(accounts.live[chosen & accounts.has_live, place].sum())
        made[f"{figure.name}_difference"] = int(accounts.difference[chosen, place].sum())
    return made


def _table(rows: list[dict[str, Any]]) -> Any:
    words = ("council", "outcome", "cause", "what")
    columns: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if name in words:
            columns[name] = pa.array(values, pa.string())
        elif name == "accounts":
            columns[name] = pa.array(values, pa.int64())
        else:
            columns[name] = money(np.array(values, np.int64))
    return pa.table(columns)
