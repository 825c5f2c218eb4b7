"""The small rules, what they come to, and the live system that agrees with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import rbcalc
from rbcalc.reconciling.reconcile import Reconciliation, reconcile
from reconcile.small import YEAR, caseload, rules_folder

Figures = dict[tuple[str, str], list[Decimal | None]]


@contextmanager
def without_machine_code() -> Iterator[None]:
    """A few accounts do not repay machine code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RBCALC_ENGINE", "python")
        yield


@dataclass(frozen=True)
class Small:
    """Two councils, their caseload and what each account comes to: charge and award by council and reference."""

    rules: Any
    councils: list[Any]
    tables: dict[str, Any]
    figures: Figures

    def billed(self, figures: Figures) -> Any:
        """The live system's table."""
        money = pa.decimal128(18, 2)
        columns = {name: pa.array([row[n] for row in figures.values()], money) for n, name in enumerate(("charge", "award"))}
        names = {key: pa.array([row[n] for row in figures]) for n, key in enumerate(("council", "account"))}
        return pa.table({**names, **columns})

    def reconciled(self, figures: Figures, **options: Any) -> Reconciliation:
        """The comparison with what a live system has."""
        with without_machine_code():
            return reconcile(self.councils, YEAR, self.tables, self.billed(figures), threads=1, **options)

    def supposed(self, change: Callable[[dict[str, list[dict[str, Any]]]], None], council: str = "north") -> Figures:
        """The figures of the accounts with changed facts, the others as they are."""
        rows = {name: table.to_pylist() for name, table in self.tables.items()}
        change(rows)
        tables = {name: pa.Table.from_pylist(rows[name], schema=self.tables[name].schema) for name in rows}
        return worked(self.councils, tables)


def worked(councils: list[Any], tables: Any) -> Figures:
    """What each account comes to."""
    from rbcalc.running.run import calculate

    with without_machine_code():
        bills = calculate(councils, YEAR, tables, threads=1).bills.to_pylist()
    return {(row["council"], row["account"]): [row["charge"], row["award"]] for row in bills}


@pytest.fixture(scope="session")
def rules_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rules_folder(tmp_path_factory.mktemp("small") / "rules")


@pytest.fixture(scope="session")
def small(rules_root: Path) -> Small:
    rules = rbcalc.load(rules_root)
    councils = [rules.council("north"), rules.council("south")]
    tables = caseload()
    return Small(rules, councils, tables, worked(councils, tables))


@pytest.fixture
def figures(small: Small) -> Figures:
    return {key: list(row) for key, row in small.figures.items()}
