"""Every wrong configuration is refused with the place and the way out.

Each file in ``bad`` begins with what is expected of it, one line per problem: ``# LINE | WORDS | WORDS``.
"""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path

import pytest

from edge.config.load import load_config, parse_config
from edge.config.problems import MAX_PROBLEMS, BadConfigError
from edge.core.errors import ConfigError

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))
CANARY = ("canary", "4711")


def expected(file: Path) -> list[tuple[str, list[str]]]:
    found = re.findall(r"^# (-|\d+) \| (.*)$", file.read_text("utf-8"), re.MULTILINE)
    return [(line, words.split(" | ")) for line, words in found]


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_file_is_refused_with_its_line_and_the_way_out(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(file)

    sentences = str(caught.value).splitlines()
    assert caught.value.exit_code == 78
    assert not any(canary in str(caught.value) for canary in CANARY)
    assert all(sentence.startswith(f"{file}:") and sentence.isprintable() for sentence in sentences)
    for line, words in expected(file):
        place = f"{file}: " if line == "-" else f"{file}:{line}: "
        assert [s for s in sentences if s.startswith(place) and all(word in s for word in words)], sentences


def test_every_bad_file_says_what_is_expected_of_it() -> None:
    assert len(BAD) > 100
    assert [file.name for file in BAD if not expected(file)] == []


def refusal(content: bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(content, Path("edge.yaml"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"device: gate\ncameras: caf\xe9\n", "edge.yaml:2: expected UTF-8, found the byte 0xe9"),
        ("cameras: {}".encode("utf-16"), "found UTF-16"),
        (b"device: a\0b\n", "edge.yaml:1: expected text, found the control character U+0000"),
        (b"device: a\nx: \x1b[2J\n", "edge.yaml:2: expected text, found the control character U+001B"),
        (b"#" * ((1 << 20) + 1), "at most 1048576 bytes"),
        (b"\x7fELF\x02\x01\x01", "control character"),
        (b"device: '\\ud800'\n\"\\ud800\": 1", "edge.yaml"),
    ],
)
def test_damaged_content_is_refused_in_words(content: bytes, words: str) -> None:
    assert words in refusal(content)


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake() -> None:
    config = parse_config(b"\xef\xbb\xbfcameras:\r\n  yard:\r\n    source: a.mp4\r\n", Path("edge.yaml"))

    assert list(config.cameras) == ["yard"]


def test_all_mistakes_of_a_file_are_told_together_in_the_order_of_the_file() -> None:
    text = refusal(b"modle: x\ncameras:\n  a+b: {source: x, fps: 0}\nhealth: {interval: 3}\nbroker: {port: x}\n")

    assert [line.split(": ")[0] for line in text.splitlines()] == [f"edge.yaml:{n}" for n in (1, 3, 3, 4, 5)]


def test_a_mistake_does_not_cause_a_second_complaint() -> None:
    """The rule names a zone that is there but wrong; the host is remote and its tls section is wrong."""
    text = refusal(
        b"broker: {host: far.example, tls: {ca: [1]}}\n"
        b"cameras: {a: {source: x, zones: {z: [[0, 0]]}, rules: {r: {when: enter, zone: z}}}}\n"
    )

    assert len(text.splitlines()) == 2


def test_a_hopeless_file_gets_a_short_answer() -> None:
    text = refusal(b"".join(b"key%d: 1\n" % n for n in range(5000)))

    assert len(text.splitlines()) == MAX_PROBLEMS + 1
    assert text.splitlines()[-1] == "edge.yaml: there may be more; mend these first"


def test_problems_are_at_hand_one_by_one() -> None:
    with pytest.raises(BadConfigError) as caught:
        parse_config(b"cameras: {a: {source: x, fps: 10fps}}", Path("edge.yaml"))

    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (1, "cameras.a.fps")


def polygon(points: int) -> str:
    """A narrow comb: simple, and every pair of its sides has to be looked at."""
    lower = [f"[{i / points:.4f}, 0.1]" for i in range(points // 2)]
    upper = [f"[{i / points:.4f}, 0.9]" for i in reversed(range(points // 2))]
    return f"[{', '.join(lower + upper)}]"


@pytest.mark.parametrize(
    "content",
    [
        b"a: " + b"[" * 1_000_000,
        b"{" * 1_000_000,
        b"- " * 500_000,
        b"[" + b"[]," * 300_000 + b"]",
        b"device: " + b"9" * 1_000_000,
        b"device: " + b"-" * 1_000_000,
        b"'" * 1_000_000,
        b"a: {" + b"x," * 500_000 + b"}",
        b"".join(b"k%d: &k%d 1\n" % (n, n) for n in range(40_000)),
        b"cameras: {a: {source: x, labels: [" + b"cat," * 40_000 + b"]}}",
        ("cameras: {a: {source: x, zones: {" + ", ".join(f"z{n}: {polygon(64)}" for n in range(240)) + "}}}").encode(),
        (
            "cameras: {a: {source: x, zones: {"
            + ", ".join(f"zone{n}: {polygon(4)}" for n in range(1500))
            + "}, rules: {"
            + ", ".join(f"r{n}: {{when: enter, zone: zzne{n}}}" for n in range(2500))
            + "}}}"
        ).encode(),
    ],
    ids=lambda content: content[:12].decode(),
)
def test_a_hostile_file_is_answered_within_a_second(content: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(ConfigError):
        parse_config(content, Path("edge.yaml"))

    assert time.process_time() - started < 1.0
