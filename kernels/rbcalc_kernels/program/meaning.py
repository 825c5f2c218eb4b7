"""What words mean in a program, so that what was made of a text serves every program in which its words mean the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count
from typing import Final

from rbcalc_kernels.language.documents import RuleDoc, Text, VersionDoc
from rbcalc_kernels.program.names import Names

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

_NUMBERS: Final = count()
"""No number is given twice, so that none stands for a meaning that was forgotten."""

Words = tuple[str, ...]


class Meanings:
    """The meaning of each word in one program, as a number that is the same in every program where it means the same.

    An expression is typed by the entities, by what its own words name, and by nothing else of a program.
    """

    def __init__(self, names: Names, numbers: dict[object, int]) -> None:
        """Meanings in a program; `numbers` are those given before, for other programs of the same files."""
        self._numbers = numbers
        said: dict[str, list[object]] = {}
        for ref, declared in names.inputs.items():
            said.setdefault(ref.name, []).append((0, ref.entity, declared.type, declared.optional))
        for ref, rule in names.rules.items():
            said.setdefault(ref.name, []).append((1, ref.entity, rule.type))
        for name, (type_, _) in names.parameters.items():
            said.setdefault(name, []).append((2, type_))
        for name, table in names.tables.items():
            said.setdefault(name, []).append((3, table.type, table.axes, table.keys, table.bands, table.sparse, table.worked_out))
        for name, choice in names.lists.items():
            said.setdefault(name, []).append((4, choice))
        for name in names.broken:
            said.setdefault(name, []).append((5,))
        self._words = {word: self._number(tuple(meanings)) for word, meanings in said.items()}
        self.entities = self._number(tuple(names.entities.items()))
        """The entities and how they belong together, as one number."""

    def _number(self, meaning: object) -> int:
        found = self._numbers.get(meaning)
        if found is None:
            found = self._numbers[meaning] = next(_NUMBERS)
        return found

    def of(self, words: Words) -> tuple[int | None, ...]:
        """What some words mean; None for those that name nothing."""
        return tuple([self._words.get(word) for word in words])


def words_of(name: str, doc: RuleDoc | VersionDoc) -> Words:
    """The words on which the body of a rule rests: its own name, and those of its expressions and of what is told."""
    texts: Iterable[Text | None] = (
        doc.is_,
        *(text for line in doc.first or () for text in (line.when, line.give, line.otherwise, line.because)),
    )
    return tuple(dict.fromkeys((name, *(word for text in texts if text is not None for word in _WORD.findall(text)))))
