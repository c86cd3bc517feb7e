"""The published contract holds together: schemas, AsyncAPI file, examples, and the topics of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from edge.report.topics import Topics

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in sorted((DOCS / "schema").glob("*.json"))}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_a_valid_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


def _examples() -> list[tuple[str, str]]:
    pages = (DOCS / "messages.md").read_text() + (DOCS / "home-assistant.md").read_text()
    return re.findall(r"```json (\w+)\n(.*?)```", pages, re.DOTALL)


@pytest.mark.parametrize(("schema", "text"), _examples(), ids=[name for name, _ in _examples()])
def test_the_examples_in_the_documents_are_true(schema: str, text: str) -> None:
    Draft202012Validator(SCHEMAS[schema]).validate(json.loads(text))


def test_every_schema_has_an_example_in_the_documents() -> None:
    assert {name for name, _ in _examples()} == set(SCHEMAS)


def test_the_topics_are_those_of_the_documents() -> None:
    ours = set(_all_topics().values())
    listed = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())["channels"].values()
    told = re.findall(r"^\| `([^`/]+/[^`]+)`", (DOCS / "messages.md").read_text(), re.MULTILINE)

    assert {re.sub(r"\{(\w+)\}", r"<\1>", each["address"]) for each in listed} == ours
    assert set(told) | {"homeassistant/status"} == ours


def test_the_asyncapi_file_refers_only_to_what_exists() -> None:
    document = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())

    references = re.findall(r'\$ref: "?([^"},]+)', (DOCS / "asyncapi.yaml").read_text())

    assert len(references) > 50
    for reference in set(references):
        assert _resolves(document, reference), reference


def _resolves(document: Any, reference: str) -> bool:
    if not reference.startswith("#/"):
        return (DOCS / reference).is_file()
    for step in reference[2:].split("/"):
        document = document.get(step, {})
    return bool(document)


def _all_topics() -> dict[str, str]:
    topics = Topics("x")
    made = {
        "status": topics.status(),
        "info": topics.info(),
        "health": topics.health(),
        "camera status": topics.camera_status("c"),
        "event": topics.event("c"),
        "detections": topics.detections("c"),
        "count": topics.count("c", "l"),
        "zone count": topics.zone_count("c", "z", "l"),
        "line": topics.line("c", "n"),
        "snapshot": topics.snapshot("c", "l"),
        "cursor": topics.cursor("u"),
        "command": topics.command("m"),
        "response": topics.response("m"),
        "discovery": topics.discovery(),
        "home assistant": topics.home_assistant_status(),
    }
    words = {"x": "device", "c": "camera", "l": "label", "z": "zone", "n": "line", "u": "consumer", "m": "name"}
    return {key: _with_words(topic, words) for key, topic in made.items()}


def _with_words(topic: str, words: dict[str, str]) -> str:
    return "/".join(f"<{words[level]}>" if level in words else level for level in topic.split("/"))
