"""rbcalc: council bills and awards from rules that an officer can read, exact to the penny.

    rules = rbcalc.load()
    service = rules.partnership("...")
    run = service.calculate("caseload/", year="2026-27")
    run.bills, run.totals, run.rejects

Names without an underscore here are the public face; everything else may change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rbcalc._churn import churn
    from rbcalc._cliffs import cliffs
    from rbcalc._explain import explain
    from rbcalc._outputs import verify
    from rbcalc._rebill import rebill
    from rbcalc._reconcile import Reconciliation, reconcile
    from rbcalc._rules import Council, Partnership, Rules, load
    from rbcalc._run import Run
    from rbcalc._sample import sample
    from rbcalc._years import FinancialYear
    from rbcalc.caseload.importing import import_caseload
    from rbcalc.errors import DataError, OutputError, RbcalcError, UsageError
    from rbcalc_kernels.source import RulesError

_HOMES = {
    "Council": "rbcalc._rules",
    "DataError": "rbcalc.errors",
    "FinancialYear": "rbcalc._years",
    "OutputError": "rbcalc.errors",
    "Partnership": "rbcalc._rules",
    "RbcalcError": "rbcalc.errors",
    "Reconciliation": "rbcalc._reconcile",
    "Rules": "rbcalc._rules",
    "RulesError": "rbcalc_kernels.source",
    "Run": "rbcalc._run",
    "UsageError": "rbcalc.errors",
    "churn": "rbcalc._churn",
    "cliffs": "rbcalc._cliffs",
    "explain": "rbcalc._explain",
    "import_caseload": "rbcalc.caseload.importing",
    "load": "rbcalc._rules",
    "rebill": "rbcalc._rebill",
    "reconcile": "rbcalc._reconcile",
    "sample": "rbcalc._sample",
    "verify": "rbcalc._outputs",
}

__all__ = [
    "Council",
    "DataError",
    "FinancialYear",
    "OutputError",
    "Partnership",
    "RbcalcError",
    "Reconciliation",
    "Rules",
    "RulesError",
    "Run",
    "UsageError",
    "churn",
    "cliffs",
    "explain",
    "import_caseload",
    "load",
    "rebill",
    "reconcile",
    "sample",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Bring a public name from its module when it is first asked for, so that importing rbcalc costs next to nothing."""
    if name not in _HOMES:
        message = f"module 'rbcalc' has no attribute '{name}'"
        raise AttributeError(message)
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return list(__all__)
