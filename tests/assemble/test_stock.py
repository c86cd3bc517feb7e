"""Which model the service runs when the one that was asked for is missing, damaged, changed or known to crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.assemble.stock import CHANGED, ROLLED_BACK, Stock, take_stock
from edge.catalog.choice import ModelChoice
from edge.catalog.trust import ModelTrust
from edge.config.values import Config
from edge.core.errors import ModelError
from edge.core.shared_files import shared_folder
from tests.infer.default_model import PATH


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.tflite"
    path.write_bytes(PATH.read_bytes())
    return path


def take(state: Path, model: str) -> Stock:
    trust = ModelTrust(state)
    trust.open()
    return take_stock(Config(model=model), trust, ModelChoice(state))


def trust_it(state: Path, stock: Stock) -> None:
    trust = ModelTrust(state)
    trust.open()
    trust.trust(stock.model, asked=stock.asked, is_bare=stock.is_bare)


def test_the_configuration_s_model_runs(tmp_path: Path) -> None:
    stock = take(tmp_path, "edge-default")

    assert (stock.model.name, stock.reasons, stock.is_bare) == ("edge-default", (), False)


def test_a_choice_comes_before_the_configuration(tmp_path: Path) -> None:
    ModelChoice(tmp_path).use("edge-default-320", "edge-default")

    assert take(tmp_path, "edge-default").model.name == "edge-default-320"


def test_a_missing_file_is_replaced_by_the_last_good_copy(tmp_path: Path, file: Path) -> None:
    trust_it(tmp_path, take(tmp_path, str(file)))
    file.unlink()

    stock = take(tmp_path, str(file))

    assert stock.reasons == (ROLLED_BACK,)
    assert stock.model.path == tmp_path / "last-good.tflite"


def test_a_name_that_never_ran_is_a_mistake_to_mend(tmp_path: Path, file: Path) -> None:
    trust_it(tmp_path, take(tmp_path, str(file)))

    with pytest.raises(ModelError, match="there is no model"):
        take(tmp_path, "edge-defualt")


def test_a_crashing_model_is_replaced_by_the_last_good_one_of_any_name(tmp_path: Path, file: Path) -> None:
    trust_it(tmp_path, take(tmp_path, "edge-default-320"))
    trust = ModelTrust(tmp_path)
    trust.open()
    trust.quarantine(take(tmp_path, str(file)).model, "the third crash in a minute")

    stock = take(tmp_path, str(file))

    assert stock.reasons == (ROLLED_BACK,)
    assert stock.model.name == "edge-default-320"


def test_a_crashing_model_without_another_is_tried_again(tmp_path: Path, file: Path) -> None:
    trust = ModelTrust(tmp_path)
    trust.open()
    trust.quarantine(take(tmp_path, str(file)).model, "the third crash in a minute")

    assert take(tmp_path, str(file)).model.path == file


def test_a_file_that_was_exchanged_runs_and_is_told(tmp_path: Path, file: Path) -> None:
    trust_it(tmp_path, take(tmp_path, str(file)))
    file.write_bytes((shared_folder("models") / "edge-default-320.tflite").read_bytes())

    stock = take(tmp_path, str(file))

    assert stock.reasons == (CHANGED,)
    assert stock.model.layout.input.width == 320
