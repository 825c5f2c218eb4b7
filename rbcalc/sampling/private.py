"""Private columns of a sample, for trying out pseudonyms: names, numbers and addresses that are plainly invented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rbcalc.sampling.plan import Plan
from rbcalc.sampling.values import Stream, Whole


def private_columns(plan: Plan, register: str, name: str, references: Whole) -> Iterator[tuple[str, Any]]:
    """The private columns of a register, made of the parts that the sample file lists: texts, words, digits."""
    for column, parts in plan.document.get("private", {}).get(register, {}).items():
        made = [_part(part, Stream(f"{name}/{column}/{place}"), references.size) for place, part in enumerate(parts)]
        yield str(column), pc.binary_join_element_wise(*made, "")


def _part(part: Mapping[str, Any], stream: Stream, count: int) -> Any:
    if "words" in part:
        words = pa.array([str(word) for word in part["words"]])
        return words.take(pa.array(stream.below(len(part["words"]), count)))
    if "digits" in part:
        digits = int(part["digits"])
        return pc.utf8_lpad(pa.array(stream.below(10**digits, count)).cast(pa.string()), digits, "0")
    return pa.repeat(str(part["text"]), count)
