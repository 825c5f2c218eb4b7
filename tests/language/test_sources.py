"""What a citation takes from the file, and from the entry around it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rbcalc_kernels.language.documents import SourceDoc, Text
from rbcalc_kernels.program.values import source_of

FILE = {"law": "SI 2016/1265", "url": "https://example.org/2016/1265", "note": "as amended"}


def described(keys: dict[str, str]) -> SourceDoc:
    return SourceDoc.model_validate({name: Text(value) for name, value in keys.items()})


def cited(*levels: dict[str, str]) -> str:
    file: Any = SimpleNamespace(source=described(FILE), status=None)
    source, _ = source_of(file, *((described(level), None) for level in levels))
    assert source is not None
    return source.text


@pytest.mark.parametrize(
    ("levels", "text"),
    [
        ([{"paragraph": "reg. 4"}], "SI 2016/1265, reg. 4, https://example.org/2016/1265, as amended"),
        ([{"law": "SI 2016/1265", "paragraph": "reg. 4"}], "SI 2016/1265, reg. 4, https://example.org/2016/1265, as amended"),
        ([{"law": "SI 2022/1403", "paragraph": "reg. 5"}], "SI 2022/1403, reg. 5"),
        ([{"paragraph": "reg. 4"}, {"law": "SI 2022/1403"}], "SI 2022/1403"),
        ([{"document": "A leaflet"}], "SI 2016/1265, A leaflet"),
        ([{"document": "A leaflet", "note": "of the figure"}, {"document": "Another"}], "SI 2016/1265, Another, of the figure"),
    ],
)
def test_where_something_stands_is_inherited_within_one_law_only(levels: list[dict[str, str]], text: str) -> None:
    assert cited(*levels) == text
