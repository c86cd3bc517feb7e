"""What experience says of model files."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge.catalog.trust import COPY, FILE, ModelTrust, Standing
from edge.core.model import Model
from edge.infer.interpreter import read_model_file
from tests.infer.default_model import default_model, sha256_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.tflite"
    path.write_bytes(default_model().path.read_bytes())
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def read(path: Path) -> Model:
    return replace(default_model(path), name="mine", sha256=sha256_of(path))


def opened(folder: Path) -> ModelTrust:
    trust = ModelTrust(folder)
    trust.open()
    return trust


def flip(path: Path, *, place: int = 4711) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_the_first_time_nothing_speaks_against_a_file(file: Path, state: Path) -> None:
    assert opened(state).judge(read(file), is_bare=True).standing is Standing.FINE


def test_a_file_that_was_written_anew_is_told_as_changed(file: Path, state: Path) -> None:
    opened(state).trust(read(file), asked=str(file), is_bare=True)
    flip(file)
    os.utime(file, ns=(1, 1))

    judgement = opened(state).judge(read(file), is_bare=True)

    assert judgement.standing is Standing.CHANGED
    assert f"edge models use {file}" in judgement.words


def test_a_file_whose_bits_fell_over_is_damaged(file: Path, state: Path) -> None:
    opened(state).trust(read(file), asked=str(file), is_bare=True)
    before = file.stat()
    flip(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert opened(state).judge(read(file), is_bare=True).standing is Standing.DAMAGED


def test_a_card_vouches_for_its_file_so_nothing_is_pinned(file: Path, state: Path) -> None:
    opened(state).trust(read(file), asked="mine", is_bare=False)
    flip(file)

    assert opened(state).judge(read(file), is_bare=True).standing is Standing.FINE


def test_the_last_good_model_outlives_its_file(file: Path, state: Path) -> None:
    model = read(file)
    opened(state).trust(model, asked=str(file), is_bare=True)
    file.unlink()

    good = opened(state).last_good(str(file))

    assert good is not None
    assert read_model_file(good.path, sha256=good.sha256)
    assert replace(good, path=model.path) == model
    assert opened(state).last_good("another") is None


def test_the_copy_is_the_newest_that_ran_well(file: Path, state: Path) -> None:
    trust = opened(state)
    trust.trust(read(file), asked=str(file), is_bare=True)
    flip(file)

    trust.trust(read(file), asked=str(file), is_bare=True)

    assert sha256_of(state / COPY) == sha256_of(file)


def test_running_the_copy_keeps_the_copy(file: Path, state: Path) -> None:
    trust = opened(state)
    trust.trust(read(file), asked=str(file), is_bare=True)
    good = trust.last_good()
    assert good is not None

    trust.trust(good, asked=str(file), is_bare=False)

    assert opened(state).last_good(str(file)) == good


def test_a_crashing_content_is_not_run_until_a_person_asks_for_it(file: Path, state: Path) -> None:
    model = read(file)
    opened(state).quarantine(model, "the third crash in a minute")

    before = opened(state).judge(model, is_bare=True)
    opened(state).pardon(model)

    assert before.standing is Standing.QUARANTINED
    assert "the third crash in a minute" in before.words
    assert opened(state).judge(model, is_bare=True).standing is Standing.FINE


def test_a_person_s_word_settles_a_change(file: Path, state: Path) -> None:
    opened(state).trust(read(file), asked=str(file), is_bare=True)
    flip(file)
    os.utime(file, ns=(1, 1))

    opened(state).pardon(read(file))

    assert opened(state).judge(read(file), is_bare=True).standing is Standing.FINE


def test_a_broken_file_is_told_and_starts_anew(file: Path, state: Path, caplog: pytest.LogCaptureFixture) -> None:
    state.mkdir()
    (state / FILE).write_text("{")

    assert opened(state).judge(read(file), is_bare=True).standing is Standing.FINE
    assert "starting anew" in caplog.text


def test_a_folder_that_cannot_be_written_is_told_and_does_no_harm(
    file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "occupied").write_text("")
    trust = opened(tmp_path / "occupied")

    trust.trust(read(file), asked=str(file), is_bare=True)

    assert "can't be kept" in caplog.text
    assert trust.last_good() is None
