"""Keyed pseudonyms for names, national insurance numbers, addresses and the like.

The same person gets the same pseudonym in every table and every import with one key; without the key nobody can go back
or try out names.  The key lives outside the data.  Pseudonyms are still personal data for whoever holds the key.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
import pyarrow as pa

from rbcalc.errors import UsageError

KEY_BYTES = 32
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("nino", re.compile(r"nino|nat(ional)?[ _-]*ins(urance)?|\bni[ _-]*(no|num)", re.IGNORECASE)),
    ("email", re.compile(r"e-?mail", re.IGNORECASE)),
    ("postcode", re.compile(r"post[ _-]*code", re.IGNORECASE)),
    ("phone", re.compile(r"phone|mobile", re.IGNORECASE)),
    ("address", re.compile(r"address", re.IGNORECASE)),
    ("name", re.compile(r"name", re.IGNORECASE)),
)
_NINO = re.compile(r"([A-Z]{2}[0-9]{6})[A-D]?")


def kind_of(header: str) -> str:
    """What sort of private fact a header announces (`nino`, `name`, `address` ...), or nothing."""
    return next((kind for kind, pattern in _KINDS if pattern.search(header)), "")


def normalise(kind: str, text: str) -> str:
    """The text that stands for a person however it was typed: spaces, case, and the last letter of a number.

    A national insurance number loses its suffix letter, which some systems do not hold.
    """
    plain = unicodedata.normalize("NFKC", text)
    if kind in ("nino", "postcode", "phone"):
        plain = re.sub(r"[^0-9A-Z]", "", plain.upper())
        found = _NINO.fullmatch(plain) if kind == "nino" else None
        return found[1] if found else plain
    return " ".join(plain.split()).casefold()


def key_file() -> Path:
    """Where the key lives: RBCALC_PSEUDONYM_KEY_FILE, or the platform's folder for settings."""
    named = os.environ.get("RBCALC_PSEUDONYM_KEY_FILE")
    return Path(named) if named else Path(platformdirs.user_config_dir("rbcalc", appauthor=False)) / "pseudonym.key"


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes pseudonyms with one key; the key is never printed."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a key of a wrong length."""
        if len(self.key) != KEY_BYTES:
            raise UsageError("RC020", f"the key must hold {KEY_BYTES} bytes, not {len(self.key)}")

    @classmethod
    def from_file(cls, path: Path | None = None) -> Pseudonyms:
        """With the key in a file (0600), which is made when it is not there."""
        path = path or key_file()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                pass
            else:
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    file.write(secrets.token_hex(KEY_BYTES) + "\n")
            if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise UsageError("RC020", "other people can read the key", str(path), f"run: chmod 600 {path}")
            return cls(bytes.fromhex(path.read_text(encoding="ascii").strip()))
        except (OSError, ValueError) as error:
            hint = "name another file in RBCALC_PSEUDONYM_KEY_FILE"
            raise UsageError("RC020", "the key cannot be read or made", str(path), hint) from error

    def one(self, kind: str, text: str) -> str:
        """The pseudonym of one text: 16 letters and digits."""
        data = normalise(kind, text).encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(data, digest_size=10, key=self.key, person=kind.encode("ascii")[:16]).digest()
        return base64.b32encode(digest).decode("ascii").lower()

    def column(self, kind: str, values: Any) -> Any:
        """The pseudonyms of an Arrow column of text; what is not given stays so."""
        coded = values.dictionary_encode()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.combine_chunks()
        named = pa.array([None if text is None else self.one(kind, text) for text in coded.dictionary.to_pylist()], pa.string())
        return named.take(coded.indices)
