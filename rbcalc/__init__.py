"""rbcalc: council bills and awards from rules that an officer can read, exact to the penny.

    rules = rbcalc.load()
    service = rules.partnership("...")
    run = service.calculate("caseload/", year="2026-27")
    run.bills, run.totals, run.rejects

What `__all__` names is the public face; everything else may change, the packages below included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rbcalc._years import FinancialYear
    from rbcalc.caseload.importing import import_caseload
    from rbcalc.comparing.comparison import Comparison
    from rbcalc.errors import DataError, OutputError, RbcalcError, UsageError
    from rbcalc.explaining.explain import explain
    from rbcalc.incomes.churn import churn
    from rbcalc.incomes.cliffs import cliffs
    from rbcalc.reconciling.reconcile import Reconciliation, reconcile
    from rbcalc.rulebook.rules import Council, Partnership, Rules, load
    from rbcalc.running.outputs import verify
    from rbcalc.running.rebill import rebill
    from rbcalc.running.run import Run
    from rbcalc.sampling.sample import sample
    from rbcalc.supposing.api import compare, seek, sweep
    from rbcalc.supposing.seek import Sought
    from rbcalc_kernels.source import RulesError

_HOMES = {
    "Comparison": "rbcalc.comparing.comparison",
    "Council": "rbcalc.rulebook.rules",
    "DataError": "rbcalc.errors",
    "FinancialYear": "rbcalc._years",
    "OutputError": "rbcalc.errors",
    "Partnership": "rbcalc.rulebook.rules",
    "RbcalcError": "rbcalc.errors",
    "Reconciliation": "rbcalc.reconciling.reconcile",
    "Rules": "rbcalc.rulebook.rules",
    "RulesError": "rbcalc_kernels.source",
    "Run": "rbcalc.running.run",
    "Sought": "rbcalc.supposing.seek",
    "UsageError": "rbcalc.errors",
    "churn": "rbcalc.incomes.churn",
    "cliffs": "rbcalc.incomes.cliffs",
    "compare": "rbcalc.supposing.api",
    "explain": "rbcalc.explaining.explain",
    "import_caseload": "rbcalc.caseload.importing",
    "load": "rbcalc.rulebook.rules",
    "rebill": "rbcalc.running.rebill",
    "reconcile": "rbcalc.reconciling.reconcile",
    "sample": "rbcalc.sampling.sample",
    "seek": "rbcalc.supposing.api",
    "sweep": "rbcalc.supposing.api",
    "verify": "rbcalc.running.outputs",
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
