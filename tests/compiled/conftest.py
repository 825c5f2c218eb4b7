"""Every test of the compiled evaluator has a cache folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    import os

    folder: Path = tmp_path_factory.mktemp("cache")
    folder.chmod(0o700)
    os.environ["RBCALC_CACHE_DIR"] = str(folder)
