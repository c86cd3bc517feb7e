"""A name or a path becomes a model, or the error says what to do."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from edge.catalog.cards import ModelCard
from edge.catalog.inspector import Hints
from edge.catalog.pull import draft_card, save_card
from edge.catalog.remembered import Finding, Findings
from edge.catalog.store import Library, find_model, model_folders, pull_folder
from edge.catalog.trial import TrialRun
from edge.core.errors import ModelError
from edge.core.model import Family, Model
from edge.core.shared_files import shared_folder
from tests.catalog import made_models as made
from tests.catalog.made_models import InProcessTrial, inspect


class _NoTrial:
    """Proves that nothing runs the file."""

    def run(self, file: Path, *, library: str = "") -> TrialRun:
        raise AssertionError("the file was run")


def _carded(folder: Path, *, name: str = "mine") -> ModelCard:
    """A model with its card in a folder."""
    found = inspect(made.ltrb(), folder)
    labelled = msgspec.structs.replace(
        draft_card(found, name=name), labels=("person", "vehicle", "animal"), threshold=0.3
    )
    save_card(labelled, folder / f"{name}.yaml")
    return labelled


def test_the_default_model_is_found_by_name_without_a_run() -> None:
    model = find_model("edge-default", trial=_NoTrial(), folders=(shared_folder("models"),))

    assert model.name == "edge-default"
    assert model.labels == ("person", "vehicle")
    assert 0.3 <= model.threshold <= 0.5  # few false alarms; the card says which
    assert model.layout.family is Family.LTRB
    assert model.groups == {"vehicle": ("car", "motorcycle", "bus", "truck")}
    assert model.sha256 == hashlib.sha256(model.path.read_bytes()).hexdigest()


def test_a_bare_file_is_inspected(tmp_path: Path) -> None:
    path = made.yolov8().write(tmp_path / "My Model.tflite")

    model = find_model(str(path), trial=InProcessTrial(), folders=())

    assert model.name == "my_model"
    assert model.layout.family is Family.YOLOV8
    assert len(model.labels) == 80


def test_a_bare_file_that_a_card_describes_takes_the_card(tmp_path: Path) -> None:
    _carded(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    copy = elsewhere / "copy.tflite"
    copy.write_bytes((tmp_path / "model.tflite").read_bytes())

    model = find_model(str(copy), trial=_NoTrial(), folders=(tmp_path,))

    assert (model.name, model.threshold, model.path) == ("mine", 0.3, copy)


def test_a_card_is_found_by_its_path(tmp_path: Path) -> None:
    _carded(tmp_path)

    assert find_model(str(tmp_path / "mine.yaml"), trial=_NoTrial(), folders=()).name == "mine"


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    _carded(tmp_path)
    with (tmp_path / "model.tflite").open("ab") as file:
        file.write(b"x")

    with pytest.raises(ModelError, match="expected sha256"):
        find_model("mine", trial=_NoTrial(), folders=(tmp_path,))


def test_an_unknown_name_is_answered_with_near_ones() -> None:
    with pytest.raises(ModelError, match="did you mean edge-default"):
        find_model("edge-defualt", folders=(shared_folder("models"),))


def test_a_model_that_is_not_pulled_says_how() -> None:
    with pytest.raises(ModelError, match="edge models pull ssd-mobilenet-v1"):
        find_model("ssd-mobilenet-v1", folders=(shared_folder("models"),))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no\.tflite: expected a \.tflite file, found nothing"):
        find_model(str(tmp_path / "no.tflite"), folders=())


def test_a_card_without_a_layout_has_its_file_inspected(tmp_path: Path) -> None:
    card = msgspec.structs.replace(_carded(tmp_path), layout=None)
    save_card(card, tmp_path / "mine.yaml")

    model = find_model("mine", trial=InProcessTrial(), folders=(tmp_path,))

    assert model.layout.family is Family.LTRB
    assert model.labels == ("person", "vehicle", "animal")


def test_labels_of_a_card_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    save_card(msgspec.structs.replace(_carded(tmp_path), labels=("one",)), tmp_path / "mine.yaml")

    with pytest.raises(ModelError, match="1 labels for 3 classes"):
        find_model("mine", trial=_NoTrial(), folders=(tmp_path,))


def test_an_earlier_folder_hides_a_later_one(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    _carded(tmp_path / "first")
    _carded(tmp_path / "second")

    found = Library((tmp_path / "first", tmp_path / "second")).card("mine")

    assert found.path.parent.name == "first"


def test_a_broken_card_speaks_up_for_its_own_name_alone(tmp_path: Path) -> None:
    _carded(tmp_path)
    (tmp_path / "other.yaml").write_text("name: [", encoding="utf-8")
    library = Library((tmp_path,))

    assert library.card("mine").card.name == "mine"
    assert len(library.broken_cards()) == 1
    with pytest.raises(ModelError, match=r"other\.yaml"):
        library.card("other")


def test_folders_are_searched_in_order() -> None:
    folders = model_folders({"EDGE_MODELS": "/a:/b", "XDG_DATA_HOME": "/data"})

    assert [str(folder) for folder in folders[:4]] == ["/a", "/b", "/var/lib/edge/models", "/data/edge/models"]
    assert folders[-1] == shared_folder("models")


def test_pulled_models_go_where_the_user_says(tmp_path: Path) -> None:
    assert pull_folder({"EDGE_MODELS": str(tmp_path)}) == tmp_path


def test_a_folder_that_this_user_may_not_look_into_is_passed_over(tmp_path: Path) -> None:
    # as /var/lib/edge is to everybody but the service; a name that no disk takes fails in the same way, even for root
    closed = tmp_path / ("n" * 300)

    assert find_model("edge-default", folders=(closed, shared_folder("models"))).name == "edge-default"
    assert pull_folder({"EDGE_MODELS": f"{closed}:{tmp_path}", "XDG_DATA_HOME": str(tmp_path)}) is not None


class _CountedTrial:
    """Runs the file here, and says how often."""

    def __init__(self) -> None:
        self.runs = 0

    def run(self, file: Path, *, library: str = "") -> TrialRun:
        self.runs += 1
        return InProcessTrial().run(file, library=library)


def test_a_bare_file_is_tried_once_and_then_remembered(tmp_path: Path) -> None:
    path, trial = made.yolov8().write(tmp_path / "mine.tflite"), _CountedTrial()

    def found() -> Model:
        return Library((), findings=Findings(tmp_path / "kept")).find(str(path), trial=trial)

    first, second = found(), found()

    assert first == second
    assert trial.runs == 1


def test_a_changed_file_is_tried_again(tmp_path: Path) -> None:
    trial, library = _CountedTrial(), Library((), findings=Findings(tmp_path / "kept"))
    path = made.yolov8().write(tmp_path / "mine.tflite")
    library.find(str(path), trial=trial)
    made.ltrb().write(path)

    assert library.find(str(path), trial=trial).layout.family is Family.LTRB
    assert trial.runs == 2


@pytest.mark.parametrize("content", [b"", b"{", b'{"labels": 3}', b"\x00" * 100])
def test_a_memory_that_is_broken_costs_a_run_and_nothing_else(tmp_path: Path, content: bytes) -> None:
    path, trial = made.yolov8().write(tmp_path / "mine.tflite"), _CountedTrial()
    library = Library((), findings=Findings(tmp_path / "kept"))
    library.find(str(path), trial=trial)
    for file in (tmp_path / "kept").iterdir():
        file.write_bytes(content)

    assert library.find(str(path), trial=trial).layout.family is Family.YOLOV8
    assert trial.runs == 2


def test_a_memory_that_cannot_be_kept_costs_a_run_and_nothing_else(tmp_path: Path) -> None:
    path, trial = made.yolov8().write(tmp_path / "mine.tflite"), _CountedTrial()
    (tmp_path / "kept").write_text("a file where the folder should be")

    assert Library((), findings=Findings(tmp_path / "kept")).find(str(path), trial=trial).labels


def test_memory_is_bounded(tmp_path: Path) -> None:
    findings = Findings(tmp_path)
    finding = Finding(("a",), inspect(made.yolov8(), tmp_path).require().layout)
    for number in range(80):
        findings.keep(f"{number:064x}", (), finding)

    assert len(list(tmp_path.glob("*.json"))) == 64
    assert findings.recall(f"{79:064x}", ()) == finding


def test_a_file_that_a_card_describes_is_drafted_with_what_the_card_says(tmp_path: Path) -> None:
    found = inspect(made.ltrb(), tmp_path)
    own = draft_card(found, name="mine")
    own = msgspec.structs.replace(own, licence="Apache-2.0", attribution="A. Maker")
    save_card(msgspec.structs.replace(own, labels=("cat", "dog", "cow")), tmp_path / "mine.yaml")

    again = Library((tmp_path,)).inspect(found.path, trial=InProcessTrial(), hints=Hints())

    assert draft_card(found, name="copy").licence.startswith("unknown")
    drafted = draft_card(again, name="copy")
    assert (drafted.licence, drafted.attribution, drafted.summary) == ("Apache-2.0", "A. Maker", "made by a test")
