"""Which versions of a model can run, by what was asked for."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from edge.assemble.brains import LineUp, Workshop, line_up
from edge.assemble.orders import InferOrder, decode_order
from edge.assemble.stock import Stock
from edge.catalog.trust import ModelTrust
from edge.config.values import Config, Outbox
from edge.core.clock import HandClock
from edge.core.errors import ModelError
from edge.service.golden_book import GoldenBook
from tests.faults.accelerated import write_pair
from tests.infer.default_model import default_model


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_pair(tmp_path / "models")
    monkeypatch.setenv("EDGE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def line(folder: Path, model: str, accelerator: str) -> tuple[str | None, str]:
    found = line_up(Config(model=model, accelerator=accelerator, outbox=Outbox(path=folder / "state" / "outbox.db")))
    return found.accelerated and found.accelerated.name, found.cpu.name


@pytest.mark.parametrize("model", ["fast", "slow"])
@pytest.mark.parametrize(
    ("accelerator", "expected"),
    [
        ("edgetpu", ("fast", "slow")),
        ("edgetpu:usb", ("fast", "slow")),
        ("auto", ("fast", "slow")),
        ("cpu", (None, "slow")),
    ],
)
def test_either_name_leads_to_both_versions(
    models: Path, model: str, accelerator: str, expected: tuple[str | None, str]
) -> None:
    assert line(models.parent, model, accelerator) == expected


def test_without_the_cpu_s_version_the_accelerator_s_is_all_there_is(
    models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (models / "slow.yaml").unlink()

    with caplog.at_level(logging.WARNING):
        found = line(models.parent, "fast", "edgetpu")

    assert found == (None, "fast")
    assert "nothing stands in for it" in caplog.text


def test_a_model_for_the_cpu_alone_runs_on_it(models: Path) -> None:
    assert line(models.parent, "edge-default", "auto") == (None, "edge-default")
    with pytest.raises(ModelError, match="the CPU alone"):
        line(models.parent, "edge-default", "edgetpu")


def test_safe_mode_runs_what_was_kept_and_nothing_else(models: Path) -> None:
    kept = replace(default_model(), twin="fast")
    config = Config(model="fast", accelerator="edgetpu", outbox=Outbox(path=models.parent / "state" / "outbox.db"))

    found = line_up(config, kept)

    assert (found.accelerated, found.cpu) == (None, kept)


def order_for(labels: tuple[str, ...], tmp_path: Path) -> tuple[InferOrder, tuple[int, ...] | None]:
    """What the process of a last good model with these labels is told, where another was asked for."""
    asked = replace(default_model(), labels=("person", "vehicle", "animal"))
    good = replace(asked, labels=labels, sha256="1" * 64)
    workshop = Workshop(
        LineUp(Stock(asked, "edge-default"), ModelTrust(tmp_path), None, asked),
        InferOrder(asked, "auto", 2, 0.5, "graph", {"yard": "1x1"}, is_ahead=False, redact={"yard": (0,)}),
        book=GoldenBook(tmp_path),
        runs=1,
        clock=HandClock(),
    )
    inference = workshop.inference(good)
    return decode_order(inference.setup, InferOrder), inference.class_ids


def test_another_list_of_labels_is_read_in_the_one_that_counts(tmp_path: Path) -> None:
    order, class_ids = order_for(("animal", "dog", "person"), tmp_path)

    assert class_ids == (2, -1, 0)
    assert order.redact == {"yard": (2,)}


def test_what_can_not_see_a_person_publishes_no_picture(tmp_path: Path) -> None:
    order, _ = order_for(("animal", "dog"), tmp_path)

    assert order.redact == {}
