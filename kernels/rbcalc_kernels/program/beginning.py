"""The first day that is worked out: that of the year, or of the week in which the year begins."""

from __future__ import annotations

from collections.abc import Sequence

from rbcalc_kernels.language.documents import RuleFile
from rbcalc_kernels.program.library import RuleSource
from rbcalc_kernels.source import Findings


def begins(sources: Sequence[RuleSource], year_start: int, findings: Findings) -> int:
    """The first day that is worked out: that of the year, or the Monday on or before it where the root says so."""
    for source in sources:
        for entity in source.content.entities.values() if isinstance(source.content, RuleFile) else ():
            if entity.begins is None:
                continue
            if str(entity.begins) != "monday":
                findings.error("RB061", f"days cannot begin with {entity.begins}", entity.begins.span, help="begins: monday, or nothing")
            return year_start - (year_start + 3) % 7  # 1 January 1970 was a Thursday
    return year_start
