"""Expressions: from text to a small syntax tree with positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark

LONGEST_EXPRESSION = 4_000
DEEPEST_EXPRESSION = 60


@dataclass(frozen=True, slots=True)
class Syntax:
    """One construct of an expression: its kind, its parts, its word, and where it stands in the text."""

    kind: str
    parts: tuple[Syntax, ...]
    word: str
    start: int
    end: int


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


@lru_cache(maxsize=20_000)
def parse(text: str) -> Syntax:
    """The syntax tree of an expression.

    Raises ExpressionError with the offset of the first thing that does not fit.
    """
    from lark import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

    if len(text) > LONGEST_EXPRESSION:
        raise ExpressionError("RB031", f"expression of {len(text)} characters", 0, 1, "name its parts as rules of their own")
    _check_depth(text)
    try:
        tree = _lark().parse(text)
    except UnexpectedEOF as error:
        raise ExpressionError("RB030", "the expression ends too early", len(text) - 1, len(text), "") from error
    except UnexpectedToken as error:
        start = error.pos_in_stream if error.pos_in_stream is not None else len(text)
        word = str(error.token)
        if error.token.type == "$END":
            raise ExpressionError("RB030", "the expression ends too early", max(0, len(text) - 1), len(text)) from error
        raise ExpressionError("RB030", f"'{word}' was not expected here", start, start + len(word), _hint(word)) from error
    except UnexpectedCharacters as error:
        start = error.pos_in_stream
        raise ExpressionError(
            "RB030", f"'{text[start]}' was not expected here", start, start + 1, _hint(text[start : start + 2])
        ) from error
    return _convert(tree.children[0])


def _check_depth(text: str) -> None:
    depth = 0
    for offset, letter in enumerate(text):
        if letter in "([":
            depth += 1
            if depth > DEEPEST_EXPRESSION:
                raise ExpressionError("RB031", "brackets nested too deeply", offset, offset + 1, "name the inner parts as rules")
        elif letter in ")]":
            depth -= 1
    words = text.count("if ") + text.count("not ") + text.count("- ") + text.count("--")
    if words > 300:
        raise ExpressionError("RB031", "too many nested choices", 0, 1, "use a rule with `first:`")


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
        raise ExpressionError("RB032", f"a number with a comma: {word}", start, end, f"write {plain}")
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
