"""A table of cards: CSV whose columns are keys of the site file, one row per card."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from edge.config.nodes import Mapping, Node, Scalar
from edge.core.errors import ConfigError

MAX_BYTES = 1 << 20
MAX_CARDS = 1000
DEVICE = "edge.device"


@dataclass(frozen=True, slots=True)
class Row:
    """One card's own values. ``line`` counts from 1 in the table's file."""

    line: int
    values: tuple[tuple[str, str], ...]

    @property
    def device(self) -> str:
        return dict(self.values)[DEVICE]


def read_table(path: Path) -> tuple[Row, ...]:
    """The rows; empty cells leave the site file's value. Raises ConfigError."""
    reader = csv.reader(io.StringIO(_text(path), newline=""))
    header = [cell.strip() for cell in next(reader, [])]
    if DEVICE not in header or len(set(header)) != len(header):
        raise ConfigError(
            f"{path}:1: expected columns named after keys of the site file, each once, with {DEVICE} among them; "
            f"found {', '.join(header) or 'nothing'}"
        )
    stripped = ([cell.strip() for cell in cells] for cells in reader)
    rows = [_row(path, reader.line_num, header, cells) for cells in stripped if any(cells)]
    _check_devices(path, rows)
    return tuple(rows)


def lay_over(root: Mapping, row: Row) -> Mapping:
    """The site file with the row's values in it."""
    for key, text in row.values:
        root = _with(root, key.split("."), _scalar(text, root.line))
    return root


def fill_in(node: Node, device: str) -> Node:
    """Every ``{device}`` in a text becomes the device's name, so that one path serves all cards."""
    if isinstance(node, Scalar):
        return Scalar(node.text.replace("{device}", device), node.line, node.column, node.quoted)
    if isinstance(node, Mapping):
        entries = tuple((key, fill_in(value, device)) for key, value in node.entries)
        return Mapping(entries, node.line, node.column)
    return type(node)(tuple(fill_in(item, device) for item in node.items), node.line, node.column)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()[: MAX_BYTES + 1]
    except OSError as error:
        raise ConfigError(f"{path}: the table can't be read: {error.strerror}; check the path") from error
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: expected at most {MAX_BYTES} bytes, found more; is this the table?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected UTF-8, found something else; save the table as CSV UTF-8") from error


def _row(path: Path, line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise ConfigError(
            f"{path}:{line}: expected {len(header)} cells, found {len(cells)}; put quotes around a cell with a comma"
        )
    values = tuple((key, cell) for key, cell in zip(header, cells, strict=True) if cell)
    if DEVICE not in dict(values):
        raise ConfigError(f"{path}:{line}: the card has no {DEVICE}; give it a name")
    return Row(line, values)


def _check_devices(path: Path, rows: list[Row]) -> None:
    if not rows or len(rows) > MAX_CARDS:
        raise ConfigError(f"{path}: expected 1 to {MAX_CARDS} cards, found {len(rows)}")
    first: dict[str, int] = {}
    for row in rows:
        line = first.setdefault(row.device, row.line)
        if line != row.line:
            raise ConfigError(f"{path}:{row.line}: the device {row.device!r} stands in line {line} already; rename one")


def _scalar(text: str, line: int) -> Scalar:
    """A cell is read as a bare word of YAML; 'quotes' make a text of what looks like a number."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return Scalar(text[1:-1], line, quoted=True)
    return Scalar(text, line)


def _with(section: Mapping, path: list[str], value: Scalar) -> Mapping:
    name, *rest = path
    kept = tuple(entry for entry in section.entries if entry[0].text != name)
    old = next((node for key, node in section.entries if key.text == name), None)
    inner = old if isinstance(old, Mapping) else Mapping((), section.line)
    new: Node = _with(inner, rest, value) if rest else value
    return Mapping((*kept, (Scalar(name, section.line), new)), section.line, section.column)
