"""What was made of rule files, kept on disk: checked programs, and files and expressions that were read.

A program is kept under the hash of everything that it was made of: the text of every rule file that it could reach, the year,
and the code that checks.  Where something did change, the files that did not need not be read and checked again by
themselves; what they say together always is.  Everything kept is verified against its own sum before it is opened.
"""

from __future__ import annotations

import gc
import hashlib
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rbcalc_kernels.kept import code_state, read, write

if TYPE_CHECKING:
    from rbcalc_kernels.program.graph import Program
    from rbcalc_kernels.program.library import RuleSource

KEPT: Final = 500
"""How many programs, and how many folders of rule files, are kept."""

FORM: Final = "3"
"""The version of what is kept of rule files; part of the name of each file."""

_OPENED: Final[dict[tuple[str, str], RuleSource]] = {}
"""What was read of files in this process, by file and the sum of what it held: nothing that is read is ever changed."""


def _folder(name: str) -> Path | None:
    """A folder of the cache; None where there can be none."""
    from rbcalc.caseload.purge import cache_folder, private_folder
    from rbcalc.errors import UsageError

    try:
        return private_folder(private_folder(cache_folder()) / name)
    except (OSError, UsageError):
        return None


class Kept:
    """The place of one program in the cache."""

    def __init__(self, root: Path, council: str, year: str) -> None:
        """The program of a council's rules under `root` for a year."""
        self.path: Path | None = None
        folder = _folder("programs")
        if folder is None:
            return
        digest = hashlib.sha256(f"{sys.version} {code_state()} {root.resolve()} {council} {year}\n".encode())
        try:
            for path in _reachable(root, council):
                text = path.read_bytes()
                digest.update(f"{path} {len(text)}\n".encode() + text)
        except OSError:
            return
        self.path = folder / f"{digest.hexdigest()}.program"

    def read(self) -> Program | None:
        """The program, or None when it is not there or not whole."""
        held = read(self.path) if self.path is not None else None
        program: Program | None = None if held is None else _opened(held)
        return program

    def write(self, program: Program) -> None:
        """Keep the program; a cache that cannot be written to is done without."""
        if self.path is not None:
            write(self.path, pickle.dumps(program, protocol=5), KEPT)


def _reachable(root: Path, council: str) -> Iterator[Path]:
    """Every rule file that the council's rules could reach."""
    for folder in (root / "england", root / "preceptors", root / "councils" / council):
        yield from sorted(path for path in folder.rglob("*.yaml") if not path.name.endswith("cases.yaml"))


class KeptFiles:
    """The rule files that were read before, by the text that they held, and the expressions in them.

    The files of each folder below `england`, `councils` and so on stand in one file of the cache, which serves every copy of the
    rules: what was read says nothing of where they are.
    """

    def __init__(self) -> None:
        """What is kept of rules."""
        self._groups: dict[str, dict[str, tuple[str, bytes]]] = {}
        self._changed: set[str] = set()
        self._expressions: int | None = None

    def get(self, file: str, data: bytes) -> RuleSource | None:
        """What was read from the file when it held exactly this."""
        group, held = _group_of(file), hashlib.sha256(data).hexdigest()
        source = _OPENED.get((file, held)) if group else None
        if source is None:
            found = self._group(group).get(file)
            if found is None or found[0] != held:
                return None
            source = _OPENED[file, held] = _opened(found[1])
        return source

    def put(self, source: RuleSource, data: bytes) -> None:
        """Remember a file in which nothing was found wrong."""
        group, held = _group_of(source.file), hashlib.sha256(data).hexdigest()
        if group:
            # Each by itself, so that where one file changed the others are written down as they were.
            self._group(group)[source.file] = held, pickle.dumps(source, protocol=5)
            self._changed.add(group)
            _OPENED[source.file, held] = source

    def _group(self, group: str) -> dict[str, tuple[str, bytes]]:
        if group not in self._groups:
            path = self._path(group, "files") if group else None
            held = read(path) if path is not None else None
            self._groups[group] = _opened(held) if held is not None else {}
        return self._groups[group]

    def _path(self, group: str, suffix: str) -> Path | None:
        folder = _folder("rule-files")
        name = hashlib.sha256(f"{FORM} {sys.version} {code_state()} {group}".encode()).hexdigest()
        return folder / f"{name}.{suffix}" if folder is not None else None

    def recall(self) -> None:
        """Bring back the expressions that were parsed before."""
        from rbcalc_kernels.language.parser import KNOWN

        if self._expressions is None:
            path = self._path("", "expressions")
            held = read(path) if path is not None else None
            found = _opened(held) if held is not None else {}
            KNOWN.update(found)
            self._expressions = len(found)

    def keep(self) -> None:
        """Write down what was read for the first time."""
        from rbcalc_kernels.language.parser import KNOWN

        for group in self._changed:
            path = self._path(group, "files")
            if path is not None:
                write(path, pickle.dumps(self._groups[group], protocol=5), KEPT)
        self._changed.clear()
        if len(KNOWN) != self._expressions:
            path = self._path("", "expressions")
            if path is not None:
                write(path, pickle.dumps(dict(KNOWN), protocol=5), KEPT)
            self._expressions = len(KNOWN)


def _group_of(file: str) -> str:
    """The folder that a rule file is kept with; empty for files outside the rules, which are read anew."""
    parts = file.split("/")
    if parts[0] != "rules" or len(parts) < 3:
        return ""
    return "/".join(parts[1:3]) if parts[1] == "councils" else parts[1]


def _opened(held: bytes) -> Any:
    """What is in a verified file of our own."""
    # Looking for garbage while many things are made, none of which is, takes longer than making them.
    enabled = gc.isenabled()
    gc.disable()
    try:
        return pickle.loads(held)  # noqa: S301 - our own file, in our own folder, as we left it
    finally:
        if enabled:
            gc.enable()
