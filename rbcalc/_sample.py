"""Sample caseloads: no real one can be published, so one is made by seed at the published size of a council or a partnership."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from rbcalc._rules import Council, Rules
from rbcalc._sample_counts import published_total, sizes
from rbcalc._sample_files import TableWriter, check_format, prepare, write_manifest, write_part
from rbcalc._sample_plan import Plan, read_plan
from rbcalc._sample_rows import Maker, Rows
from rbcalc._sample_values import Stream, largest_remainder
from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError

LARGE: Final = 2_000_000  # dwellings; more are written in many files
BUSY: Final = "busy"  # a year with as many changes as the sample files state for a busy one
_AT_ONCE: Final = 2
Progress = Callable[[int, int], None]
"""Told how many dwellings are done, of how many."""


@dataclass(slots=True)
class SampleTable:
    """One table of a sample: its rows, its files, and a digest of what it says."""

    rows: int = 0
    files: list[str] = field(default_factory=list)
    digest: str = ""
    parts: dict[int, tuple[int, bytes]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Summary:
    """What was made.  `dwellings` counts them by council, `members` by council and member of the published list."""

    folder: Path
    year: str
    seed: int
    dwellings: Mapping[str, int]
    members: Mapping[str, Mapping[str, int]]
    situations: Mapping[str, Mapping[str, tuple[int, str]]]
    tables: Mapping[str, SampleTable]
    wrong: tuple[str, ...]
    notes: tuple[str, ...]
    manifest: Mapping[str, Any]

    @property
    def total(self) -> int:
        """All dwellings."""
        return sum(self.dwellings.values())


def sample(
    rules: Rules,
    *,
    council: str = "",
    partnership: str = "",
    year: str | FinancialYear = "",
    seed: int = 1,
    dwellings: int | None = None,
    out: str | Path,
    format: str = "parquet",
    with_names: bool = False,
    with_errors: bool = False,
    changing: str | Fraction | None = None,
    charges: Sequence[Path] = (),
    force: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Make a caseload for a council or a partnership in the folder `out`.

    `dwellings` replaces the published number (of the whole partnership, divided in proportion); `changing` the share of
    dwellings in which something changes within the year, or `busy` for as many changes of claims as a busy year has.
    A council's rows are the same alone and in a partnership.
    `with_names` adds invented private columns, `with_errors` a few rows that are wrong on purpose.  `charges` are council
    files of one's own, `force` replaces an earlier sample.
    """
    check_format(format)
    when, councils = _who(rules, council, partnership, year, charges)
    busy = isinstance(changing, str) and changing.strip() == BUSY
    share = None if busy else _share(changing)
    if dwellings is not None and dwellings < 1:
        raise UsageError("RC049", f"{dwellings} dwellings cannot be made", hint="give a whole number from 1")
    plans = {found.name: read_plan(rules, found.program(when, own=charges), when) for found in councils}
    wanted: dict[str, int | None] = dict.fromkeys(plans)
    if dwellings is not None:
        published = tuple(published_total(plans[found.name], found.profile) for found in councils)
        wanted = dict(zip(plans, largest_remainder(published, dwellings), strict=True))
    makers = []
    for found in councils:
        plan = plans[found.name]
        made = sizes(plan, found.profile, found.name, seed, wanted[found.name], share, busy)
        makers.append(Maker(plan, made, found.name, _block(found, plan), seed, with_names, with_errors))
    _check_blocks(makers)
    folder = Path(out)
    prepare(folder, force)
    total = sum(maker.sizes.total for maker in makers)
    tables = {register: SampleTable() for register in makers[0].plan.columns}
    if format == "parquet" and total > LARGE:
        _many_files(makers, folder, tables, total, progress)
    else:
        _one_file_each(makers, folder, format, tables, total, progress)
    for table in tables.values():
        told = hashlib.blake2b(digest_size=32)
        for number in sorted(table.parts):
            told.update(table.parts[number][1])
        table.rows = sum(rows for rows, _ in table.parts.values())
        table.digest = told.hexdigest()
    return _summary(
        rules,
        makers,
        folder,
        when,
        seed,
        tables,
        {"with_names": with_names, "changing": BUSY if busy else str(share) if share is not None else "", "format": format},
    )


def _who(
    rules: Rules, council: str, partnership: str, year: str | FinancialYear, charges: Sequence[Path]
) -> tuple[FinancialYear, list[Council]]:
    if bool(council) == bool(partnership):
        raise UsageError("RC041", "whose caseload is wanted?", hint="give a council or a partnership, one of the two")
    if partnership:
        group = rules.partnership(partnership)
        when = FinancialYear.of(year) if year else group.default_year
        return when, group.councils(when)
    found = rules.council(council)
    years = found.years()
    if not year and charges:
        raise UsageError("RC040", "which year?", hint="give the year of the charges")
    if not year and not years:
        raise UsageError("RC045", f"{found.title} has no published charges in the rules", hint="choose another council")
    return (FinancialYear.of(year) if year else years[-1]), [found]


def _share(changing: str | Fraction | None) -> Fraction | None:
    if changing is None or isinstance(changing, Fraction):
        return changing
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?%", changing.strip())
    if match is None or Fraction(match[1]) > 100:
        raise UsageError("RC049", f"not a share: {changing}", hint="write it in per cent, as 30%, or busy")
    return Fraction(match[1]) / 100


def _block(council: Council, plan: Plan) -> int:
    """The number that the council's references begin with: the end of its published code, or one made of its name."""
    code = str(council.facts.get(str(plan.document["references"]["block"]), ""))
    digits = re.search(r"[0-9]{3}$", code)
    return int(digits[0]) if digits is not None else int(Stream(f"block/{council.name}").below(1000, 1)[0])


def _check_blocks(makers: list[Maker]) -> None:
    blocks: dict[int, str] = {}
    for maker in makers:
        if maker.block in blocks:
            hint = "make their samples one by one"
            raise UsageError("RC049", f"the references of {maker.council} and {blocks[maker.block]} would be alike", hint=hint)
        blocks[maker.block] = maker.council


def _jobs(makers: list[Maker]) -> list[tuple[Maker, int]]:
    return [(maker, number) for maker in makers for number in range(maker.chunks)]


def _made(jobs: list[tuple[Maker, int]]) -> Iterator[tuple[int, dict[str, Rows]]]:
    """The chunks in order, one made while the one before is written."""
    with ThreadPoolExecutor(1) as pool:
        following: Future[dict[str, Rows]] = pool.submit(jobs[0][0].chunk, jobs[0][1])
        for place in range(len(jobs)):
            rows = following.result()
            if place + 1 < len(jobs):
                following = pool.submit(jobs[place + 1][0].chunk, jobs[place + 1][1])
            yield place, rows


def _one_file_each(
    makers: list[Maker], folder: Path, format_: str, tables: dict[str, SampleTable], total: int, progress: Progress | None
) -> None:
    writers = {register: TableWriter(folder, register, format_) for register in tables}
    jobs = _jobs(makers)
    try:
        for place, rows in _made(jobs):
            for register, made in rows.items():
                writers[register].write(made.table)
                tables[register].parts[place] = made.count, made.digest
            if progress is not None:
                progress(total * (place + 1) // len(jobs), total)
        for register, writer in writers.items():
            writer.close()
            tables[register].files = writer.files
    except BaseException:
        for writer in writers.values():
            writer.drop()
        raise


def _many_files(makers: list[Maker], folder: Path, tables: dict[str, SampleTable], total: int, progress: Progress | None) -> None:
    """Each chunk in files of its own, numbered differently in each table, so that no two tables stand in one order."""
    jobs = _jobs(makers)
    orders = {register: Stream(f"parts/{register}").order(len(jobs)).tolist() for register in tables}

    def one(place: int) -> None:
        maker, number = jobs[place]
        rows = maker.chunk(number)
        for register in list(rows):
            made = rows.pop(register)
            tables[register].files.append(write_part(folder, register, orders[register][place], made.table))
            tables[register].parts[place] = made.count, made.digest

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running: set[Future[None]] = set()
        done = 0
        for place in range(len(jobs)):
            running.add(pool.submit(one, place))
            while len(running) >= _AT_ONCE or (place == len(jobs) - 1 and running):
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                done += len(finished)
                if progress is not None:
                    progress(total * done // len(jobs), total)
    for table in tables.values():
        table.files.sort()


def _summary(
    rules: Rules,
    makers: list[Maker],
    folder: Path,
    when: FinancialYear,
    seed: int,
    tables: dict[str, SampleTable],
    options: Mapping[str, Any],
) -> Summary:
    from importlib.metadata import version

    shape = makers[0].plan.shape.type.members  # type: ignore[union-attr]
    members = {maker.council: dict(zip(shape, maker.sizes.by_member, strict=True)) for maker in makers}
    situations = {
        maker.council: {name: (sum(row), maker.sizes.origin[name]) for name, row in maker.sizes.cells.items()} for maker in makers
    }
    wrong = tuple(f"{maker.council}: {line}" for maker in makers for line in maker.wrong)
    notes = tuple(f"{maker.council}: {line}" for maker in makers for line in maker.sizes.notes)
    manifest = {
        "year": str(when),
        "seed": seed,
        **options,
        "note": "made, not real: see the counts and where each came from",
        "rules": {maker.council: maker.plan.program.digest for maker in makers},
        "sample_file": {file: hashlib.sha256(text.encode()).hexdigest() for file, text in makers[0].plan.texts.items()},
        "rbcalc": version("rbcalc"),
        "tables": {name: {"rows": table.rows, "files": table.files, "digest": table.digest} for name, table in tables.items()},
        "councils": {
            maker.council: {
                "dwellings": maker.sizes.total,
                "dwellings_by_member": members[maker.council],
                "groups": {name: {"dwellings": count, "from": origin} for name, (count, origin) in maker.sizes.groups.items()},
                "situations": {name: {"dwellings": count, "from": origin} for name, (count, origin) in situations[maker.council].items()},
            }
            for maker in makers
        },
        "notes": list(notes),
        "wrong_on_purpose": list(wrong),
    }
    write_manifest(folder, manifest)
    return Summary(
        folder,
        str(when),
        seed,
        {maker.council: maker.sizes.total for maker in makers},
        members,
        situations,
        tables,
        wrong,
        notes,
        manifest,
    )
