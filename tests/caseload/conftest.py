"""Every test has its own cache folder and its own key."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Send the cache and the key to a folder of the test's own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("RBCALC_CACHE_DIR", str(home / "cache"))
    monkeypatch.setenv("RBCALC_PSEUDONYM_KEY_FILE", str(home / "settings" / "pseudonym.key"))
    return home
