"""Which model a person chose, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.catalog.choice import FILE, ModelChoice
from edge.core.errors import ModelError


def test_without_a_choice_the_configuration_says(tmp_path: Path) -> None:
    assert ModelChoice(tmp_path).in_force("a") is None


def test_a_choice_holds_until_the_configuration_is_changed(tmp_path: Path) -> None:
    ModelChoice(tmp_path).use("b", "a")

    assert ModelChoice(tmp_path).in_force("a") == "b"
    assert ModelChoice(tmp_path).in_force("c") is None


def test_the_way_back_leads_through_every_choice_to_the_configuration(tmp_path: Path) -> None:
    choice = ModelChoice(tmp_path)
    choice.use("b", "a")
    choice.use("c", "a")

    back = [choice.roll_back("a"), choice.roll_back("a")]

    assert back == ["b", "a"]
    assert choice.in_force("a") is None
    with pytest.raises(ModelError, match="nothing to go back to"):
        choice.roll_back("a")


def test_what_was_chosen_for_another_configuration_is_no_way_back(tmp_path: Path) -> None:
    ModelChoice(tmp_path).use("b", "a")

    with pytest.raises(ModelError, match="nothing to go back to"):
        ModelChoice(tmp_path).roll_back("c")


def test_a_broken_file_is_told_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"schema": 1, "now"')

    with pytest.raises(ModelError, match="delete the file"):
        ModelChoice(tmp_path).in_force("a")
