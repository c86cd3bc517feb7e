"""The publisher's unit goes on with what worked before, and only ends for good where nothing ever did."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.assemble.publisher_settings import PublisherSettings
from edge.core.errors import ConfigAwayError, ConfigError
from edge.service.letters import Setup

GOOD = """
device: gate
broker: {host: 127.0.0.1, port: 1883, username: gate, password: {file: password}}
cameras: {yard: {source: "synthetic:"}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "edge.yaml").write_text(GOOD)
    (tmp_path / "password").write_text("canary")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "run").mkdir()
    return tmp_path / "edge.yaml"


def unit(file: Path) -> PublisherSettings:
    """As systemd starts it."""
    return PublisherSettings(file, environment={"RUNTIME_DIRECTORY": str(file.parent / "run")})


def setup(settings: PublisherSettings, file: Path) -> Setup:
    return settings.setup(outbox=file.parent / "outbox.db", volatile=None)


def test_a_broken_file_at_the_first_start_is_told_for_good(file: Path) -> None:
    file.write_text("devise: gate\n")

    with pytest.raises(ConfigError) as caught:
        unit(file).read()

    assert caught.value.exit_code == 78


@pytest.mark.parametrize("content", [b"devise: gate\n", b"\xff\xfe", None], ids=["wrong", "no text", "gone"])
def test_one_that_breaks_after_it_has_worked_is_gone_on_with_as_it_was(file: Path, content: bytes | None) -> None:
    before = setup(unit(file), file)
    file.unlink() if content is None else file.write_bytes(content)

    after = setup(unit(file), file)

    assert (after.device, after.host, after.password) == (before.device, before.host, before.password)


def test_one_that_breaks_between_the_start_and_the_detector_is_gone_on_with_at_a_desk_too(file: Path) -> None:
    settings = PublisherSettings(file, environment={})
    settings.read()
    file.write_text("devise: gate\n")

    assert setup(settings, file).device == "gate"


def test_a_mended_file_counts_again(file: Path) -> None:
    setup(unit(file), file)
    file.write_text("devise: gate\n")
    setup(unit(file), file)
    file.write_text(GOOD.replace("gate", "yard"))

    assert setup(unit(file), file).device == "yard"


def test_a_secret_that_was_never_good_is_78_and_one_that_was_is_75(file: Path) -> None:
    (file.parent / "password").chmod(0o644)
    with pytest.raises(ConfigError) as never:
        setup(unit(file), file)
    (file.parent / "password").chmod(0o600)
    setup(unit(file), file)
    (file.parent / "password").unlink()

    with pytest.raises(ConfigAwayError) as away:
        setup(unit(file), file)

    assert (never.value.exit_code, away.value.exit_code) == (78, 75)


def test_what_is_kept_holds_no_secret(file: Path) -> None:
    setup(unit(file), file)

    assert [path.name for path in (file.parent / "run").iterdir()] == ["last-good.yaml"]
    assert "canary" not in (file.parent / "run" / "last-good.yaml").read_text()
