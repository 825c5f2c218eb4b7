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
    from rbcalc._comparison import Comparison
    from rbcalc._explain import explain
    from rbcalc._outputs import verify
    from rbcalc._rebill import rebill
    from rbcalc._reconcile import Reconciliation, reconcile
    from rbcalc._rules import Council, Partnership, Rules, load
    from rbcalc._run import Run
    from rbcalc._sample import sample
    from rbcalc._seek import Sought
    from rbcalc._whatif_api import compare, seek, sweep
    from rbcalc._years import FinancialYear
    from rbcalc.caseload.importing import import_caseload
    from rbcalc.errors import DataError, OutputError, RbcalcError, UsageError
    from rbcalc_kernels.source import RulesError

_HOMES = {
    "Comparison": "rbcalc._comparison",
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
    "Sought": "rbcalc._seek",
    "UsageError": "rbcalc.errors",
    "churn": "rbcalc._churn",
    "cliffs": "rbcalc._cliffs",
    "compare": "rbcalc._whatif_api",
    "explain": "rbcalc._explain",
    "import_caseload": "rbcalc.caseload.importing",
    "load": "rbcalc._rules",
    "rebill": "rbcalc._rebill",
    "reconcile": "rbcalc._reconcile",
    "sample": "rbcalc._sample",
    "seek": "rbcalc._whatif_api",
    "sweep": "rbcalc._whatif_api",
    "verify": "rbcalc._outputs",
}

__all__ = [
    "Comparison",
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
    "Sought",
    "UsageError",
    "churn",
    "cliffs",
    "compare",
    "explain",
    "import_caseload",
    "load",
    "rebill",
    "reconcile",
    "sample",
    "seek",
    "sweep",
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
