"""Nodes to typed values: walks the Structs and the file side by side and gathers everything that does not fit.

Nothing is raised on the way: a value that can't be read leaves its key at the default (or its section out), so
that the rest is read too and one run reports every mistake.
"""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from edge.config.kinds import Choice, Kind, Switch
from edge.config.nodes import Mapping, Node, Scalar, Sequence
from edge.config.polygons import polygon_fault
from edge.config.problems import MAX_PROBLEMS, Problem, join_key
from edge.config.scalars import WrongValueError, found_words, is_empty
from edge.config.secret_shape import read_key_reference, read_secret_reference
from edge.config.suggestions import explain_section, explain_unknown_key, keys_of
from edge.config.values import Config, Point, Polygon, SecretRef

MAX_POINTS = 64  # of a polygon; checking one takes time by the square
_UNREADABLE: Any = object()
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def read_config(root: Mapping) -> tuple[Config | None, dict[str, int], list[Problem]]:
    """As ``read_section``, of edge.yaml."""
    return read_section(Config, root)


def read_section(section: type[_Struct], root: Mapping) -> tuple[_Struct | None, dict[str, int], list[Problem]]:
    """The values, the line of each key that is set, and what is wrong with them taken one by one.

    The values are None when there were too many problems to go on, or when a key that is needed can't be read.
    """
    reader = _Reader()
    try:
        values = reader.section(section, root, "")
    except _TooManyError:
        values = _UNREADABLE
    return (None if values is _UNREADABLE else values), reader.lines, reader.problems


class _TooManyError(Exception):
    """So many problems that more would tell nothing; each costs time to explain."""


class _Reader:
    """Walks one file; ``lines`` and ``problems`` fill on the way."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []

    def section(self, section: type[msgspec.Struct], node: Mapping, key: str) -> Any:
        names, hints = keys_of(section), _hints_of(section)
        read: dict[str, Any] = {}
        for name, value in node.entries:
            here = join_key(key, name.text)
            if name.text not in names:
                self._tell(name, here, explain_unknown_key(name.text, section))
                continue
            self.lines[here] = name.line
            read[names[name.text]] = self._value(hints[names[name.text]], value, here)
        return self._build(section, read, node, key)

    def _build(self, section: type[msgspec.Struct], read: dict[str, Any], node: Node, key: str) -> Any:
        required = _required_keys(section)
        for encoded, name in required.items():
            if name not in read:
                self._tell(node, join_key(key, encoded), "this key is missing; add it")
        good = {name: value for name, value in read.items() if value is not _UNREADABLE}
        if not good.keys() >= set(required.values()):
            return _UNREADABLE
        return section(**good)

    def _value(self, hint: Any, node: Node, key: str) -> Any:
        if is_empty(node):
            return self._wrong(node, key, "a value", "give it one, or take the key out")
        hint, kind = _unwrap(hint)
        if kind is not None:
            return self._single(kind, node, key)
        if hint is SecretRef or SecretRef in get_args(hint):
            return self._reference(read_secret_reference if hint is SecretRef else read_key_reference, node, key)
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            return self._struct(hint, node, key)
        if get_origin(hint) is dict:
            name_hint, value_hint = get_args(hint)
            return self._named(name_hint, value_hint, node, key)
        return self._several(hint, node, key)

    def _single(self, kind: Kind, node: Node, key: str) -> Any:
        if not isinstance(node, Scalar):
            return self._wrong(node, key, kind.expected)
        try:
            return kind.read(node)
        except WrongValueError as wrong:
            return self._wrong(node, key, kind.expected, wrong.hint, found=wrong.found)

    def _reference(self, read: Callable[[Node], Path | SecretRef], node: Node, key: str) -> Any:
        try:
            return read(node)
        except WrongValueError as wrong:
            return self._tell(node, key, wrong.hint)

    def _struct(self, section: type[msgspec.Struct], node: Node, key: str) -> Any:
        if isinstance(node, Mapping):
            return self.section(section, node, key)
        return self._wrong(node, key, "a section of keys", explain_section(section, node, key.rpartition(".")[2]))

    def _named(self, name_hint: Any, value_hint: Any, node: Node, key: str) -> Any:
        """A section whose keys are names the user chose."""
        if not isinstance(node, Mapping):
            return self._wrong(node, key, "a section of `NAME: value` lines", _named_hint(value_hint, node))
        read: dict[str, Any] = {}
        for name, value in node.entries:
            here = join_key(key, name.text)
            good_name = self._single(_unwrap(name_hint)[1], name, here)  # type: ignore[arg-type]
            self.lines[here] = name.line
            read_value = self._value(value_hint, value, here)
            if good_name is not _UNREADABLE and read_value is not _UNREADABLE:
                read[good_name] = read_value
        return read

    def _several(self, hint: Any, node: Node, key: str) -> Any:
        """A tuple type: of any length, or of a fixed one such as a point."""
        parts = get_args(hint)
        is_open = len(parts) == 2 and parts[1] is Ellipsis
        expected = _list_words(hint)
        if not isinstance(node, Sequence):
            return self._wrong(node, key, expected, _list_hint(hint, node))
        if hint == Polygon and not 3 <= len(node.items) <= MAX_POINTS:
            return self._wrong(node, key, expected, found=f"{len(node.items)}")
        if not is_open and len(node.items) != len(parts):
            return self._wrong(node, key, expected, found=f"a list of {len(node.items)}")
        hints = [parts[0]] * len(node.items) if is_open else list(parts)
        read = [
            self._value(part, item, f"{key}[{i}]") for i, (part, item) in enumerate(zip(hints, node.items, strict=True))
        ]
        if any(item is _UNREADABLE for item in read):
            return _UNREADABLE
        fault = polygon_fault(tuple(read)) if hint == Polygon else None
        return self._tell(node, key, fault) if fault else tuple(read)

    def _wrong(self, node: Node, key: str, expected: str, hint: str = "", *, found: str | None = None) -> Any:
        message = f"expected {expected}, found {found or found_words(node)}"
        return self._tell(node, key, f"{message}; {hint}" if hint else message)

    def _tell(self, node: Node, key: str, message: str) -> Any:
        self.problems.append(Problem(key, message, node.line))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _TooManyError
        return _UNREADABLE


@functools.cache
def _required_keys(section: type[msgspec.Struct]) -> dict[str, str]:
    return {field.encode_name: field.name for field in msgspec.structs.fields(section) if field.required}


@functools.cache
def _hints_of(section: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(section, include_extras=True)


def _unwrap(hint: Any) -> tuple[Any, Kind | None]:
    """The type without ``| None``, and the kind of single value that it stands for, if it does."""
    if get_origin(hint) in (Union, types.UnionType):
        rest = [part for part in get_args(hint) if part is not types.NoneType]
        if len(rest) == 1:
            return _unwrap(rest[0])
    if get_origin(hint) is Annotated:
        return hint, get_args(hint)[1]
    if hint is bool:
        return hint, Switch()
    if get_origin(hint) is Literal:
        return hint, Choice(get_args(hint))
    return hint, None


def _named_hint(value_hint: Any, node: Node) -> str:
    if isinstance(value_hint, type) and issubclass(value_hint, msgspec.Struct):
        return "write `NAME: {...}`, one for each"
    kind = _unwrap(value_hint)[1]
    if kind is None or not isinstance(node, Scalar):
        return "write `NAME: ...`, one for each"
    try:
        return f"write {{default: {kind.read(node):g}}}"
    except WrongValueError as wrong:
        value = re.match(r"write ([\d.]+)", wrong.hint)
        return f"write {{default: {value[1]}}}" if value else "write {default: 0.5}"


def _list_words(hint: Any) -> str:
    if hint == Point:
        return "a point [x, y]"
    if hint == Polygon:
        return f"a polygon of 3 to {MAX_POINTS} points [x, y]"
    if get_args(hint)[-1] is not Ellipsis:
        return "[width, height] in pixels"
    return "a list of polygons" if get_args(hint)[0] == Polygon else "a list"


def _list_hint(hint: Any, node: Node) -> str:
    if not isinstance(node, Scalar):
        return ""
    size = re.fullmatch(r"(\d{1,5})\s*[xX*×,]\s*(\d{1,5})", node.text)
    if size and get_args(hint)[-1] is not Ellipsis:
        return f"write [{size[1]}, {size[2]}]"
    if _list_words(hint) == "a list":
        return "write it in brackets: [a, b]"
    return ""
