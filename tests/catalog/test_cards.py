"""Cards: whole, strict, and true to what they describe."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.catalog.cards import ModelCard, read_card, write_card
from edge.catalog.pull import draft_card
from edge.catalog.store import Library
from edge.core.errors import ModelError
from edge.core.shared_files import shared_folder
from tests.catalog import made_models as made
from tests.catalog.made_models import inspect

_MINIMAL = "name: a\nsummary: b\nfile: c.tflite\nlicence: Apache-2.0\nlabels: [x]\n"
_SHIPPED = sorted(shared_folder("models").glob("*.yaml"))


def _write(folder: Path, text: str) -> Path:
    path = folder / "card.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", _SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_card_is_sound(path: Path) -> None:
    card = read_card(path)

    assert card.name == path.stem
    assert card.label_list()
    assert card.licence == "Apache-2.0"
    assert card.origin is not None or (path.parent / card.file).is_file()
    assert card.layout is None or card.layout.classes == len(card.label_list())
    assert read_card(path) == card


def test_twins_name_one_another() -> None:
    cards = {found.card.name: found.card for found in Library((shared_folder("models"),)).cards()}

    for card in cards.values():
        if card.twin is not None:
            assert cards[card.twin].twin == card.name


def test_the_models_of_the_public_list_have_cards() -> None:
    names = {path.stem for path in _SHIPPED}

    assert {"ssd-mobilenet-v1", "ssd-mobilenet-v1-edgetpu", "ssdlite-mobiledet", "efficientdet-lite0"} <= names
    assert len([name for name in names if name.endswith("-edgetpu")]) >= 13


def test_a_drafted_card_reads_back_as_it_was(tmp_path: Path) -> None:
    for number, build in enumerate((made.ltrb(), made.raw_ssd(count=50, columns=5, with_anchors="constant"))):
        card = draft_card(inspect(build, tmp_path), name=f"draft-{number}")

        assert read_card(_write(tmp_path, write_card(card))) == card


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_MINIMAL + "colour: red\n", "colour"),
        (_MINIMAL.replace("licence: Apache-2.0\n", ""), "licence"),
        (_MINIMAL + "threshold: high\n", "threshold"),
        (_MINIMAL + "threshold: 7\n", "threshold"),
        (_MINIMAL + "sha256: abc\n", "sha256"),
        (_MINIMAL + "layout: {family: yolov99}\n", "layout"),
        (_MINIMAL + "name: twice\n", "twice"),
        (_MINIMAL + "limits: &a [x]\nquality: *a\n", "anchors"),
        (_MINIMAL.replace("name: a", "name: A/b"), "name"),
        ("- just\n- a list\n", "object"),
        ("{unclosed", "YAML"),
        ("", "object"),
        ("name: !!python/object/apply:os.getcwd []\n", "YAML"),
    ],
)
def test_a_wrong_card_is_refused_with_file_and_key(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        read_card(_write(tmp_path, text))

    assert "card.yaml" in str(caught.value)


def test_a_card_that_is_not_text_or_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ModelError, match="YAML"):
        read_card(path)

    path.write_bytes(b"#" * 2_000_000)
    with pytest.raises(ModelError, match="larger"):
        read_card(path)


def test_labels_may_not_name_a_file_outside(tmp_path: Path) -> None:
    card = ModelCard(name="a", summary="b", file="c", licence="d", labels="../../etc/passwd")

    with pytest.raises(ModelError, match="labels"):
        card.label_list()
