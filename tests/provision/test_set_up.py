"""The set-up on the device: what lies where afterwards, and what an interrupted or a wrong one leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.provision.desk import CAMERA_PASSWORD, Desk
from tests.provision.device import Device

_DROP_IN = "etc/systemd/system/edge.service.d/credentials.conf"


@pytest.fixture
def device(desk: Desk, tmp_path: Path) -> Device:
    return Device(tmp_path / "device", desk)


def secrets_on_the_boot_partition(device: Device) -> list[Path]:
    texts = {path: path.read_bytes().decode(errors="replace") for path in device.boot.rglob("*") if path.is_file()}
    return [path for path, text in texts.items() if CAMERA_PASSWORD in text or "PRIVATE KEY" in text or "$6$" in text]


def test_a_card_makes_the_device_the_camera_of_the_site_file(device: Device) -> None:
    assert device.start() == 0

    assert "device: gate" in device.file("etc/edge/edge.yaml").read_text()
    assert device.file("etc/edge/credentials/camera-street").read_text() == CAMERA_PASSWORD
    assert device.file("etc/edge/credentials/mqtt-key").stat().st_mode & 0o777 == 0o600
    assert device.status.read_text().startswith("set up as gate with edge, version 9.9")
    assert not device.problem.exists()


def test_secrets_leave_the_boot_partition(device: Device) -> None:
    assert secrets_on_the_boot_partition(device)

    device.start()

    assert not secrets_on_the_boot_partition(device)


def test_a_power_cut_during_the_set_up_is_made_good_by_the_next_start(device: Device) -> None:
    """cloud-init notes that a command ran before it runs, and never runs it again."""
    device.cut_the_power_while_it_installs()
    assert device.status.read_text().startswith("being set up")

    device.start_again()

    assert device.status.read_text().startswith("set up as gate")
    assert not secrets_on_the_boot_partition(device)


def test_a_power_cut_before_the_first_word_of_the_set_up_is_made_good_too(device: Device) -> None:
    """When cloud-init has noted that it ran, and it has not."""
    device.begin()

    device.start_again()

    assert device.status.read_text().startswith("set up as gate")


def test_once_set_up_no_start_sets_it_up_again(device: Device) -> None:
    device.start()
    (device.root / "etc/edge/edge.yaml").write_text("changed on the device\n")

    for _ in range(3):
        device.start_again()

    assert device.file("etc/edge/edge.yaml").read_text() == "changed on the device\n"


def test_what_is_wrong_is_told_where_any_pc_can_read_it(device: Device) -> None:
    assert device.start(DPKG_CODE="1") == 1

    told = device.problem.read_bytes().decode()
    assert "What is wrong: the package edge_0.1.0_arm64.deb can't be installed\r\n" in told
    assert "What to do:    read the lines below" in told
    assert not secrets_on_the_boot_partition(device)


def test_a_card_that_was_wrong_is_set_up_once_it_is_mended(device: Device) -> None:
    device.start(DPKG_CODE="1")

    device.start_again()

    assert not device.problem.exists()
    assert device.status.read_text().startswith("set up as gate")


def test_a_32_bit_system_is_refused_with_the_way_out(device: Device) -> None:
    assert device.start(ARCHITECTURE="armhf") == 1

    told = device.problem.read_text()
    assert "the system on this card is made for armhf" in told
    assert "flash the 64-bit Raspberry Pi OS" in told
    assert not secrets_on_the_boot_partition(device)


def test_a_package_for_a_system_that_is_never_written_is_refused_in_words(device: Device) -> None:
    assert device.start(SYSTEM="ro,noatime") == 1

    assert "leave `package` out of the site file" in device.problem.read_text()


def test_a_site_without_secrets_takes_those_of_the_one_before_away(device: Device, desk: Desk) -> None:
    """A unit that is handed a credential that is nowhere does not start."""
    device.start()
    assert device.file(_DROP_IN).exists()
    desk.forget_secrets()
    device.provision(desk)

    device.start()

    assert not device.file(_DROP_IN).exists()


def test_time_servers_that_are_no_longer_named_are_no_longer_asked(device: Device, desk: Desk) -> None:
    servers = device.file("etc/systemd/timesyncd.conf.d/edge.conf")
    desk.change("login:", "time_servers: [192.168.1.1]\nlogin:")
    device.provision(desk)
    device.start()
    assert servers.exists()
    desk.change("time_servers: [192.168.1.1]\n", "")
    device.provision(desk)

    device.start()

    assert not servers.exists()
