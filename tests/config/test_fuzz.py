"""Whatever a file holds, it is a configuration or one clear refusal; nothing else comes out."""

from __future__ import annotations

import time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.config.load import parse_config
from edge.core.errors import ConfigError
from edge.core.names import is_name
from tests.config.good import GOOD

LINES = GOOD.splitlines()
NASTY = [
    "\t", ": ", "&a", "*a", "<<: *a", "!!int", "---\n", "[", "]", "{", "}", "- ", "? ", "'", '"', "#", "|\n", ">\n",
    "%", "\0", "\x1b[2J", "é", "\u202e", "\ufeff", "1e999", ".nan", "0x1f", "on", "~", "12:30", "9" * 400, "-1", "\\",
    "{a: b}", "[[[0,0]]]", "rtsp://a:b@c", "+", "/", "$SYS", "a" * 70, "null", "0.5.5", "=", "@", "`",
]  # fmt: skip


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """The good file with a few lines taken out, doubled, exchanged or cut up."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        way = draw(st.sampled_from(["drop", "double", "insert", "replace", "indent", "cut", "swap"]))
        line, nasty = lines[at], draw(st.sampled_from(NASTY))
        column = draw(st.integers(0, len(line)))
        other = draw(st.integers(0, len(lines) - 1))
        lines[at : at + 1] = {
            "drop": [""],
            "double": [line, line],
            "insert": [line[:column] + nasty + line[column:]],
            "replace": [line[: line.find(":") + 1] + " " + nasty],
            "indent": [" " * draw(st.integers(0, 6)) + line.strip()],
            "cut": [line[:column]],
            "swap": [lines[other]],
        }[way]
    return "\n".join(lines).encode()


def check(content: bytes) -> None:
    started = time.process_time()
    try:
        config = parse_config(content, Path("edge.yaml"))
    except ConfigError as refusal:
        check_refusal(refusal)
    else:
        assert config.cameras
        assert all(is_name(name) for name in (config.device, *config.cameras, config.outbox.consumer or "none"))
    assert time.process_time() - started < 1.0


def check_refusal(refusal: ConfigError) -> None:
    lines = str(refusal).split("\n")
    assert all(line.startswith("edge.yaml") and line.isprintable() for line in lines), lines
    assert refusal.exit_code == 78


@settings(max_examples=300, deadline=None)
@given(bent())
def test_a_bent_file_is_read_or_refused(content: bytes) -> None:
    check(content)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused_in_words(content: bytes) -> None:
    check(content)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD.encode()) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_file_with_damaged_bytes_is_read_or_refused(damage: list[tuple[int, int]]) -> None:
    content = bytearray(GOOD.encode())
    for at, byte in damage:
        content[at] = byte

    check(bytes(content))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(GOOD.encode())))
def test_a_file_that_breaks_off_is_read_or_refused(end: int) -> None:
    check(GOOD.encode()[:end])


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=80).filter(lambda text: not is_name(text)))
def test_a_name_that_is_none_never_becomes_a_topic(name: str) -> None:
    """Written as YAML's double-quoted text, so that every character arrives."""
    quoted = '"' + "".join(f"\\U{ord(c):08x}" for c in name) + '"'
    for text in (f"device: {quoted}\ncameras: {{a: {{source: x}}}}", f"cameras: {{{quoted}: {{source: x}}}}"):
        try:
            parse_config(text.encode(), Path("edge.yaml"))
        except ConfigError:
            continue
        raise AssertionError(text)
