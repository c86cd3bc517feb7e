"""What the package puts where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge import __version__
from tools.packaging.lock import Locked
from tools.packaging.payload import own_files, requirements, system_files, template
from tools.packaging.targets import CHECKOUT


@pytest.fixture
def placed() -> dict[str, int]:
    """path -> mode of every file but the wheels."""
    files = [*own_files(__version__, 1_700_000_000), *system_files(CHECKOUT / "systemd")]
    return {file.path: file.mode for file in files}


@pytest.mark.parametrize(
    "path",
    [
        "usr/bin/edge",
        "usr/lib/systemd/system/edge.service",
        "usr/share/doc/edge/examples/edge.yaml",
        "usr/share/doc/edge/examples/mosquitto/edge.acl",
        "usr/share/doc/edge/copyright",
        "usr/share/man/man1/edge.1.gz",
    ],
)
def test_what_a_user_looks_for_is_there(placed: dict[str, int], path: str) -> None:
    assert path in placed


def test_nothing_is_placed_where_the_user_writes(placed: dict[str, int]) -> None:
    """/etc and /var hold what is the user's; an update has no say there, so nothing of it is in the package."""
    assert [path for path in placed if not path.startswith("usr/")] == []


def test_only_commands_can_be_run(placed: dict[str, int]) -> None:
    assert {path for path, mode in placed.items() if mode == 0o755} == {
        "usr/bin/edge",
        "usr/lib/edge/environment",
        "usr/lib/edge/hardware-check",
    }


def test_a_folder_without_a_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "quadlet").mkdir()
    (tmp_path / "quadlet" / "edge.container").write_text("")

    with pytest.raises(ValueError, match="give it a place"):
        list(system_files(tmp_path))


def test_the_unit_starts_what_the_environment_holds() -> None:
    unit = (CHECKOUT / "systemd/edge.service").read_text(encoding="utf-8")

    assert "ExecStart=/opt/edge/bin/edge " in unit
    assert 'mv -T "$opt/current.new" "$opt/current"' in template("environment").decode()


def test_pip_is_carried_and_not_installed() -> None:
    pip, numpy, own = (Locked(name, "1", "b" * 64, f"{name}.whl") for name in ("pip", "numpy", "edge-detector"))

    text = requirements([pip, numpy], own)

    assert [line.split("==")[0] for line in text.splitlines()] == ["numpy", "edge-detector"]


def test_control_asks_for_the_pythons_that_have_wheels() -> None:
    text = template("control", ARCH="arm64", VERSION=__version__, INSTALLED_KB="1").decode()

    assert "python3 (>= 3.11~), python3 (<< 3.14~)" in text
    assert re.search(r"@[A-Z_]+@", text) is None
