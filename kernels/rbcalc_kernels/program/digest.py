"""The sum by which a program's rules are known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

LANGUAGE_VERSION = 1


def digest_of(texts: Mapping[str, str], first_day: int, last_day: int) -> str:
    """The sum of the files that a program was linked from, by name, and of the days for which it was."""
    digest = hashlib.sha256(f"rbcalc rules {LANGUAGE_VERSION} {first_day} {last_day}\n".encode())
    for file in sorted(texts):
        digest.update(f"{file}\n{len(texts[file])}\n{texts[file]}".encode())
    return digest.hexdigest()
