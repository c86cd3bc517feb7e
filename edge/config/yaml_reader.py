"""YAML text to nodes, safely: nothing is constructed, and size, depth and repetition have bounds.

The parser's events are read one by one, so a file built to exhaust memory is left at the bound and not after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from edge.config.nodes import Mapping, Node, Scalar, Sequence
from edge.config.problems import BadConfigError, Problem, shown_text
from edge.config.yaml_words import explain_error

MAX_BYTES = 1 << 20  # a hundred cameras with zones and rules take about 100 kB
MAX_DEPTH = 24  # the deepest value edge knows stands at 7
MAX_NODES = 50_000  # after aliases are written out: a "billion laughs" file ends here
MAX_ALIASES = 500
_SMALLEST = "the smallest useful file is `cameras: {yard: {source: picamera2:0}}`"
_MERGE = "<<"

# What YAML 1.1 calls printable, and the byte order mark; everything else is damage or an attack.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is about 10 times as fast


def read_yaml(content: bytes, file: str) -> Mapping:
    """The file's one section of keys.

    Raises
    ------
    BadConfigError
        With the line, for anything that is not one plain YAML document with keys at its top.
    """
    text = _decode(content, file)
    try:
        root = _Composer(yaml.parse(text, Loader=_LOADER), file).document()
    except (yaml.YAMLError, ValueError) as error:
        raise BadConfigError(file, [explain_error(error, text)]) from None
    if isinstance(root, Mapping):
        return root
    found = "a list" if isinstance(root, Sequence) else "a single value"
    raise BadConfigError(file, [Problem("", f"expected `key: value` lines, found {found}; {_SMALLEST}", root.line)])


def _decode(content: bytes, file: str) -> str:
    if len(content) > MAX_BYTES:
        message = f"expected at most {MAX_BYTES} bytes, found more; is this the configuration file?"
        raise BadConfigError(file, [Problem("", message)])
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BadConfigError(file, [Problem("", "expected UTF-8, found UTF-16; save the file as UTF-8", 1)])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"expected UTF-8, found the byte 0x{content[error.start]:02x}; save the file as UTF-8"
        raise BadConfigError(file, [Problem("", message, line)]) from None
    strange = _UNPRINTABLE.search(text)
    if strange:
        line = text.count("\n", 0, strange.start()) + 1
        message = f"expected text, found the control character U+{ord(strange[0]):04X}; take it out"
        raise BadConfigError(file, [Problem("", message, line)])
    if not text.strip():
        raise BadConfigError(file, [Problem("", f"the file is empty; {_SMALLEST}")])
    return text


class _Composer:
    """Builds nodes from events. One use: one document."""

    def __init__(self, events: Iterator[Any], file: str) -> None:
        self._events = events
        self._file = file
        self._anchors: dict[str, tuple[Node, int]] = {}  # node, and how many nodes it stands for
        self._nodes = 0
        self._aliases = 0

    def document(self) -> Node:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._wrong(event, "expected one YAML document, found a second one; take the `---` out")
                root = self._node(next(self._events), depth=0)
        if root is None or (isinstance(root, Scalar) and not root.text and not root.quoted):
            raise BadConfigError(self._file, [Problem("", f"the file says nothing; {_SMALLEST}")])
        return root

    def _node(self, event: Any, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._count(event, 1)
        if depth > MAX_DEPTH:
            raise self._wrong(event, f"values are nested more than {MAX_DEPTH} deep; a bracket or an indent is wrong")
        if event.tag is not None:
            raise self._wrong(event, "a YAML tag (a word that begins with !) stands here; edge reads none: take it out")
        before = self._nodes - 1
        node = self._content(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._nodes - before)
        return node

    def _content(self, event: Any, depth: int) -> Node:
        line, column = _place(event)
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(event.value, line, column, quoted=event.style not in (None, ""))
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence(tuple(self._items(depth)), line, column)
        return Mapping(tuple(self._entries(depth)), line, column)

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _entries(self, depth: int) -> list[tuple[Scalar, Node]]:
        own: dict[str, tuple[Scalar, Node]] = {}
        merged: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise self._wrong(event, "expected a word as key, found a list or section; a `{` or `[` too many?")
            value = self._node(next(self._events), depth + 1)
            if key.text == _MERGE and not key.quoted:
                for entry in self._merged(event, value):
                    merged.setdefault(entry[0].text, entry)
                continue
            if key.text in own:
                raise self._repeated(key, own[key.text][0])
            own[key.text] = (key, value)
        return list({**merged, **own}.values())

    def _merged(self, event: Any, value: Node) -> Iterator[tuple[Scalar, Node]]:
        """``<<: *other`` takes over the keys of another section; keys that are written out win."""
        for section in value.items if isinstance(value, Sequence) else (value,):
            if not isinstance(section, Mapping):
                raise self._wrong(event, "expected a section behind `<<:`, as in `<<: *other`, found something else")
            self._count(event, len(section.entries))
            yield from section.entries

    def _alias(self, event: Any) -> Node:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise self._wrong(event, f"more than {MAX_ALIASES} aliases (*name) stand in the file")
        if event.anchor not in self._anchors:
            # The name is not told: a password that begins with * looks like an alias.
            raise self._wrong(event, "the alias (*name) means nothing above this line; a text with * needs quotes")
        node, nodes = self._anchors[event.anchor]
        self._count(event, nodes)
        return node

    def _count(self, event: Any, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise self._wrong(event, f"the file holds more than {MAX_NODES} values once its aliases are written out")

    def _repeated(self, key: Scalar, first: Scalar) -> BadConfigError:
        message = f"the key {shown_text(key.text)} stands here a second time, first in line {first.line}; keep one"
        return BadConfigError(self._file, [Problem("", message, key.line)])

    def _wrong(self, event: Any, message: str) -> BadConfigError:
        return BadConfigError(self._file, [Problem("", message, _place(event)[0])])


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
