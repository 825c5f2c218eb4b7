"""What holds for all tests: generated examples are the same in each run, no example is timed, and the longest come first.

The nightly run (`HYPOTHESIS_PROFILE=wide`) draws new examples.
"""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("wide", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# Rules and programs last to the end: to look through them for garbage again and again takes a third of the time.
gc.set_threshold(2_000_000, 20, 20)

LONG = ("tests/agreement/", "tests/house/test_wheel.py", "tests/sample/")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where two processes share the tests, put those that take long, file by file, at the beginning of each one's half.

    Within that the order stays as it was drawn.
    """
    if not hasattr(config, "workerinput"):
        return
    long: dict[str, list[pytest.Item]] = {}
    short: list[pytest.Item] = []
    for item in items:
        file = item.nodeid.partition("::")[0]
        (long.setdefault(file, []) if file.startswith(LONG) else short).append(item)
    halves: list[list[pytest.Item]] = [[], []]
    for files in sorted(long.values(), key=len, reverse=True):
        min(halves, key=len).extend(files)
    middle = max(0, len(items) // 2 - len(halves[0]))
    items[:] = [*halves[0], *short[:middle], *halves[1], *short[middle:]]
