"""What commands changed, over restarts and over a configuration that has changed too."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.service.commands.overrides import CameraOverrides, Overrides

KNOWN = {"yard": frozenset({"person"})}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "commands.json"


def opened(file: Path) -> Overrides:
    overrides = Overrides(file)
    overrides.open(KNOWN)
    return overrides


def test_nothing_kept_is_nothing_changed(file: Path) -> None:
    assert opened(file).of("yard") == CameraOverrides()
    assert not file.parent.exists()


def test_what_the_configuration_no_longer_knows_is_left_out_and_said(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    overrides = opened(file)
    overrides.put("yard", CameraOverrides(enabled=False, thresholds={"person": 0.7, "zebra": 0.2}))
    overrides.put("shed", CameraOverrides(enabled=False))

    again = opened(file)

    assert again.of("yard") == CameraOverrides(enabled=False, thresholds={"person": 0.7})
    assert again.of("shed") == CameraOverrides()
    assert "camera shed" in caplog.text


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"schema":1,"cameras":{"yard":{"thresholds":{"person":7}}}}', b"[" * 9000]
)
def test_a_file_that_can_not_be_read_leaves_the_configuration_in_force(
    file: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file.parent.mkdir()
    file.write_bytes(content)

    assert opened(file).of("yard") == CameraOverrides()
    assert "configuration file are in force" in caplog.text


def test_a_change_that_can_not_be_written_is_not_in_force(file: Path) -> None:
    overrides = opened(file)
    file.parent.write_text("a file where the folder should be")

    with pytest.raises(OSError, match="state"):
        overrides.put("yard", CameraOverrides(enabled=False))

    assert overrides.of("yard") == CameraOverrides()
