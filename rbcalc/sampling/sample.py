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

from rbcalc._years import FinancialYear
from rbcalc.errors import UsageError
from rbcalc.rulebook.rules import Council, Rules
from rbcalc.sampling.counts import published_total, sizes
from rbcalc.sampling.files import TableWriter, check_folder, check_format, prepare, write_manifest, write_part
from rbcalc.sampling.plan import Plan, has_plan, read_plan
from rbcalc.sampling.rows import Maker, Rows
from rbcalc.sampling.values import Stream, largest_remainder
from rbcalc_kernels.program.graph import Program

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
class Made:
    """What was made of one subject: how many things by council, by council and size, in which situations, in which tables.

    `beside` are tables of other subjects that were made with them, and whose they are.
    """

    subject: str
    title: str
    things: str
    counts: Mapping[str, int]
    members: Mapping[str, Mapping[str, int]]
    situations: Mapping[str, Mapping[str, tuple[int, str]]]
    tables: tuple[str, ...]
    beside: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Summary:
    """What was made.  `dwellings`, `members` and `situations` are those of the first of the subjects that were made."""

    folder: Path
    year: str
    seed: int
    parts: tuple[Made, ...]
    tables: Mapping[str, SampleTable]
    wrong: tuple[str, ...]
    notes: tuple[str, ...]
    manifest: Mapping[str, Any]

    @property
    def dwellings(self) -> Mapping[str, int]:
        """How many there are by council."""
        return self.parts[0].counts

    @property
    def members(self) -> Mapping[str, Mapping[str, int]]:
        """How many there are by council and member of the published list."""
        return self.parts[0].members

    @property
    def situations(self) -> Mapping[str, Mapping[str, tuple[int, str]]]:
        """How many there are by council and situation, and where each count came from."""
        return self.parts[0].situations

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.dwellings.values())

    def of(self, subject: str) -> Made:
        """What was made of a subject.  Raises KeyError when nothing was."""
        found = next((part for part in self.parts if part.subject == subject), None)
        if found is None:
            raise KeyError(subject)
        return found


def sample(
    rules: Rules,
    *,
    council: str = "",
    partnership: str = "",
    year: str | FinancialYear = "",
    seed: int = 1,
    dwellings: int | None = None,
    hereditaments: int | None = None,
    subjects: Sequence[str] = (),
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

    It has the tables of every subject that the councils have rules of in the year, or of those of `subjects`; of the one
    subject that the rules were loaded for, if they were.
    `dwellings` and `hereditaments` replace published numbers (of the whole partnership, divided in proportion); where only the
    first is given the others follow it in proportion.  `changing` is the share of them in which something changes within the
    year, or `busy` for as many changes of claims as a busy year has.  A council's rows are the same alone and in a partnership,
    and those of a subject the same alone and beside others.
    `with_names` adds invented private columns, `with_errors` a few rows that are wrong on purpose.  `charges` are council
    files of one's own, `force` replaces an earlier sample.
    """
    check_format(format)
    folder = Path(out)
    check_folder(folder, force)
    subjects = subjects or ([rules.subject] if rules.subject else [])
    when, councils = _who(rules, council, partnership, year, charges, subjects)
    busy = isinstance(changing, str) and changing.strip() == BUSY
    share = None if busy else _share(changing)
    asked = {word: number for word, number in (("dwellings", dwellings), ("hereditaments", hereditaments)) if number is not None}
    for word, number in asked.items():
        if number < 1:
            raise UsageError("RC049", f"{number} {word} cannot be made", hint="give a whole number from 1")
    groups, notes = _covered(rules, councils, when, charges, subjects)
    plans = {
        subject: {
            found.name: read_plan(
                rules, found.program(when, own=charges), when, subject, _beside(found, when, charges), found.profile, subjects or None
            )
            for found in held
        }
        for subject, held in groups.items()
    }
    wanted = _wanted(groups, plans, asked)
    made: dict[str, list[Maker]] = {}
    for subject, held in groups.items():
        made[subject] = []
        for found in held:
            plan = plans[subject][found.name]
            counted = sizes(plan, found.profile, found.name, seed, wanted[subject].get(found.name), share, busy)
            made[subject].append(Maker(plan, counted, found.name, _block(found, plan), seed, with_names, with_errors))
        _check_blocks(made[subject])
    prepare(folder, force)
    tables = _written(made, folder, format, progress)
    for table in tables.values():
        told = hashlib.blake2b(digest_size=32)
        for number in sorted(table.parts):
            told.update(table.parts[number][1])
        table.rows = sum(rows for rows, _ in table.parts.values())
        table.digest = told.hexdigest()
    options = {"with_names": with_names, "changing": BUSY if busy else str(share) if share is not None else "", "format": format}
    return _summary(rules, made, folder, when, seed, tables, notes, options)


def _covered(
    rules: Rules, councils: Sequence[Council], when: FinancialYear, charges: Sequence[Path], wanted: Sequence[str]
) -> tuple[dict[str, list[Council]], list[str]]:
    """The councils of each subject that have rules of it in a year, and what is to be said of those that have none.

    What was asked for by name must be there; so must the first subject where there is no other.
    """
    first = rules.subjects.named("").name
    names = [rules.subjects.named(name).name for name in wanted]
    names = [name if has_plan(rules, name) else first for name in names]  # whose tables are made with those of the first
    names = names or [subject.name for subject in rules.subjects.all]
    found: dict[str, list[Council]] = {}
    notes: list[str] = []
    for name in dict.fromkeys(names):
        of = {council.name: council.of(name) for council in councils}
        own = rules.subjects.files(charges, name)
        held = [council for council in of.values() if own or when in council.years()]
        if held and name == first:
            held = list(of.values())  # the first subject is for all of them: the rules say what is missing
        if not held or not (wanted or name == first or has_plan(rules, name)):
            if wanted:
                next(iter(of.values())).program(when, own=charges)  # says what is missing
            continue
        found[name] = held
        lacking = [council for council in of if council not in {each.name for each in held}]
        title = rules.subjects.named(name).title
        notes += [f"{council}: no {title.lower()}, because the rules have none of it for {when}" for council in lacking]
    if not found:
        councils[0].program(when, own=charges)
        return {first: list(councils)}, []
    return found, notes


def _beside(council: Council, when: FinancialYear, charges: Sequence[Path]) -> dict[str, Program]:
    """The programs of subjects whose claims are those of this one, and whose tables are therefore made with its rows."""
    subjects = council.rules.subjects
    about = subjects.named(council.subject)
    mine = council.program(when, own=charges)
    shared = {name for register in mine.registers.values() for name in register.instead}
    others = [subject for subject in subjects.all if subject is not about and subject.accounts in shared]
    held = [council.of(subject.name) for subject in others if not has_plan(council.rules, subject.name)]
    return {other.subject: other.program(when, own=subjects.files(charges, other.subject)) for other in held if when in other.years()}


def _wanted(
    groups: Mapping[str, Sequence[Council]], plans: Mapping[str, Mapping[str, Plan]], asked: Mapping[str, int]
) -> dict[str, dict[str, int]]:
    """How many things to make by subject and council; none for those of which all that are published are made."""
    things = {subject: next(iter(held.values())).things for subject, held in plans.items()}
    for word in asked:
        if word not in things.values():
            raise UsageError("RC049", f"no {word} are made", hint=f"what is made: {', '.join(things.values())}")
    published = {
        subject: tuple(published_total(plans[subject][found.name], found.profile) for found in held) for subject, held in groups.items()
    }
    first = next(iter(groups))
    whole = sum(published[first])
    ratio = Fraction(asked[things[first]], whole) if things[first] in asked and whole else None
    wanted: dict[str, dict[str, int]] = {}
    for subject, held in groups.items():
        number = asked.get(things[subject])
        if number is None and ratio is not None:
            number = max(1, int(sum(published[subject]) * ratio + Fraction(1, 2)))
        shared = [] if number is None else largest_remainder(published[subject], number)
        wanted[subject] = dict(zip((found.name for found in held), shared, strict=False))
    return wanted


def _written(made: Mapping[str, list[Maker]], folder: Path, format_: str, progress: Progress | None) -> dict[str, SampleTable]:
    """The tables of all subjects, one subject after the other; nothing is left when one of them fails."""
    totals = {subject: sum(maker.sizes.total for maker in makers) for subject, makers in made.items()}
    whole = sum(totals.values())
    tables: dict[str, SampleTable] = {}
    before = 0

    def told(done: int, _: int) -> None:
        if progress is not None:
            progress(before + done, whole)

    try:
        for subject, makers in made.items():
            own = {register: SampleTable() for register in makers[0].plan.columns}
            tables.update(own)
            if format_ == "parquet" and totals[subject] > LARGE:
                _many_files(makers, folder, own, totals[subject], told)
            else:
                _one_file_each(makers, folder, format_, own, totals[subject], told)
            before += totals[subject]
    except BaseException:
        for table in tables.values():
            for file in table.files:
                (folder / file).unlink(missing_ok=True)
        raise
    return tables


def _who(
    rules: Rules, council: str, partnership: str, year: str | FinancialYear, charges: Sequence[Path], subjects: Sequence[str]
) -> tuple[FinancialYear, list[Council]]:
    if bool(council) == bool(partnership):
        raise UsageError("RC041", "whose caseload is wanted?", hint="give a council or a partnership, one of the two")
    if partnership:
        group = rules.partnership(partnership)
        when = FinancialYear.of(year) if year else group.default_year
        return when, group.councils(when)
    found = rules.council(council)
    years = (found.of(subjects[0]) if subjects else found).years()
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
    made: Mapping[str, list[Maker]],
    folder: Path,
    when: FinancialYear,
    seed: int,
    tables: dict[str, SampleTable],
    notes: Sequence[str],
    options: Mapping[str, Any],
) -> Summary:
    from importlib.metadata import version

    parts = tuple(_part(rules, subject, makers) for subject, makers in made.items())
    everyone = [maker for makers in made.values() for maker in makers]
    wrong = tuple(f"{maker.council}: {line}" for maker in everyone for line in maker.wrong)
    told = (*notes, *(f"{maker.council}: {line}" for maker in everyone for line in maker.sizes.notes))
    manifest = {
        "year": str(when),
        "seed": seed,
        **options,
        "note": "made, not real: see the counts and where each came from",
        "rbcalc": version("rbcalc"),
        "tables": {name: {"rows": table.rows, "files": table.files, "digest": table.digest} for name, table in tables.items()},
        "subjects": {part.subject or part.things: _told(part, made[part.subject]) for part in parts},
        "notes": list(told),
        "wrong_on_purpose": list(wrong),
    }
    write_manifest(folder, manifest)
    return Summary(folder, str(when), seed, parts, tables, wrong, told, manifest)


def _part(rules: Rules, subject: str, makers: Sequence[Maker]) -> Made:
    shape = makers[0].plan.members
    return Made(
        subject,
        rules.subjects.named(subject).title,
        makers[0].plan.things,
        {maker.council: maker.sizes.total for maker in makers},
        {maker.council: dict(zip(shape, maker.sizes.by_member, strict=True)) for maker in makers},
        {maker.council: {name: (sum(row), maker.sizes.origin[name]) for name, row in maker.sizes.cells.items()} for maker in makers},
        tuple(name for name in makers[0].plan.columns if name not in makers[0].plan.beside),
        makers[0].plan.beside,
    )


def _told(part: Made, makers: Sequence[Maker]) -> dict[str, Any]:
    """What the manifest says of one subject."""
    things = part.things
    return {
        "rules": {maker.council: maker.plan.program.digest for maker in makers},
        "sample_file": {file: hashlib.sha256(text.encode()).hexdigest() for file, text in makers[0].plan.texts.items()},
        "tables": list(part.tables),
        "tables_beside": dict(part.beside),
        "councils": {
            maker.council: {
                things: maker.sizes.total,
                "from": maker.sizes.of_all,
                f"{things}_by_member": part.members[maker.council],
                "groups": {name: {things: count, "from": origin} for name, (count, origin) in maker.sizes.groups.items()},
                "situations": {name: {things: count, "from": origin} for name, (count, origin) in part.situations[maker.council].items()},
            }
            for maker in makers
        },
    }
