"""The shipped rules, read once for all that is explained here."""

from __future__ import annotations

import pytest

from rbcalc.rulebook.rules import Rules, load


@pytest.fixture(scope="session")
def rules() -> Rules:
    return load()
