"""Expressions: from text to a small syntax tree with positions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lark import Lark

LONGEST_EXPRESSION = 4_000
DEEPEST_BRACKETS = 60
DEEPEST_EXPRESSION = 100
MOST_KNOWN = 20_000


@dataclass(frozen=True, slots=True)
class Syntax:
    """One construct of an expression: its kind, its parts, its word, and where it stands in the text."""

    kind: str
    parts: tuple[Syntax, ...]
    word: str
    start: int
    end: int

    def __reduce__(self) -> tuple[object, ...]:
        """How it is copied, many times as fast as dataclasses do it by themselves."""
        return Syntax, (self.kind, self.parts, self.word, self.start, self.end)


# What a changed figure mostly is; reading it needs no grammar, which takes longer to make ready than most commands run.
_PLAIN: Final = re.compile(
    r"(?P<percent>[0-9]{1,20}(?:\.[0-9]{1,20})?%)|(?P<money>£[0-9]{1,20}(?:\.[0-9]{1,20})?)"
    r"|(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})|(?P<number>[0-9]{1,20}(?:\.[0-9]{1,20})?)"
)

KNOWN: Final[dict[str, Syntax]] = {}
"""Expressions that were parsed before, perhaps by another process, up to `MOST_KNOWN`."""


class ExpressionError(Exception):
    """An expression that cannot be read: what is wrong, where in the text, and what to do."""

    def __init__(self, code: str, message: str, start: int, end: int, help_: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.start, self.end, self.help = code, message, start, end, help_


@lru_cache(maxsize=1)
def _lark() -> Lark:
    from lark import Lark

    grammar = files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def parse(text: str) -> Syntax:
    """The syntax tree of an expression.

    Raises ExpressionError with the offset of the first thing that does not fit.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is not None and plain.lastgroup is not None:
        return Syntax(plain.lastgroup, (), text, 0, len(text))
    found = KNOWN.get(text)
    if found is None:
        found = _by_grammar(text)
        if len(KNOWN) >= MOST_KNOWN:
            KNOWN.clear()
        KNOWN[text] = found
    return found


def _by_grammar(text: str) -> Syntax:
    from lark import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

    if len(text) > LONGEST_EXPRESSION:
        message = f"an expression of {len(text)} characters; {LONGEST_EXPRESSION} are allowed"
        raise ExpressionError("RB031", message, 0, 1, "name its parts as rules of their own")
    _check_brackets(text)
    try:
        tree = _lark().parse(text)
    except UnexpectedEOF as error:
        raise _ends_early(text) from error
    except UnexpectedToken as error:
        start = error.pos_in_stream or 0
        word = str(error.token)
        if error.token.type == "$END":
            raise _ends_early(text) from error
        raise ExpressionError("RB030", f"'{word}' was not expected here", start, start + len(word), _hint(word)) from error
    except UnexpectedCharacters as error:
        start = error.pos_in_stream or 0
        raise ExpressionError(
            "RB030", f"'{text[start]}' was not expected here", start, start + 1, _hint(text[start : start + 2])
        ) from error
    _check_depth(tree.children[0])
    return _convert(tree.children[0])


def _ends_early(text: str) -> ExpressionError:
    help_ = "a value is missing at its end" if text.strip() else "write an expression"
    end = max(len(text.rstrip()), 1)
    return ExpressionError("RB030", "the expression ends too early", end - 1, end, help_)


def _check_depth(item: Any) -> None:
    """Refuse what would take too many steps one inside the other; a sum or a chain of `and` counts one for each of its terms."""
    pending = [(item, 0)]
    while pending:
        current, depth = pending.pop()
        inner = getattr(current, "children", ())
        chained = inner and current.data in {"sum", "product", "disjunction", "conjunction"}
        depth += len(inner) if chained else 1
        if depth > DEEPEST_EXPRESSION:
            start, end = current.meta.start_pos, current.meta.end_pos
            message = f"more than {DEEPEST_EXPRESSION} steps one inside the other"
            raise ExpressionError("RB031", message, start, min(end, start + 40), "name its parts as rules of their own, or use first:")
        pending += [(child, depth) for child in inner if hasattr(child, "children")]


def _check_brackets(text: str) -> None:
    depth = 0
    for offset, letter in enumerate(text):
        if letter in "([":
            depth += 1
            if depth > DEEPEST_BRACKETS:
                message = f"more than {DEEPEST_BRACKETS} brackets one inside the other"
                raise ExpressionError("RB031", message, offset, offset + 1, "take needless brackets away, or name the inner parts as rules")
        elif letter in ")]":
            depth -= 1


def _hint(word: str) -> str:
    return {
        "==": "write =",
        "=": "write =",
        "<>": "write !=",
        "&&": "write and",
        "||": "write or",
        "!": "write not",
        "**": "write a * a",
        "$": "amounts are in £",
        "*": "write one * between two values",
        "'": "names of list members stand without quotes",
        '"': "names of list members stand without quotes",
    }.get(word.strip(), "")


def _convert(item: Any) -> Syntax:
    from lark import Token

    if isinstance(item, Token):
        start = item.start_pos or 0
        return Syntax("token", (), str(item), start, start + len(item))
    parts = tuple(_convert(child) for child in item.children)
    start, end = item.meta.start_pos, item.meta.end_pos
    if item.data in {"sum", "product"}:
        return _left_to_right(parts)
    if item.data in {"disjunction", "conjunction"}:
        joined = parts[0]
        for part in parts[1:]:
            joined = Syntax("or" if item.data == "disjunction" else "and", (joined, part), "", joined.start, part.end)
        return joined
    word = parts[0].word if parts and parts[0].kind == "token" else ""
    if item.data in {"name", "money", "pence", "percent", "mixed_percent", "fraction_percent", "duration", "date", "number"}:
        return Syntax(str(item.data), (), word, start, end)
    if item.data == "grouped_number":
        plain = word.replace(",", "")
        raise ExpressionError(
            "RB032", f"a number with a comma: {word}", start, end, f"write {plain}; between two values put a space after the comma"
        )
    if item.data == "compare":
        return Syntax("compare", (parts[0], parts[2]), parts[1].word, start, end)
    if item.data == "as_at":
        return Syntax("as_at", parts[2:], word, start, end)
    if item.data in {"call", "lookup", "path", "named"}:
        return Syntax(str(item.data), parts[1:], word, start, end)
    if item.data == "relabel":
        return Syntax("relabel", parts[:1], parts[1].word, start, end)
    return Syntax(str(item.data), parts, word, start, end)


def _left_to_right(parts: tuple[Syntax, ...]) -> Syntax:
    joined = parts[0]
    for sign, part in zip(parts[1::2], parts[2::2], strict=True):
        joined = Syntax("binary", (joined, part), sign.word, joined.start, part.end)
    return joined
