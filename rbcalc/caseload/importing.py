"""Import a caseload: open its tables, encode every row or say why not, join what belongs together.

`import_caseload` holds the whole caseload; `stream` gives it in shards of bounded size, for caseloads that memory does
not hold.  Both read through the same scan and the same assembly, so that both say the same.
"""

# Every name and text in the queries goes through `quote` or `literal`; they are built from rules and headers.
# ruff: noqa: S608

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
import numpy.ma  # pyarrow would import it when first needed, perhaps on several threads at once
import numpy.typing as npt
import pyarrow as pa

from rbcalc.caseload.assemble import Assembler, Part
from rbcalc.caseload.column_map import ColumnMap
from rbcalc.caseload.files import Source, connect, open_tables, quote
from rbcalc.caseload.model import REJECTS, Assumption, Caseload, Content, Counts
from rbcalc.caseload.packing import Codes, pack, shard_of, unpack
from rbcalc.caseload.pseudonyms import Pseudonyms
from rbcalc.caseload.purge import working_folder
from rbcalc.caseload.routes import Routes, carries, leading, stages
from rbcalc.caseload.scan import BATCH, Plan, Planner, batches
from rbcalc.caseload.shards import Divided, shard_query, sharding
from rbcalc.caseload.sharing import check_shared, of_others, others
from rbcalc.errors import UsageError
from rbcalc_kernels.exact.layout import Layout, layout_of
from rbcalc_kernels.program.graph import Program
from rbcalc_kernels.source import suggest

SHARD_ROOTS = 500_000
T = TypeVar("T")


class Unpackable(Exception):
    """A reference has no number."""


@dataclass(slots=True)
class _Session:
    """Everything that one import works with."""

    layout: Layout
    plans: dict[str, Plan]
    connection: duckdb.DuckDBPyConnection
    assembler: Assembler
    work: Path
    pseudonyms: Pseudonyms | None
    unpackable: bool = False
    copied: bool = False
    packed: tuple[str, int] | None = None  # keys become numbers: the key that divides rows into how many shards
    hashes: dict[str, list[npt.NDArray[Any]]] = field(default_factory=dict)
    bad: dict[str, list[npt.NDArray[np.int32]]] = field(default_factory=dict)
    routes: dict[tuple[str, str], Routes] = field(default_factory=dict)  # by a register and a reference of its rows
    coming: dict[tuple[str, str], Routes] = field(default_factory=dict)  # the same, still being noted

    def batches(self, name: str, extra: str = "") -> Iterator[Any]:
        """The encoded rows of a register, noting on the way what is bad and which keys there are."""
        plan = self.plans[name]
        unique = _unique_key(self.layout, plan)
        if plan.packed:
            yield from self._packed(plan, unique)
            return
        for batch in self.query(plan, extra):
            bad = batch.column("bad").to_numpy(zero_copy_only=False)
            if bad.any():
                self.bad.setdefault(name, []).append(batch.column("row").to_numpy()[bad])
            if unique:
                column = batch.column(f"key {unique}")
                found = batch.column(f"unique {unique}").to_numpy()
                if column.null_count:
                    found = found[column.is_valid().to_numpy(zero_copy_only=False)]
                self.hashes.setdefault(name, []).append(np.array(found))
            yield batch.drop_columns([f"unique {unique}"]) if unique else batch

    def _packed(self, plan: Plan, unique: str) -> Iterator[Any]:
        """The same with numbers for keys, and the shard of each row; what belongs to several shards, once for each."""
        assert self.packed is not None
        key, count = self.packed
        name = plan.register.name
        anchor = self.layout.anchors.get(name)
        own = carries(self.layout, name, key)
        above = self.routes.get((anchor.name, plan.register.by)) if anchor is not None and not own else None
        for batch in batches(plan, self.reader(plan), "", self.pseudonyms):
            rows = batch
            if self.unpackable:
                raise Unpackable
            shard = np.zeros(rows.num_rows, np.uint8)
            bad = rows.column("bad").to_numpy(zero_copy_only=False)
            numbers: dict[str, Codes] = {}
            for label, (_, _, required) in plan.keys.items():
                place = rows.schema.get_field_index(f"key {label}")
                codes = pack(rows.column(place))
                if codes is None:
                    self.unpackable = True
                    raise Unpackable
                numbers[label] = codes
                rows = rows.set_column(place, f"key {label}", pa.array(codes))
                if required:
                    bad = bad | (codes == 0)
                if label == unique:
                    self.hashes.setdefault(name, []).append(codes if codes.all() else codes[codes != 0])
                if label == key and own and count > 1:
                    shard = shard_of(codes, count)
            if bad.any():
                self.bad.setdefault(name, []).append(rows.column("row").to_numpy()[bad])
            rows = rows.set_column(rows.schema.get_field_index("bad"), "bad", pa.array(bad))
            more = np.empty(0, np.int64)
            if above is not None:
                shard, more, shards = above.find(numbers[plan.register.by])
                copy = np.zeros(rows.num_rows + more.size, np.bool_)
                copy[rows.num_rows :] = True
                if more.size:
                    self.copied = True
                    rows = pa.concat_batches([rows, rows.take(pa.array(more))])
                    shard = np.concatenate((shard, shards))
                rows = rows.append_column("copy", pa.array(copy))
            for (whose, by), routes in self.coming.items():
                if whose == name:
                    codes = numbers[by]
                    routes.enter(np.concatenate((codes, codes[more])) if more.size else codes, shard)
            yield rows.append_column("shard", pa.array(shard))

    def route(self, follow: Sequence[str]) -> None:
        """From here on where rows lead was noted before, and is noted for the registers that follow next."""
        for routes in self.coming.values():
            routes.close()
        self.routes, self.coming = self.coming, {}
        for (above, by), names in leading(self.layout, follow).items():
            rows = self.plans[above].opened.rows
            few = 2 * sum(self.plans[name].opened.rows for name in names) < rows
            wanted = [codes for name in names for codes in self._wanted(name, by)] if few else None
            self.coming[above, by] = Routes(rows, wanted)

    def _wanted(self, name: str, by: str) -> Iterator[Codes]:
        """The references that the rows of a register carry."""
        plan = self.plans[name]
        text = plan.plain.get(by, plan.keys[by][0])
        for batch in self.connection.sql(f"SELECT {text} AS k FROM {quote(plan.opened.view)}").to_arrow_reader(BATCH):
            codes = pack(batch.column(0))
            if codes is None:
                self.unpackable = True
                raise Unpackable
            yield codes

    def pack(self, to: tuple[str, int] | None) -> None:
        """Begin anew with numbers for keys, or without."""
        self.packed = to
        for plan in self.plans.values():
            plan.packed = to is not None
        self.hashes.clear()
        self.bad.clear()
        self.routes, self.coming, self.copied = {}, {}, False

    def query(self, plan: Plan, extra: str) -> Iterator[Any]:
        """The batches of a plan, with the hash of a key that no two rows may share."""
        connection = self.connection if extra else self.reader(plan)  # what is added may read tables of the first connection
        unique = _unique_key(self.layout, plan)
        if unique:
            extra += f", hash({quote(f'key {unique}')}) AS {quote(f'unique {unique}')}"
        return batches(plan, connection, extra, self.pseudonyms)

    def reader(self, plan: Plan) -> duckdb.DuckDBPyConnection:
        """Where a table is read: several files at the same time; what another program holds is known to the first connection only."""
        return self.connection.cursor() if plan.opened.files else self.connection

    def read(self, threads: int) -> dict[str, Any]:
        """The encoded rows of every register; several tables at the same time where all are files."""
        names = sorted(self.plans, key=lambda name: -self.plans[name].opened.rows)
        together = threads if all(plan.opened.files for plan in self.plans.values()) else 1
        if together > 1:  # each reader works on its own thread
            self.connection.execute("SET threads = 1")
        with ThreadPoolExecutor(together) as pool:
            coming = {name: pool.submit(lambda name: list(self.batches(name)), name) for name in names}
            found = {name: coming[name].result() for name in self.plans}
        if together > 1:
            self.connection.execute(f"SET threads = {threads}")
        return {name: pa.Table.from_batches(rows, None if rows else _schema(self, name)) for name, rows in found.items()}

    def reasons(self) -> dict[str, Any]:
        """What is wrong with the rows that are bad in themselves."""
        return {name: self.plans[name].reasons(self.connection, pa.array(np.concatenate(found))) for name, found in self.bad.items()}

    def duplicates(self) -> dict[str, npt.NDArray[np.int32]]:
        """The numbers of rows whose key stands in several rows, told by hash and settled by text."""
        found: dict[str, npt.NDArray[np.int32]] = {}
        for name, parts in self.hashes.items():
            hashes: npt.NDArray[Any] = np.concatenate(parts) if parts else np.empty(0, np.uint64)
            parts.clear()
            hashes.sort()
            twice = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
            if not twice.size:
                continue
            plan = replace(self.plans[name], packed=False)
            told, by = (pa.array(twice), "hash(k)") if self.packed is None else (unpack(twice), "k")
            key = quote(f"key {_unique_key(self.layout, plan)}")
            within = ", council" if plan.council and name != self.layout.root_register.name else ""
            self.connection.register("hashed twice", pa.table({"h": told}))
            rows = self.connection.sql(
                f"WITH k AS MATERIALIZED (SELECT * FROM (SELECT row, {key} AS k{within} FROM ({plan.select()})) "
                f'WHERE {by} IN (SELECT h FROM "hashed twice")) '
                f"SELECT row FROM k WHERE (k{within}) IN (SELECT (k{within}) FROM k GROUP BY k{within} HAVING count(*) > 1)"
            ).to_arrow_table()
            self.connection.unregister("hashed twice")
            found[name] = rows["row"].to_numpy()
        return found


def import_caseload(
    source: Source,
    programs: Program | Mapping[str, Program],
    *,
    column_map: ColumnMap | Path | str | None = None,
    council: str = "",
    memory_limit: str = "2GB",
    threads: int = 2,
    pseudonyms: Pseudonyms | None = None,
    keep_private: bool = False,
    work_folder: Path | None = None,
) -> Caseload:
    """The caseload of a folder, or of tables that another program holds.

    `programs` are the rules by council (one program alone serves `council`); a table that does not say whose its rows are
    is taken to be `council`'s.  With `council`, rows of other councils are counted and left out.  Private columns become
    pseudonyms unless `keep_private`; `pseudonyms` brings a key of one's own.  DuckDB takes `memory_limit` at most and
    spills into a private folder under `work_folder`, or under the cache.
    """
    with _session(source, programs, column_map, council, memory_limit, threads, pseudonyms, keep_private, work_folder) as session:
        return session.assembler.assemble(Part(session.read(threads), session.reasons(), session.duplicates()))


@dataclass(slots=True)
class Stream:
    """A caseload in shards: iterate over it once; each shard holds whole accounts with all that belongs to them.

    `counts`, `rejects` and `content` grow as shards are taken and are whole at the end.  Where rows belong to several
    shards (`copied`) each of them holds a copy. The first of them is counted, whatever becomes of the others, so that rows are
    still those used and rejected; `content` is then not that of the whole, because the sum of a row rests on the row above it.
    """

    councils: tuple[str, ...]
    shards: int
    assumptions: tuple[Assumption, ...]
    notes: tuple[str, ...]
    _part: Callable[[int], Caseload]
    files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    rows: int = 0
    counts: dict[str, Counts] = field(default_factory=dict)
    content: Content = field(default_factory=Content)
    hashed: bool = False
    copied: bool = False
    _rejects: list[Any] = field(default_factory=list)

    def __iter__(self) -> Iterator[Caseload]:
        """The shards, each prepared while the one before is in use."""
        return self.through(lambda shard: shard)

    def through(self, work: Callable[[Caseload], T], workers: int = 1) -> Iterator[T]:
        """What `work` makes of each shard, in their order; several threads each take a whole shard at a time."""

        def one(number: int) -> tuple[dict[str, Counts], Any, Content | None, T]:
            shard = self._part(number)
            return shard.counts, shard.rejects, shard.content if self.hashed else None, work(shard)

        with ThreadPoolExecutor(workers) as pool:
            coming = deque(pool.submit(one, number) for number in range(min(workers, self.shards)))
            following = len(coming)
            try:
                while coming:
                    counts, rejects, content, made = coming.popleft().result()
                    if following < self.shards:
                        coming.append(pool.submit(one, following))
                        following += 1
                    for name, count in counts.items():
                        self.counts[name] = self.counts.get(name, Counts()) + count
                    if rejects.num_rows:
                        self._rejects.append(rejects)
                    if content is not None:
                        self.content += content
                    yield made
            finally:
                for future in coming:
                    future.cancel()

    @property
    def rejects(self) -> Any:
        """The rejects of the shards taken so far."""
        return pa.concat_tables(self._rejects) if self._rejects else REJECTS.empty_table()

    @property
    def complete(self) -> bool:
        """Whether no row was rejected so far."""
        return not any(count.rejected for count in self.counts.values())


@contextmanager
def stream(
    source: Source,
    programs: Program | Mapping[str, Program],
    *,
    column_map: ColumnMap | Path | str | None = None,
    council: str = "",
    memory_limit: str = "700MB",
    threads: int = 2,
    pseudonyms: Pseudonyms | None = None,
    keep_private: bool = False,
    work_folder: Path | None = None,
    shard_roots: int = SHARD_ROOTS,
    hashed: bool = False,
) -> Iterator[Stream]:
    """A caseload in shards of about `shard_roots` root rows, to be iterated over inside a `with` block.

    The tables are divided once, by the hash of the reference that most rows carry, into private files that are removed
    shard by shard.  With `hashed` the digest of the whole content is worked out on the way.
    """
    with _session(source, programs, column_map, council, memory_limit, threads, pseudonyms, keep_private, work_folder) as session:
        roots = session.plans[session.layout.root_register.name].opened.rows
        # An even number, so that two threads end together.
        count = 1 if roots <= shard_roots else min(256, 2 * -(-roots // (2 * shard_roots)))
        key = sharding(session.layout, session.plans)
        folder = session.work / "shards"
        session.pack((key, count))
        try:
            divided = _divide(session, folder, key, count, threads)
        except Unpackable:
            shutil.rmtree(folder)
            session.pack(None)
            divided = _divide(session, folder, key, count, threads)
        reasons, duplicates = session.reasons(), session.duplicates()
        empty = {name: _schema(session, name).empty_table() for name, files in divided.items() if files.lacking()}

        def part(number: int) -> Caseload:
            tables: dict[str, Any] = {}
            apart: dict[str, tuple[tuple[str, ...], Any]] = {}
            for name, files in divided.items():
                found = files.read(number)
                if found is None:
                    tables[name] = empty[name]
                else:
                    tables[name], apart[name] = found[0], (files.rare, found[1])
            return session.assembler.assemble(Part(tables, reasons, duplicates, apart))

        plans = session.plans.values()
        yield Stream(
            session.assembler.councils,
            count,
            tuple(item for plan in plans for item in plan.assumptions),
            tuple(note for plan in plans for note in (*plan.opened.notes, *plan.notes)),
            part,
            {plan.register.name: plan.opened.files for plan in plans if plan.opened.files},
            sum(plan.opened.rows for plan in plans),
            hashed=hashed,
            copied=session.copied,
        )


def _divide(session: _Session, folder: Path, key: str, count: int, threads: int) -> dict[str, Divided]:
    """Read every table and divide its rows into shards, all files at the same time."""
    folder.mkdir(mode=0o700)
    made: dict[str, Divided] = {}
    for name, plan in session.plans.items():
        optional = [item.name for item in plan.fields if not item.required and item.name not in plan.unions]
        made[name] = Divided(folder, name, count, optional)

    def divide(name: str) -> None:
        extra, copies = "", ""
        if session.packed is None:
            extra, copies = shard_query(session.layout, session.plans, session.connection, name, key, count)
        made[name].write(session.batches(name, extra) if not copies else _copied(session, name, copies))

    alone = session.packed is None or not all(plan.opened.files for plan in session.plans.values())
    packed = session.packed is not None and count > 1
    order = stages(session.layout, session.plans, key) if packed else [list(made)]
    try:
        for stage, following in zip_longest(order, order[1:], fillvalue=()):
            if packed:
                session.route(following)
            names = sorted(stage, key=lambda name: -session.plans[name].opened.rows)
            together = 1 if alone or threads < 2 else len(names)
            # Each reader works on its own thread; more of the database's own only stand in one another's way.
            session.connection.execute(f"SET threads = {threads if together == 1 else 1}")
            with ThreadPoolExecutor(together) as pool:
                for done in [pool.submit(divide, name) for name in names]:
                    done.result()
    finally:
        session.connection.execute(f"SET threads = {threads}")
        session.routes, session.coming = {}, {}
    return made


def _copied(session: _Session, name: str, copies: str) -> Iterator[Any]:
    """The rows of a register that may belong to several shards: one copy for each, the first of them marked."""
    session.copied = True
    plan = session.plans[name]
    by = quote(f"key {plan.register.by}")
    extra = ", coalesce(m.shard, 0)::UTINYINT AS shard, coalesce(m.copy, false) AS copy"
    query = f"SELECT e.*{extra} FROM ({plan.select()}) e LEFT JOIN {copies} m ON e.{by} = m.k"
    unique = _unique_key(session.layout, plan)
    if unique:
        query = f"SELECT *, hash({quote(f'key {unique}')}) AS {quote(f'unique {unique}')} FROM ({query})"
    for batch in batches(plan, session.connection, "", session.pseudonyms, query):
        first = batch.filter(pa.compute.invert(batch.column("copy")))
        bad = first.column("bad").to_numpy(zero_copy_only=False)
        if bad.any():
            session.bad.setdefault(name, []).append(first.column("row").to_numpy()[bad])
        if unique:
            valid = first.column(f"key {unique}").is_valid().to_numpy(zero_copy_only=False)
            session.hashes.setdefault(name, []).append(first.column(f"unique {unique}").to_numpy()[valid])
        yield batch.drop_columns([f"unique {unique}"]) if unique else batch
    session.connection.execute(f"DROP TABLE {copies}")


@contextmanager
def _session(
    source: Source,
    programs: Program | Mapping[str, Program],
    column_map: ColumnMap | Path | str | None,
    council: str,
    memory_limit: str,
    threads: int,
    pseudonyms: Pseudonyms | None,
    keep_private: bool,
    work_folder: Path | None,
) -> Iterator[_Session]:
    by_council = {council or programs.name: programs} if isinstance(programs, Program) else dict(programs)
    if not by_council:
        raise UsageError("RC012", "no council was asked for")
    if council and council not in by_council:
        raise UsageError("RC012", f"there are no rules for the council '{council}'{suggest(council, by_council)}")
    if council:
        by_council = {council: by_council[council]}
    layout = layout_of(next(iter(by_council.values())))
    check_shared(by_council)
    if not isinstance(column_map, ColumnMap):
        column_map = ColumnMap() if column_map is None else ColumnMap.read(column_map)
    planner = Planner(layout, by_council, column_map, council, strict=not council)
    column_map.without(set(others(layout))).check(planner.known())
    with ExitStack() as stack:
        work = stack.enter_context(working_folder(work_folder))
        connection = stack.enter_context(connect(work, memory_limit, threads))
        optional = {name: register.optional for name, register in layout.program.registers.items()}
        own = source if isinstance(source, str | Path) else {name: held for name, held in source.items() if name not in others(layout)}
        opened = open_tables(own, optional, column_map, connection, work)
        plans = {name: planner.plan(opened[name]) for name in layout.program.registers if name in opened}
        for name, table in of_others(source, layout, column_map, opened, connection, work).items():
            plans[name].elsewhere = table
        gathered = layout.program.gathered_by
        for plan in plans.values():
            plan.hashed = tuple(
                sorted({
                    register.by
                    for register in layout.program.registers.values()
                    if (anchor := layout.anchors.get(register.name)) is not None and anchor.name == plan.register.name
                } | ({gathered} if gathered and plan.register is layout.root_register else set()))
            )  # fmt: skip
        if not any(table.is_csv for table in opened.values()):
            # Rows carry their numbers; only those of CSV files are counted as they are read.
            connection.execute("SET preserve_insertion_order = false")
        if keep_private:
            pseudonyms = None
        elif pseudonyms is None and any(plan.private for plan in plans.values()):
            pseudonyms = Pseudonyms.from_file()
        assembler = Assembler(layout, by_council, plans, connection)
        yield _Session(layout, plans, connection, assembler, work, pseudonyms)


def _unique_key(layout: Layout, plan: Plan) -> str:
    """The key that no two rows of a register may share; rows that are dated may, but for the root's."""
    register = plan.register
    if register.name == layout.root_register.name:
        return register.key
    return "" if register.dated else register.key


def _schema(session: _Session, name: str) -> Any:
    """The columns of a register's encoded rows, for a table without any."""
    query = f"SELECT * FROM ({session.plans[name].select()}) LIMIT 0"
    schema = session.connection.sql(query).to_arrow_reader(1).schema
    for label in session.plans[name].keys if session.packed else ():
        place = schema.get_field_index(f"key {label}")
        schema = schema.set(place, pa.field(f"key {label}", pa.int64()))
    for header in session.plans[name].private:
        place = schema.get_field_index(f"private {header}")
        schema = schema.set(place, pa.field(f"private {header}", pa.string()))
    return schema
