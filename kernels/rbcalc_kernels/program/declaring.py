"""Names and shapes: lists, entities, registers, inputs, parameters and tables, as declared."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from math import prod
from typing import Final

from rbcalc_kernels.language.documents import Text
from rbcalc_kernels.language.types import DATE, DAYS, UNITS, Choice, Number
from rbcalc_kernels.program.graph import MOST_ROWS, Bands, Entity, Input, Ref, Register, Timeline, root_of
from rbcalc_kernels.program.names import BUILT_IN, YEAR_PARAMETERS, Names, Signature, TableShape
from rbcalc_kernels.program.overlays import Declarations, Declared
from rbcalc_kernels.program.tables import axes_of
from rbcalc_kernels.program.values import range_of, step_of, unit_of
from rbcalc_kernels.source import Findings, Span, suggest

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,79}")
_MEMBER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_RESERVED: Final = frozenset(
    (
        "if",
        "then",
        "else",
        "and",
        "or",
        "not",
        "in",
        "as",
        "at",
        "yes",
        "no",
        "where",
        "first",
        "none",
        "above",
        "from",
        "to",
        "up_to",
        "otherwise",
        "is",
        "half",
        "up",
        "down",
    )
)
LONGEST_LIST: Final = 2_000
LARGEST_TABLE: Final = 50_000
MOST_REPORTED: Final = 50


def declared_names(
    found: Declarations, first_day: int, last_day: int, findings: Findings, *, complete: bool
) -> tuple[Names, dict[str, Register]]:
    """Everything that expressions can name.  `complete` asks that each council's own lists have members."""
    names = Names()
    _check_words(found, findings)
    _lists(found, names, first_day, last_day, findings, complete)
    _entities(found, names, findings)
    registers = _registers(found, names, findings)
    if not findings:
        _check_places(found, names, registers, findings)
    if not findings:
        _beside(found, names, registers, findings)
    _inputs(found, names, registers, findings)
    names.parameters.update({name: (type_, None) for name, type_ in YEAR_PARAMETERS.items()})
    for name, declared in found.parameters.items():
        type_ = unit_of(declared.doc.unit, names, findings)
        if type_ is not None:
            names.parameters[name] = (type_, declared.span)
        else:
            names.broken.add(name)
    for name, declared in found.tables.items():
        shape = _shape(name, declared, names, findings)
        if shape is not None:
            names.tables[name] = shape
        else:
            names.broken.add(name)
    for (entity, name), declared in found.rules.items():
        if entity not in names.entities:
            names.broken.add(name)
            findings.error("RB086", f"no such entity: {entity}", declared.doc.of.span, help=suggest(entity, names.entities).strip(" ()"))
            continue
        type_ = unit_of(declared.doc.unit, names, findings)
        if type_ is not None:
            names.rules[Ref(entity, name)] = Signature(Ref(entity, name), type_, declared.span)
        else:
            names.broken.add(name)
    _check_clashes(found, names, findings)
    return names, registers


def _check_words(found: Declarations, findings: Findings) -> None:
    groups = (found.lists, found.entities, found.registers, found.inputs, found.parameters, found.tables, found.rules)
    for group in groups:
        for declared in group.values():
            word = str(declared.name)
            if not _NAME.fullmatch(word) or word in _RESERVED or "__" in word:
                help_ = "lower_case letters, digits and single _, at most 80, and not a word of the language"
                findings.error("RB079", f"'{_cut(word)}' cannot be a name", declared.span, help=help_)
    for declared in found.lists.values():
        if str(declared.name) in ("date", *UNITS):
            findings.error("RB078", f"'{declared.name}' is a unit", declared.span, help="give the list another name")
    for declared in (*found.parameters.values(), *found.tables.values()):
        if str(declared.name) in (*YEAR_PARAMETERS, *BUILT_IN):
            message = f"'{declared.name}' is a name of the language"
            findings.error(
                "RB078", message, declared.span, help="give it another name; year_start, year_end, days_in_year and days are always there"
            )


def _lists(found: Declarations, names: Names, first_day: int, last_day: int, findings: Findings, complete: bool) -> None:
    for name, declared in found.lists.items():
        members: list[str] = []
        texts = list(declared.doc.members or [])
        if declared.doc.local:
            for entry in declared.entries:
                texts += [text for text in entry.rows or {} if text not in members and text not in texts]
        if len(texts) > LONGEST_LIST:
            findings.error("RB079", f"a list of {len(texts)} members", declared.span, help=f"{LONGEST_LIST} at the most")
            texts = texts[:MOST_REPORTED]
        for text in texts:
            if not _MEMBER.fullmatch(str(text)) or str(text) in _RESERVED:
                findings.error(
                    "RB079", f"'{text}' cannot be a member of a list", text.span, help="letters, digits and _, beginning with a letter"
                )
            elif str(text) in members:
                findings.error("RB069", f"'{text}' stands twice in the list", text.span, help="take one of the two away")
            else:
                members.append(str(text))
        if not members and not texts and (complete or not declared.doc.local):
            help_ = (
                f"a council's file for the year gives them: lists: {{{name}: {{members: [...]}}}}"
                if declared.doc.local
                else "add members: [...]"
            )
            findings.error("RB077", f"nobody gives the members of {name} for these days", declared.span, help=help_)
        names.lists[name] = Choice(name, tuple(members))


def _entities(found: Declarations, names: Names, findings: Findings) -> None:
    for name, declared in found.entities.items():
        doc = declared.doc
        parent = str(doc.parent) if doc.parent is not None else None
        for text in [doc.parent, *(t.of for t in doc.timelines or [])]:
            if text is not None and str(text) not in found.entities:
                findings.error("RB086", f"no such entity: {text}", text.span, help=suggest(str(text), found.entities).strip(" ()"))
                parent = None
        if doc.timelines is not None and parent is None or doc.spell and parent is None:
            findings.error("RB086", f"{name} needs a parent", declared.span, help="rows in time belong to something: parent: ...")
            continue
        timelines = tuple(Timeline(str(t.of), str(t.effective) if t.effective is not None else None, t.needed) for t in doc.timelines or [])
        names.entities[name] = Entity(
            name,
            parent,
            bool(doc.ordered or doc.spell or timelines),
            bool(doc.spell or timelines),
            timelines,
            str(doc.title or name),
            str(doc.members or ""),
            bool(doc.gaps),
            _most(doc.most, findings),
            str(doc.by or ""),
        )
        if names.entities[name].spell:
            for built_in in BUILT_IN:
                low, high = (Fraction(1), Fraction(366)) if built_in == "days" else (Fraction(0), Fraction(150_000))
                unit = DAYS if built_in == "days" else DATE
                names.inputs[Ref(name, built_in)] = Input(built_in, name, unit, low, high, Fraction(1), False, True, span=declared.span)
    for name in list(names.entities):
        seen, current = {name}, names.entities[name].parent
        while current is not None and current in names.entities:
            if current in seen:
                help_ = "one entity has no parent; each of the others belongs to it, directly or through others"
                findings.error("RB086", f"{name} belongs to itself in the end", found.entities[name].span, help=help_)
                names.entities[name] = Entity(name, None)
                break
            seen.add(current)
            current = names.entities[current].parent


def _beside(found: Declarations, names: Names, registers: dict[str, Register], findings: Findings) -> None:
    """Mark the entities whose rows stand beside each other below this program's root, and the derived ones that follow them."""
    if not any(declared.doc.beside for declared in found.entities.values()):
        return
    root = root_of(names.entities)
    tables = {register.name for register in registers.values() if register.entity == root}
    origins: dict[str, str] = {}
    for name, declared in found.entities.items():
        entity, doc = names.entities[name], declared.doc
        if not doc.beside:
            continue
        leading = next((register for register in registers.values() if register.entity == name), None)
        if not entity.gaps or not entity.spell or entity.derived:
            help_ = "beside: stands with spell: yes and gaps: yes"
            findings.error("RB086", f"rows of {name} cannot stand beside each other", doc.beside[0].span, help=help_)
        elif leading is None or not leading.key:
            help_ = "the first register of the entity tells strands apart by its key: add key:"
            findings.error("RB087", f"by what are rows of {name} that stand beside each other told apart?", doc.beside[0].span, help=help_)
        elif tables & set(map(str, doc.beside)):
            origins[name] = name
    more = bool(origins)
    while more:
        more = False
        for name, entity in names.entities.items():
            followed = {origins[timeline.entity]: timeline.entity for timeline in entity.derived if timeline.entity in origins}
            if not followed or name in origins:
                continue
            more = True
            origins[name] = next(iter(followed))
            if len(followed) > 1 or any(names.entities[each].parent != entity.parent for each in followed.values()):
                what = f"rows of {name} would follow strands of {' and '.join(followed.values())}"
                help_ = "timelines that stand beside each other are of one kind, with the parent of the entity that is made of them"
                findings.error("RB086", what, found.entities[name].span, help=help_)
    for name in origins:
        names.entities[name] = replace(names.entities[name], beside=True)


def _most(text: Text | None, findings: Findings) -> int:
    """How many rows an entity may have under one; 0 where nothing is said."""
    if text is None:
        return 0
    if not str(text).isdecimal() or not 0 < int(text) <= MOST_ROWS:
        findings.error("RB086", f"'{text}' is not a number of rows", text.span, help=f"most: a whole number from 1 to {MOST_ROWS}")
        return 0
    return int(text)


def _registers(found: Declarations, names: Names, findings: Findings) -> dict[str, Register]:
    registers = {}
    for name, declared in found.registers.items():
        doc = declared.doc
        if str(doc.of) not in names.entities:
            findings.error("RB086", f"no such entity: {doc.of}", doc.of.span, help=suggest(str(doc.of), names.entities).strip(" ()"))
            continue
        entity = names.entities[str(doc.of)]
        above = names.entities.get(entity.parent) if entity.parent is not None else None
        top = above is None or bool(above.by)
        if top and doc.key is None:
            findings.error(
                "RB087", f"the register of {entity.name} needs a key", declared.span, help="key: the column that tells its rows apart"
            )
        if not top and doc.by is None:
            findings.error("RB087", f"by which column do rows of {name} belong to {entity.parent}?", declared.span, help="add by:")
        registers[name] = Register(
            name,
            entity.name,
            str(doc.by or ""),
            str(doc.key or ""),
            tuple(str(r) for r in doc.references),
            bool(doc.dated),
            str(doc.order_by or ""),
            bool(doc.optional),
            tuple(str(other) for other in doc.instead if str(other) not in found.registers),
            str(doc.title or name),
            declared.span,
        )
    return registers


def _check_places(found: Declarations, names: Names, registers: dict[str, Register], findings: Findings) -> None:
    """One root with one register, spells right below it, and a reference from the rows of every register to those above."""
    roots = [entity.name for entity in names.entities.values() if entity.parent is None]
    for name in roots[1:]:
        help_ = f"give one of them a parent: rows of every entity belong to those of one, here {roots[0]}"
        findings.error("RB086", f"neither {roots[0]} nor {name} has a parent", found.entities[name].span, help=help_)
    if not roots or len(roots) > 1:
        return
    if names.entities[roots[0]].by and not _check_gathering(found, names, registers, roots[0], findings):
        return
    root = root_of(names.entities)
    for entity in names.entities.values():
        if entity.by and entity.parent is not None:
            help_ = "by: stands with the entity that has no parent, which gathers the rows of the one below"
            message = f"{entity.name} gathers rows, but belongs to {entity.parent}"
            findings.error("RB086", message, found.entities[entity.name].span, help=help_)
        if entity.spell and entity.parent != root:
            message = f"{entity.name} is cut in time, but does not belong to {root}"
            findings.error("RB086", message, found.entities[entity.name].span, help=f"write parent: {root}")
    held = {name: [register for register in registers.values() if register.entity == name] for name in names.entities}
    if not held[root]:
        findings.error("RB087", f"{root} has no register", found.entities[root].span, help=f"add a register with of: {root} and a key")
        return
    for entity in names.entities.values():
        own = held[entity.name]
        if own and entity.derived:
            findings.error(
                "RB087",
                f"rows of {entity.name} are worked out, not recorded",
                found.registers[own[0].name].span,
                help="take the register away",
            )
        if len(own) > 1 and not entity.spell:
            help_ = "only a spell may have more than one; put the columns into one register"
            findings.error("RB087", f"{entity.name} has {len(own)} registers", found.registers[own[1].name].span, help=help_)
    for register in registers.values():
        parent = names.entities[register.entity].parent
        if parent is None or not register.by or names.entities[parent].by:
            continue
        above = [*held[parent], *(held[root][:1] if names.entities[parent].spell else [])]
        references = [word for other in above for word in (other.key, *other.references) if word]
        if register.by not in references:
            help_ = f"by: names the key or a reference of {parent}{suggest(register.by, references)}"
            findings.error(
                "RB087", f"no register above has the column {register.by}", found.registers[register.name].doc.by.span, help=help_
            )


def _check_gathering(found: Declarations, names: Names, registers: dict[str, Register], top: str, findings: Findings) -> bool:
    """An entity that gathers the rows of one other by a reference that they carry, and has no rows of its own in a table."""
    span = found.entities[top].span
    below = [entity for entity in names.entities.values() if entity.parent == top]
    if len(below) != 1 or below[0].spell:
        help_ = f"one entity that is not cut in time has parent: {top}, and its register is that of the accounts"
        findings.error("RB086", f"{top} gathers the rows of one entity, not of {len(below)}", span, help=help_)
        return False
    own = next((register for register in registers.values() if register.entity == top), None)
    if own is not None:
        help_ = f"take the register or by: away; facts of {top} are worked out from its {below[0].members or below[0].name}"
        findings.error("RB087", f"{top} gathers rows and has no table of its own", found.registers[own.name].span, help=help_)
        return False
    carrying = next((register for register in registers.values() if register.entity == below[0].name), None)
    by = names.entities[top].by
    if carrying is not None and by not in carrying.references:
        help_ = f"add it to references: of {carrying.name}{suggest(by, carrying.references)}"
        findings.error("RB087", f"{carrying.name} does not carry the reference {by}", span, help=help_)
        return False
    return True


def _inputs(found: Declarations, names: Names, registers: dict[str, Register], findings: Findings) -> None:
    for (entity, name), declared in found.inputs.items():
        doc = declared.doc
        if entity not in names.entities:
            names.broken.add(name)
            findings.error("RB086", f"no such entity: {entity}", doc.of.span, help=suggest(entity, names.entities).strip(" ()"))
            continue
        type_ = unit_of(doc.unit, names, findings)
        if type_ is None:
            names.broken.add(name)
            continue
        register = registers.get(str(doc.register_))
        if register is None:
            names.broken.add(name)
            findings.error(
                "RB087", f"no such register: {doc.register_}", doc.register_.span, help=suggest(str(doc.register_), registers).strip(" ()")
            )
            continue
        if register.entity != entity:
            names.broken.add(name)
            findings.error(
                "RB087",
                f"{register.name} holds the facts of {register.entity}, not of {entity}",
                doc.register_.span,
                help=f"write of: {register.entity}",
            )
            continue
        low, high = Fraction(0), Fraction(0)
        if isinstance(type_, Number) or type_ == DATE:
            if doc.range is None:
                findings.error("RB058", f"'{name}' needs a range", declared.span, help="range: lowest to highest, as £0 to £1000000")
            else:
                ends = range_of(doc.range, type_, names, findings)
                low, high = ends or (low, high)
        elif doc.range is not None:
            findings.error("RB058", f"a {type_} has no range", doc.range.span, help="take range: away")
        step = step_of(doc.step, type_, names, findings) or Fraction(1)
        names.inputs[Ref(entity, name)] = Input(
            name,
            entity,
            type_,
            low,
            high,
            step,
            bool(doc.optional),
            False,
            str(doc.title or name),
            register.name,
            str(doc.column or name),
            declared.span,
        )


def _shape(name: str, declared: Declared, names: Names, findings: Findings) -> TableShape | None:
    doc = declared.doc
    type_ = unit_of(doc.unit, names, findings)
    axes = axes_of(doc.over, names, findings)
    if type_ is None or axes is None:
        return None
    bands = None
    if axes[2] is not None:
        band_type = unit_of(axes[2][1], names, findings)
        if band_type is None:
            return None
        if not isinstance(band_type, Number) and band_type != DATE:
            findings.error(
                "RB076", f"{band_type} cannot be banded", axes[2][1].span, help="a banded axis is an amount, a count, days or a date"
            )
            return None
        bands = Bands(band_type, axes[2][0] == "up_to")
    if doc.is_ is not None and (bands is not None or doc.rows is not None or doc.values is not None):
        findings.error("RB076", f"'{name}' is worked out: it has list keys only, and no rows of its own", declared.span)
        return None
    cells = prod(len(axis.members) for axis in axes[0])
    if cells > LARGEST_TABLE:
        findings.error(
            "RB076", f"'{name}' has {cells} combinations; {LARGEST_TABLE} are allowed", declared.span, help="make two tables of it"
        )
        return None
    return TableShape(name, type_, axes[0], axes[1], bands, bool(doc.sparse) or doc.is_ is not None, declared.span, doc.is_ is not None)


def _check_clashes(found: Declarations, names: Names, findings: Findings) -> None:
    everything = [*names.inputs, *names.rules]
    place: dict[str, list[Ref]] = {}
    for ref in everything:
        place.setdefault(ref.name, []).append(ref)
    for refs in place.values():
        for one in refs:
            for other in refs:
                if one != other and other.entity in names.chain(one.entity)[1:] and one.name not in BUILT_IN:
                    _clash(one, names.place_of(one), names.place_of(other), f"{one.entity} and {other.entity}", findings)
    for ref in everything:
        if ref in names.rules and ref in names.inputs:
            _clash(ref, names.rules[ref].span, names.inputs[ref].span, "a rule and an input", findings)
        if ref.name in names.parameters:
            _clash(ref, names.place_of(ref), names.parameters[ref.name][1], "a value and a parameter", findings)
    for name in set(names.parameters) & set(names.tables):
        _clash(Ref("", name), names.parameters[name][1], names.tables[name].span, "a parameter and a table", findings)


def _cut(word: str) -> str:
    return word if len(word) <= 80 else f"{word[:80]}..."


def _clash(ref: Ref, one: Span | None, other: Span | None, what: str, findings: Findings) -> None:
    if one is not None:
        related = ((other, "the other one"),) if other is not None else ()
        findings.error("RB078", f"'{ref.name}' means two things: {what}", one, related=related, help="give one of them another name")
