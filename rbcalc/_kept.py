"""Checked programs kept on disk, so that rules which did not change are not checked again.

A program is kept under the hash of everything that it was made of: the text of every rule file that it could reach, the year,
and the code that checks.  What is read is verified against its own sum first, since a damaged file must never be opened.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import rbcalc_kernels

if TYPE_CHECKING:
    from rbcalc_kernels.program.graph import Program

KEPT: Final = 500
_SUM: Final = 32


class Kept:
    """The place of one program in the cache."""

    def __init__(self, root: Path, council: str, year: str, more: Iterable[Path]) -> None:
        """The program of a council's rules under `root` for a year, with further files."""
        self.path: Path | None = None
        try:
            from rbcalc.caseload.purge import cache_folder, private_folder
            from rbcalc.errors import UsageError

            folder = private_folder(private_folder(cache_folder()) / "programs")
        except (OSError, UsageError):
            return
        digest = hashlib.sha256(f"{sys.version} {_code()} {root.resolve()} {council} {year}\n".encode())
        try:
            for path in (*_reachable(root, council), *more):
                text = path.read_bytes()
                digest.update(f"{path} {len(text)}\n".encode() + text)
        except OSError:
            return
        self.path = folder / f"{digest.hexdigest()}.program"

    def read(self) -> Program | None:
        """The program, or None when it is not there or not whole."""
        if self.path is None:
            return None
        try:
            held = self.path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(held[_SUM:]).digest() != held[:_SUM]:
            return None
        program: Program = pickle.loads(held[_SUM:])  # noqa: S301 - our own file, in our own folder, as we left it
        return program

    def write(self, program: Program) -> None:
        """Keep the program; a cache that cannot be written to is done without."""
        if self.path is None:
            return
        held = pickle.dumps(program, protocol=5)
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            part.write_bytes(hashlib.sha256(held).digest() + held)
            part.replace(self.path)
            for old in sorted(self.path.parent.glob("*.program"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
                old.unlink(missing_ok=True)
        except OSError:
            part.unlink(missing_ok=True)


def _reachable(root: Path, council: str) -> Iterator[Path]:
    """Every rule file that the council's rules could reach."""
    for folder in (root / "england", root / "preceptors", root / "councils" / council):
        yield from sorted(path for path in folder.rglob("*.yaml") if not path.name.endswith("cases.yaml"))


@cache
def _code() -> str:
    """The state of the code that checks rules: in a checkout it may change without a new version."""
    package = Path(rbcalc_kernels.__file__).parent
    stamps = [f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in sorted(package.rglob("*.py"))]
    grammar = package / "language" / "grammar.lark"
    return hashlib.sha256("\n".join([*stamps, grammar.read_text(encoding="utf-8")]).encode()).hexdigest()
