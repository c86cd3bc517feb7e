"""What `edge install` puts in place, and how `edge uninstall` leaves a system as it was."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge.core.errors import EdgeError
from edge.host.commands import Done
from edge.host.install.live import announce, withdraw
from edge.host.install.parcel import Wishes, all_places, parcel, places_of_the_other
from edge.host.install.placing import Deed, place, plan_placing, remove
from edge.host.install.stamp import is_untouched, stamped

UNIT = Path("etc/systemd/system/edge.service")


def files(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_an_empty_system_gets_everything_and_loses_it_again(tmp_path: Path) -> None:
    place(parcel(Wishes(has_volatile_journal=True)), tmp_path)
    put = set(files(tmp_path))

    remove(all_places(), tmp_path)

    assert {str(UNIT), "etc/udev/rules.d/60-edge-tpu.rules", "etc/edge/edge.example.yaml"} <= put
    assert files(tmp_path) == {}
    assert not (tmp_path / "etc/edge").exists()


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    place(parcel(Wishes()), tmp_path)

    again = place(parcel(Wishes()), tmp_path)

    assert {step.deed for step in again} == {Deed.UNCHANGED}


def test_a_newer_edge_updates_what_nobody_has_touched(tmp_path: Path) -> None:
    place(parcel(Wishes()), tmp_path)
    (tmp_path / UNIT).write_text(stamped("[Unit]\nDescription=an older edge\n"))

    steps = {step.path: step.deed for step in place(parcel(Wishes()), tmp_path)}

    assert steps[UNIT] is Deed.UPDATED
    assert "an older edge" not in (tmp_path / UNIT).read_text()


def test_what_somebody_has_changed_is_neither_updated_nor_removed(tmp_path: Path) -> None:
    place(parcel(Wishes()), tmp_path)
    mine = (tmp_path / UNIT).read_text() + "Nice=5\n"
    (tmp_path / UNIT).write_text(mine)

    placed = {step.path: step.deed for step in place(parcel(Wishes()), tmp_path)}
    removed = {step.path: step.deed for step in remove(all_places(), tmp_path)}

    assert placed[UNIT] is removed[UNIT] is Deed.KEPT
    assert files(tmp_path) == {str(UNIT): mine}


def test_configuration_and_secrets_are_never_touched(tmp_path: Path) -> None:
    (tmp_path / "etc/edge/credentials").mkdir(parents=True)
    (tmp_path / "etc/edge/edge.yaml").write_text("device: gate\n")
    (tmp_path / "etc/edge/credentials/key").write_text("secret")

    place(parcel(Wishes()), tmp_path)
    remove(all_places(), tmp_path)

    assert files(tmp_path) == {"etc/edge/edge.yaml": "device: gate\n", "etc/edge/credentials/key": "secret"}


def test_a_dry_run_tells_the_same_and_does_nothing(tmp_path: Path) -> None:
    planned = plan_placing(parcel(Wishes()), tmp_path)
    before = files(tmp_path)

    assert (before, planned) == ({}, place(parcel(Wishes()), tmp_path))


def test_a_folder_that_can_not_be_written_to_stops_it_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/edge").write_text("a file where a folder should be")

    with pytest.raises(EdgeError, match="expected a folder, found a file"):
        place(parcel(Wishes()), tmp_path)

    assert list(files(tmp_path)) == ["etc/edge"]


def test_a_read_only_system_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mounting one needs root and a kernel that lets us; what the system answers is what is told apart."""
    real = os.statvfs(tmp_path)
    read_only = os.statvfs_result((*real[:8], real.f_flag | os.ST_RDONLY, real.f_namemax))
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda *_: read_only)

    with pytest.raises(EdgeError, match=r"Read-only.*remount,rw.*edge install --root"):
        place(parcel(Wishes()), tmp_path)


def test_without_root_it_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)

    with pytest.raises(EdgeError, match="start it with sudo"):
        place(parcel(Wishes()), tmp_path)


def test_the_units_run_the_program_that_was_named_and_reach_it(tmp_path: Path) -> None:
    items = {item.path.name: item.text for item in parcel(Wishes("/home/pi/edge/bin/edge", is_pair=True))}

    assert "ExecStart=/home/pi/edge/bin/edge run " in items["edge-detector.service"]
    assert "ProtectHome=read-only" in items["edge-publisher.service"]


def test_one_service_or_two_never_both(tmp_path: Path) -> None:
    place(parcel(Wishes()), tmp_path)
    pair = Wishes(is_pair=True)

    place(parcel(pair), tmp_path)
    remove(places_of_the_other(pair), tmp_path)

    units = {path.name for path in (tmp_path / "etc/systemd/system").iterdir()}
    assert units == {"edge-detector.service", "edge-publisher.service"}


def test_files_are_for_everybody_to_read(tmp_path: Path) -> None:
    place(parcel(Wishes()), tmp_path)

    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in files(tmp_path)} == {0o644}


def test_a_stamp_is_good_for_its_own_text_alone() -> None:
    text = stamped("a = 1\n")

    assert is_untouched(text)
    assert not is_untouched(text.replace("1", "2"))
    assert not is_untouched("a = 1\n")


def test_a_running_system_is_told_and_what_fails_is_said() -> None:
    asked: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> Done:
        asked.append(command)
        return Done(127, errors="not found") if command[0] == "udevadm" else Done(0)

    troubles = announce(run)

    assert ("systemctl", "daemon-reload") in asked
    assert troubles[0] == "`udevadm control --reload`: not found"


def test_only_units_that_are_there_are_stopped(tmp_path: Path) -> None:
    (tmp_path / "edge.service").touch()
    asked: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> Done:
        asked.append(command)
        return Done(0)

    withdraw([path.name for path in all_places()], run, folder=tmp_path)

    assert asked == [("systemctl", "disable", "--now", "edge.service")]
