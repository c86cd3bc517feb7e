"""The pages tell every key, and their examples work."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from edge.config.checking import MAX_POINTS
from edge.config.load import parse_config
from edge.config.suggestions import keys_of
from edge.config.values import (
    Broker,
    Camera,
    Commands,
    Config,
    Governor,
    Health,
    HomeAssistant,
    Line,
    MotionGate,
    Outbox,
    PictureCheck,
    Regions,
    Rule,
    SecretRef,
    Sizes,
    Snapshots,
    Tls,
)
from edge.config.yaml_reader import MAX_ALIASES, MAX_DEPTH, MAX_NODES

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "configuration.md").read_text("utf-8")
CHAPTERS: dict[str, type[msgspec.Struct]] = {
    "The whole file": Config,
    "broker": Broker,
    "tls": Tls,
    "cameras": Camera,
    "sizes": Sizes,
    "snapshots": Snapshots,
    "regions": Regions,
    "motion_gate": MotionGate,
    "picture_check": PictureCheck,
    "lines": Line,
    "rules": Rule,
    "home_assistant": HomeAssistant,
    "commands": Commands,
    "governor": Governor,
    "health": Health,
    "outbox": Outbox,
    "Secrets": SecretRef,
}


def chapter(title: str) -> str:
    found = re.search(rf"^##+ {re.escape(title)}$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no chapter {title}"
    return found[1]


def first_table_keys(text: str) -> list[str]:
    table = re.search(r"^\| key .*?(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    assert table
    return re.findall(r"^\| `(\w+)` \|", table[0], re.MULTILINE)


@pytest.mark.parametrize("title", CHAPTERS)
def test_the_page_tells_the_keys_of_each_section_and_no_other(title: str) -> None:
    assert first_table_keys(chapter(title)) == list(keys_of(CHAPTERS[title]))


def test_every_section_has_its_chapter() -> None:
    sections = {kind for kind in vars(__import__("edge.config.values", fromlist=["_"])).values() if is_section(kind)}

    assert sections == set(CHAPTERS.values())


def is_section(kind: object) -> bool:
    is_struct = isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__module__ == "edge.config.values"
    return is_struct and kind.__name__ not in ("_Section", "Origin")  # type: ignore[union-attr]


@pytest.mark.parametrize("title", [title for title in CHAPTERS if title not in ("The whole file", "Secrets", "rules")])
def test_the_page_tells_the_true_defaults(title: str) -> None:
    """Where the page shows a plain number, word or switch, it is the default of the field."""
    shown = dict(re.findall(r"^\| `(\w+)` \| `?([\w./-]+)`? \|", chapter(title), re.MULTILINE))
    fields = {field.encode_name: field.default for field in msgspec.structs.fields(CHAPTERS[title])}

    for key, text in shown.items():
        default = fields[key]
        if isinstance(default, bool | int | float | str | Path):
            told = (
                str(default).lower()
                if isinstance(default, bool)
                else f"{default:g}"
                if isinstance(default, float)
                else str(default)
            )
            assert text == told, key


def test_the_page_tells_the_true_bounds() -> None:
    assert f"3 to {MAX_POINTS} points" in PAGE
    assert f"{MAX_DEPTH} levels, {MAX_ALIASES} aliases, {MAX_NODES} values" in PAGE


def test_each_when_of_a_rule_is_told() -> None:
    options = msgspec.structs.fields(Rule)[0].type.__args__

    assert [option for option in options if f"`{option}`" not in chapter("rules")] == []


def test_the_examples_on_the_page_work() -> None:
    examples = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

    for example in examples:
        text = example if "cameras:" in example else f"{example}cameras: {{a: {{source: synthetic}}}}\n"
        assert parse_config(text.encode(), Path("edge.yaml")).cameras
    assert len(examples) == 2


@pytest.mark.shared
def test_the_example_of_the_interface_is_good(shared: Path) -> None:
    page = (shared / "design" / "interface.md").read_text("utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)

    config = parse_config(example.encode(), Path("edge.yaml"))

    assert (config.device, list(config.cameras), config.broker.port) == ("gate", ["yard"], 8883)


# A part of a message -> the file that says it: the page's headings are what a person pastes into a search.
MESSAGES = {
    "there is no such key": "suggestions.py",
    "a tab indents this line": "yaml_words.py",
    "the indent does not fit the lines above": "yaml_words.py",
    "expected UTF-8": "yaml_reader.py",
    "a number to base 60": "scalars.py",
    "expected a reference to a secret": "secret_shape.py",
    "the address holds a login": "texts.py",
    "others may read or change": "secret_files.py",
    "systemd handed over no credential": "secret_files.py",
    "plain text goes to this machine alone": "cross_checks.py",
    "the model has no label": "labels.py",
}


@pytest.mark.parametrize("words", MESSAGES)
def test_the_headings_of_the_troubleshooting_page_are_messages_that_exist(words: str) -> None:
    page = (DOCS / "troubleshooting.md").read_text("utf-8")
    source = DOCS.parent / "edge" / "config" / MESSAGES[words]

    assert f"### {words}" in page
    assert words in source.read_text("utf-8")
