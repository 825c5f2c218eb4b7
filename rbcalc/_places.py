"""Where the shipped rules are: beside the package in an installation, in the checkout in an editable one."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def rules_root() -> Path:
    """The folder of the shipped rules, known from this package's own place and never searched for.

    An installation carries them as `_rules` inside the package.  A checkout has them as `rules` beside it; there nothing
    is copied, so that an edited rule holds at once.
    """
    installed = _PACKAGE / "_rules"
    if installed.is_dir():
        return installed
    checkout = _PACKAGE.parent / "rules"
    if checkout.is_dir():
        return checkout
    message = f"the rules that belong to rbcalc are missing: neither {installed} nor {checkout} is a folder; install rbcalc again"
    raise FileNotFoundError(message)
