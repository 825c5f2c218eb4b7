"""Each account of the caseload and of the live system in exactly one class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rbcalc.reconciling.billed import Billed
from rbcalc.reconciling.runs import Mask, Pence, Worked
from rbcalc_kernels.program.graph import Reconciled

MATCHES, WITHIN, DIFFERS, LIVE_ONLY, OURS_ONLY, REJECTED = range(6)
OUTCOMES: Final = (
    "matches to the penny",
    "differs within the tolerance",
    "differs",
    "only in the live system",
    "only in the caseload",
    "rejected",
)
Places = npt.NDArray[np.int64]


@dataclass(slots=True)
class Ours:
    """One council's accounts as they were worked out, and the references of those that the import rejected with a reason."""

    council: str
    references: Any
    worked: Worked
    rejected: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Accounts:
    """All accounts: place of the council, reference, both sides' pence where they are known, the class and a reason.

    `row` is the account's row in its council's part of the caseload, -1 where it has none that was worked out.
    """

    councils: tuple[str, ...]
    compared: tuple[Reconciled, ...]
    council: Places
    references: Any
    row: Places
    ours: Pence
    live: Pence
    has_ours: Mask
    has_live: Mask
    outcome: npt.NDArray[np.int8]
    reasons: dict[int, str]

    @property
    def difference(self) -> Pence:
        """The live system's figures less ours; nought where there is only one of them."""
        both = (self.has_ours & self.has_live)[:, None]
        found: Pence = np.where(both, self.live - self.ours, 0)
        return found

    @property
    def count(self) -> int:
        """How many accounts there are."""
        return int(self.outcome.size)


def compare(ours: Sequence[Ours], billed: Billed, tolerance: int) -> Accounts:
    """Put each account in its class; `tolerance` in pence holds for each figure of an account."""
    names = tuple(each.council for each in ours)
    width = len(billed.compared)
    parts = [_side(place, each, width) for place, each in enumerate(ours)]
    council = np.concatenate([part[0] for part in parts])
    references = pa.chunked_array([part[1] for part in parts], pa.string()).combine_chunks()
    row, pence, known = (np.concatenate([part[n] for part in parts]) for n in (2, 3, 4))
    reasons: dict[int, str] = {}
    start = 0
    for part in parts:
        reasons |= {start + place: told for place, told in part[5].items()}
        start += len(part[0])
    live_keys = _keys(billed.council, pa.array(billed.accounts, pa.string()))
    at = pc.index_in(_keys(council, references), value_set=live_keys)
    of_live: Places = pc.fill_null(at, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    alone = np.ones(len(billed.accounts), bool)
    alone[of_live[of_live >= 0]] = False
    more = np.flatnonzero(alone)
    place = np.concatenate([of_live, more])
    has_live = place >= 0
    live = np.zeros((place.size, width), np.int64)
    live[has_live] = billed.pence[place[has_live]]
    nothing = np.zeros(more.size, np.int64)
    has_ours = np.concatenate([known, nothing.astype(bool)])
    made = Accounts(
        names,
        billed.compared,
        np.concatenate([council, billed.council[more]]),
        pa.concat_arrays([references, pa.array([billed.accounts[n] for n in more], pa.string())]),
        np.concatenate([row, nothing - 1]),
        np.concatenate([pence, np.zeros((more.size, width), np.int64)]),
        live,
        has_ours,
        has_live,
        np.empty(place.size, np.int8),
        reasons,
    )
    back = {int(theirs): n for n, theirs in enumerate(place) if theirs in billed.reasons} if billed.reasons else {}
    for theirs, told in billed.reasons.items():
        made.reasons.setdefault(back[theirs], told)
    largest = np.abs(made.difference).max(axis=1, initial=0)
    made.outcome[:] = np.where(largest == 0, MATCHES, np.where(largest <= tolerance, WITHIN, DIFFERS))
    made.outcome[~has_ours] = LIVE_ONLY
    made.outcome[~has_live] = OURS_ONLY
    refused = np.fromiter(made.reasons, np.int64, len(made.reasons))
    made.outcome[refused] = REJECTED
    made.has_live[list(back.values())] = False
    return made


def _side(place: int, ours: Ours, width: int) -> tuple[Any, ...]:
    """One council's accounts: those of the caseload, then those that the import rejected."""
    extra = list(ours.rejected)
    there = ours.references.combine_chunks() if isinstance(ours.references, pa.ChunkedArray) else ours.references
    references = pa.concat_arrays([there.cast(pa.string()), pa.array(extra, pa.string())])
    count, more = len(ours.references), len(extra)
    known = np.concatenate([ours.worked.known, np.zeros(more, bool)])
    row = np.where(known, np.arange(count + more), -1)
    pence = np.concatenate([ours.worked.pence, np.zeros((more, width), np.int64)])
    reasons = {int(n): ours.worked.reasons.get(int(n), "it could not be worked out") for n in np.flatnonzero(~ours.worked.known)}
    reasons |= {count + n: ours.rejected[name] for n, name in enumerate(extra)}
    return np.full(count + more, place, np.int64), references, row, pence, known, reasons


def _keys(council: Places, references: Any) -> Any:
    return pc.binary_join_element_wise(pa.array(council).cast(pa.string()), references, "\x1f")
