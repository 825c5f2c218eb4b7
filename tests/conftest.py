"""What holds for all tests: generated examples are the same in each run, and no example is timed.

The nightly run (`HYPOTHESIS_PROFILE=wide`) draws new ones.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("wide", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
