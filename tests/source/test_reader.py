"""Reading strict YAML: what is kept as text, what is refused and under which code, and where everything stands."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rbcalc_kernels.source import CODES, Mapping_, Node, RulesError, Scalar, Sequence_, Span, events, read

HOSTILE = sorted((Path(__file__).parent / "hostile").glob("*.yaml"))
MIB = 1024 * 1024


def root_mapping(text: str | bytes) -> Mapping_:
    node = read(text, "f.yaml")
    assert isinstance(node, Mapping_)
    return node


def scalar(mapping: Mapping_, key: str) -> Scalar:
    node = mapping.get(key)
    assert isinstance(node, Scalar)
    return node


def refused(data: str | bytes) -> RulesError:
    """The refusal, which must be quick, point to a place and use a registered code."""
    started = time.process_time()
    with pytest.raises(RulesError) as caught:
        read(data, "f.yaml")
    report = str(caught.value)
    assert time.process_time() - started < 1
    assert len(report) < 200_000
    for found in caught.value.diagnostics:
        assert found.code in CODES
        assert found.span.file == "f.yaml"
        assert found.span.line >= 1
        assert found.span.column >= 1
        assert (found.span.line, found.span.column) <= (found.span.end_line, found.span.end_column)
    return caught.value


def codes(data: str | bytes) -> set[str]:
    return {found.code for found in refused(data).diagnostics}


def places(data: str | bytes) -> list[tuple[str, int, int]]:
    return [(found.code, found.span.line, found.span.column) for found in refused(data).diagnostics]


def plain(node: Node) -> object:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence_):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries}


def scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    children = node.items if isinstance(node, Sequence_) else [part for entry in node.entries for part in entry]
    return [found for child in children for found in scalars(child)]


def check_positions(text: str, node: Node) -> None:
    """Every character of every scalar must be found in the file where the scalar says it is."""
    lines = text.removeprefix("\ufeff").split("\n")
    for found in scalars(node):
        span = found.span
        end = (span.end_line, span.end_column)
        for offset, char in enumerate(found.text):
            line, column = found.position(offset)
            # Trailing blank lines belong to the text of a block scalar, but not to its span.
            assert (span.line, span.column) <= (line, column)
            if char.strip():
                assert (line, column) < end
            written = (lines[line - 1] + "\n")[column - 1]
            if written == char or (found.style == '"' and written == "\\"):
                continue
            assert char in " \n", (found, offset)
            assert written in "\r\n", (found, offset)
        assert found.position(len(found.text)) >= (span.line, span.column)


# What stays text


STAYS_TEXT = (
    "no yes on off y n true null ~ NaN .nan .inf -.inf 010 0o17 0x1F 1e3 1_000 1,000 £10,000 0.2 .5 5. 190:20:30 "
    "2026-04-01 12:30:45 = 1.0 +1 -0 £5 20% 007 1E400 ٣ １２"  # noqa: RUF001
)


@pytest.mark.parametrize("written", STAYS_TEXT.split())
def test_a_plain_scalar_stays_the_text_that_was_written(written: str) -> None:
    found = scalar(root_mapping(f"value: {written}\n"), "value")
    assert (found.text, found.quoted, found.style) == (written, False, "")
    assert found.span == Span("f.yaml", 1, 8, 1, 8 + len(written))


def test_keys_stay_text_too() -> None:
    assert root_mapping("no: 1\n010: 2\n1e3: 3\nnull: 4\n").keys() == ("no", "010", "1e3", "null")


def test_a_comma_inside_a_flow_sequence_separates_but_the_whole_scalar_keeps_it() -> None:
    assert plain(read("{a: [1,000], b: 1}", "f")) == {"a": ["1", "000"], "b": "1"}
    assert plain(read("a: 1,000", "f")) == {"a": "1,000"}


def test_eighteen_digits_are_allowed_and_quoted_digits_are_only_text() -> None:
    root = root_mapping(f"a: {'9' * 18}\nb: '{'9' * 30}'\nc: x{'9' * 30}\nd: {'9' * 18}.{'9' * 18}\ne: {'ab' * 20}")
    assert scalar(root, "b").quoted
    assert len(root.keys()) == 5


def test_a_mapping_gives_values_and_the_places_of_keys() -> None:
    root = root_mapping("£: 1\nb:\n  - x\n  - {y: z}\n")
    assert root.keys() == ("£", "b")
    assert root.get("c") is None
    assert "b" in root
    assert root.key_span("b") == Span("f.yaml", 2, 1, 2, 2)
    assert root.span == Span("f.yaml", 1, 1, 4, 11)
    with pytest.raises(KeyError):
        root.key_span("c")


def test_an_empty_value_is_empty_text_next_to_its_key() -> None:
    found = scalar(root_mapping("a:\n\n# note\nb: 1"), "a")
    assert (found.text, found.quoted, found.span) == ("", False, Span("f.yaml", 1, 3, 1, 3))


def test_an_empty_mapping_is_still_a_node_that_is_true() -> None:
    assert root_mapping("a: {}").get("a")


def test_a_byte_order_mark_is_dropped_and_does_not_shift_columns() -> None:
    for data in ("\ufeffa: b\n", "\ufeffa: b\n".encode()):
        assert scalar(root_mapping(data), "a").span == Span("f.yaml", 1, 4, 1, 5)


def test_windows_line_ends_are_one_line_break() -> None:
    text = "a: b\r\nc: |\r\n  £ one\r\n  two\r\nd: 'x\r\n  y'\r\n"
    root = root_mapping(text)
    assert scalar(root, "c").text == "£ one\ntwo\n"
    assert scalar(root, "c").position(6) == (4, 3)
    assert scalar(root, "d").text == "x y"
    check_positions(text, root)


def test_columns_count_characters_and_not_bytes() -> None:
    root = root_mapping("é£😀: {£: '££', x: \"£\", y: z}\n")
    inner = root.get("é£😀")
    assert isinstance(inner, Mapping_)
    assert scalar(inner, "y").span == Span("f.yaml", 1, 27, 1, 28)


# Positions inside scalars

STYLES = """\
plain: £one + two
folded_plain: one
   + £two

   - three
single: 'it''s £ + x'
double: "£ + x"
escaped: "a\\tb \\u00a3 c\\
   d + e"
two_lines: 'one
   + two'
literal: |
  £a +
    b

  - c
strip: >-

  £a
  + b

  - c
    more
  d
keep: |+

  x

indented: |2
   £x
  y
header: > # a note
  z
"""


def test_every_style_maps_offsets_back_to_the_file() -> None:
    for text in (STYLES, STYLES.replace("\n", "\r\n"), "\ufeff" + STYLES):
        root = root_mapping(text)
        assert plain(root) == yaml.load(text, yaml.BaseLoader)
        check_positions(text, root)
        for key in ("literal", "strip", "indented", "folded_plain", "two_lines", "escaped"):
            found = scalar(root, key)
            # The fallback for a disagreement with the YAML library must never be what makes this pass.
            assert found.position(1) != found.position(0), key


def test_the_operator_in_a_block_scalar_is_found() -> None:
    found = scalar(root_mapping("is: >\n    £income\n    + tax\n"), "is")
    assert found.text == "£income + tax\n"
    assert found.position(found.text.index("+")) == (3, 5)
    assert found.part(8, 13) == Span("f.yaml", 3, 5, 3, 10)
    assert found.part(0, 9) == Span("f.yaml", 2, 5, 3, 6)
    assert found.part(3, 3) == Span("f.yaml", 2, 8, 2, 8)


def test_a_position_outside_the_text_is_the_nearest_end() -> None:
    root = root_mapping("a: 'bc'\nd: ef\n")
    assert [scalar(root, "a").position(offset) for offset in (-1, 0, 2, 9)] == [(1, 5), (1, 5), (1, 7), (1, 7)]
    assert [scalar(root, "d").position(offset) for offset in (-1, 2, 9)] == [(2, 4), (2, 6), (2, 6)]


# What is refused


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path.stem)
def test_a_hostile_document_is_refused_under_its_codes(path: Path) -> None:
    # The file name starts with the codes expected: RB003+RB004_name.yaml.
    assert codes(path.read_bytes()) == set(path.name.partition("_")[0].split("+"))


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path.stem)
def test_the_pure_loader_refuses_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOADER", yaml.SafeLoader)
    # Half a surrogate pair by an escape is bad syntax to one loader and a bad character to the other.
    expected = {"RB016"} if path.stem == "RB015_surrogate_escape" else set(path.name.partition("_")[0].split("+"))
    assert codes(path.read_bytes()) == expected


def test_the_hostile_documents_are_many_and_different() -> None:
    assert len({path.read_bytes() for path in HOSTILE}) == len(HOSTILE) >= 80
    assert sum(path.name.startswith("RB003") for path in HOSTILE) >= 20


LIMITS: dict[str, tuple[str, str | bytes]] = {
    "too large": ("RB008", "a" * (MIB + 1)),
    "too large in bytes only": ("RB008", "£" * (MIB // 2 + 1)),
    "far too large": ("RB008", b"\xff" * (8 * MIB)),
    "deep flow lists": ("RB009", "[" * MIB),
    "deep closed flow lists": ("RB009", "[" * 33 + "]" * 33),
    "deep block mappings": ("RB009", "\n".join(" " * depth + "a:" for depth in range(1400))),
    "deep block lists": ("RB009", "- " * (MIB // 2)),
    "deep mixed": ("RB009", "[{b: " * 10_000),
    "too many values": ("RB010", "[" + "a," * 200_001 + "]"),
    "too many empty lists": ("RB010", "[" + "[]," * 200_001 + "]"),
    "long number": ("RB011", "9" * MIB),
    "long key": ("RB020", "? " + "k" * (MIB - 8)),
    "many tags": ("RB003", "[" + "!," * (MIB // 2 - 2) + "]"),
    "many anchors": ("RB004", "".join(f"- &a{number} x\n" for number in range(70_000))),
    "many aliases": ("RB005", "- *a\n" * 200_000),
    "many duplicate keys": ("RB006", "a: 1\n" * 200_000),
    "many documents": ("RB013", "a\n" + "---\n" * (MIB // 4 - 2)),
    "many blank lines": ("RB014", "\n" * MIB),
    "many comments": ("RB014", "# x\n" * (MIB // 4)),
    "long open quote": ("RB015", '"' + "a\n\n" * (MIB // 3 - 1)),
    "many control characters": ("RB016", "\x00" * MIB),
    "many bidi characters": ("RB017", "\u202e" * (MIB // 3)),
    "many directives": ("RB019", "%TAG !a! tag:\n" * 70_000),
    "many tabs": ("RB002", "\t\n" * (MIB // 2)),
    "long anchor": ("RB004", "- &" + "a" * (MIB - 8) + " x"),
    "long tag": ("RB003", "- !" + "a" * (MIB - 8) + " x"),
    "lone surrogate": ("RB001", "a: \ud800"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_kept_quickly(name: str) -> None:
    code, data = LIMITS[name]
    assert code in codes(data)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_refusals_stay_under_a_hundred_megabytes() -> None:
    # In a process of its own, because the peak of this one says nothing about the reader.
    script = """
import re
from pathlib import Path
from rbcalc_kernels.source import RulesError, read
hostile = ("[" * 2**20, "[" + "a," * 500000, "\\n" * 2**20, "a: 1\\n" * 200000, "\\t\\n" * 2**19, "- &a x\\n" * 99999)
for data in hostile:
    try:
        read(data, "f")
    except RulesError as error:
        str(error)
    else:
        raise SystemExit("not refused")
print(re.search("VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert int(done.stdout) < 100 * 1024


def test_thirty_two_levels_are_allowed() -> None:
    read("[" * 32 + "]" * 32, "f")


def test_everything_that_can_be_found_is_found_in_one_run() -> None:
    text = "a: !t 1\nb: &x 2\nc: *x\na: 3\n? [k]\n: 1\n<<: {z: 1, 'z': 2}\n'b': 9\n"
    assert places(text) == [
        ("RB003", 1, 4),
        ("RB004", 2, 4),
        ("RB005", 3, 4),
        ("RB006", 4, 1),
        ("RB012", 5, 3),
        ("RB007", 7, 1),
        ("RB006", 7, 12),
        ("RB006", 8, 1),
    ]


def test_every_bad_character_tab_and_directive_is_found_in_one_run() -> None:
    assert places("%YAML 1.2\n£ \x01: \u2066\n  \tb: 1\n\tc\ufeff") == [
        ("RB019", 1, 1),
        ("RB016", 2, 3),
        ("RB017", 2, 6),
        ("RB002", 3, 3),
        ("RB002", 4, 1),
        ("RB018", 4, 3),
    ]


def test_a_duplicate_key_points_to_the_first_one() -> None:
    (found,) = refused("x:\n  £a: 1\n  '£a': 2\n").diagnostics
    assert found.span == Span("f.yaml", 3, 3, 3, 7)
    assert found.related == ((Span("f.yaml", 2, 3, 2, 5), "it is first written here"),)


def test_the_same_key_in_different_mappings_is_no_duplicate() -> None:
    read("a: {x: 1}\nb: {x: 1}\nc: [{x: 1}, {x: 1}]\n", "f")


def test_a_tag_and_an_anchor_are_each_underlined_themselves() -> None:
    assert places("£: &x !t 1\n") == [("RB004", 1, 4), ("RB003", 1, 7)]


def test_bad_utf_8_is_placed_in_characters() -> None:
    assert places("a: ££\nb: £".encode() + b"\xff\n") == [("RB001", 2, 5)]
    assert places(b"\xef\xbb\xbfa\xff") == [("RB001", 1, 2)]
    assert places("a: £\ud800") == [("RB001", 1, 5)]


def test_the_report_can_always_be_written_out() -> None:
    for path in HOSTILE:
        str(refused(path.read_bytes())).encode("utf-8")


# Any text at all

# Pieces stand between the bars, so that blanks and line breaks can be seen.
MARKUP = "a|£|😀|1| |  |\n|\n  |\n |\r\n|: |:|- |,|[|]|{|}|'|''|\"|\\|>|>-|>2|#| #|&a|*a|!|!!str|<<|?|? |%|---|\n---\n"
ODDITIES = "\n...\n|\t|@|=|~|\ufeff|\\x41|\\\n|\x00|\u202e|\u2028|\ud800|1234567890123456789"
MILD = "a|b|£|c d|\n|\n  |\n    |\n\n  |: |\n- |- |, |'|\"|''|\\\n  |\\x41| + |  |\nk: |\nm: |\r\n  |k: '|k: \"| # "
BLOCKS = " >\n| >\n  | >-\n  | >+\n  | >2\n  "
YAML_PIECES = st.sampled_from([*MARKUP.split("|"), *ODDITIES.split("|"), "|", "|-", "|+"])
SAFE_PIECES = st.sampled_from([*MILD.split("|"), *BLOCKS.split("|"), *BLOCKS.replace("|", "\0").replace(">", "|").split("\0")])


def as_bytes(pieces: list[str]) -> bytes:
    return "".join(pieces).encode("utf-8", "surrogatepass")


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(YAML_PIECES, max_size=25).map("".join),
        st.lists(SAFE_PIECES, max_size=25).map("".join),
    )
)
@example("a: |\n\n    \n  x\n")
@example("a: >\n  x\n \n   y\n\n  z")
@example("k: 'a \n\n  '")
@example("a: >2\n   x\n  y\n z")
def test_any_text_either_reads_with_right_positions_or_is_refused(text: str) -> None:
    try:
        node = read(text, "f.yaml")
    except RulesError as error:
        str(error).encode("utf-8")
        return
    # The pure loader is an opinion of its own, since reading uses the C loader where there is one.
    assert plain(node) == yaml.load(text.removeprefix("\ufeff"), yaml.BaseLoader)
    check_positions(text, node)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.lists(YAML_PIECES, max_size=20).map(as_bytes),
    )
)
def test_any_bytes_either_read_or_are_refused(data: bytes) -> None:
    try:
        read(data, "f.yaml")
    except RulesError as error:
        str(error).encode("utf-8")


WORDS = st.lists(st.text("ab£é😀+*()'\"\\.", min_size=1, max_size=5), min_size=1, max_size=4)
PARAGRAPH = st.lists(WORDS, min_size=1, max_size=4)


def written(style: str, lines: list[list[str]], indent: str, gap: str) -> str:
    """Words written as a YAML scalar of the style, one group of words to a line."""
    text = gap.join(indent + " ".join(words) for words in lines).strip()
    if style == "'":
        return "'" + text.replace("'", "''") + "'"
    if style == '"':
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if style == "plain":
        return "w" + text
    return style + "\n" + indent + text


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["plain", "'", '"', "|", ">", "|-", ">-", "|+", ">+"]), PARAGRAPH),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 4),
    st.sampled_from(["\n", "\n\n", "\n\n\n"]),
    st.booleans(),
    st.booleans(),
)
def test_positions_go_round_in_generated_documents(
    values: list[tuple[str, list[list[str]]]], width: int, gap: str, windows: bool, mark: bool
) -> None:
    indent = " " * width
    text = "".join(f"£{place}: {written(style, lines, indent, gap)}\n" for place, (style, lines) in enumerate(values))
    text = ("\ufeff" if mark else "") + (text.replace("\n", "\r\n") if windows else text)
    root = root_mapping(text)
    assert len(root.keys()) == len(values)
    check_positions(text, root)
    for place, (style, lines) in enumerate(values):
        found = scalar(root, f"£{place}")
        assert found.text.split() == ("w" * (style == "plain") + " ".join(word for line in lines for word in line)).split()
