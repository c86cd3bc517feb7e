"""Many cards from one table, and what is written where."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from edge.cli.provision import provision
from edge.core.errors import ConfigError
from edge.provision.table import read_table
from edge.provision.writing import write_to_boot, write_to_folder
from tests.provision.desk import Desk

TABLE = "edge.device,edge.cameras.yard.source,wifi.name\ngate,picamera2:0,\ngarden,/dev/video0,Werkstatt\n"


@pytest.fixture
def table(desk: Desk) -> Path:
    path = desk.folder / "fleet.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    """The boot partition of a freshly flashed card."""
    folder = tmp_path / "bootfs"
    folder.mkdir()
    (folder / "config.txt").write_text("[all]\n")
    (folder / "cmdline.txt").write_text("console=tty1 root=PARTUUID=1-02 rootwait\n")
    return folder


def test_a_row_lies_over_the_site_file(desk: Desk, table: Path) -> None:
    gate, garden = (desk.contents(row) for row in read_table(table))

    assert "Müller: Netz" in gate["network-config"]
    assert "Werkstatt" in garden["network-config"]
    assert yaml.safe_load(garden["edge/edge.yaml"])["cameras"]["yard"]["source"] == "/dev/video0"


def test_each_device_gets_its_own_certificate(desk: Desk, table: Path) -> None:
    """``{device}`` in a path is the device's name."""
    gate, garden = (desk.contents(row) for row in read_table(table))

    assert gate["edge/etc/certificate.pem"] == (desk.folder / "gate-certificate.pem").read_text()
    assert garden["edge/etc/certificate.pem"] == (desk.folder / "garden-certificate.pem").read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("device,wifi.name\ngate,x\n", "with edge.device among them"),
        ("edge.device\ngate\ngate\n", "fleet.csv:3: the device 'gate' stands in line 2 already"),
        ("edge.device,wifi.name\ngate\n", "fleet.csv:2: expected 2 cells, found 1"),
        ("edge.device,wifi.name\n,Netz\n", "fleet.csv:2: the card has no edge.device"),
        ("edge.device\n", "expected 1 to 1000 cards, found 0"),
    ],
)
def test_a_table_that_is_wrong_says_where(table: Path, text: str, words: str) -> None:
    table.write_text(text)

    with pytest.raises(ConfigError, match=words.replace(".", r"\.")):
        read_table(table)


def test_one_command_writes_a_folder_per_card(desk: Desk, table: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        provision, [str(desk.site), "--table", str(table), "--out", str(tmp_path / "cards")], standalone_mode=False
    )

    assert done.exception is None
    assert sorted(path.name for path in (tmp_path / "cards").iterdir()) == ["garden", "gate"]
    assert (tmp_path / "cards/garden/edge/edge_0.1.0_arm64.deb").read_bytes().startswith(b"!<arch>")


def test_nothing_is_written_while_one_card_is_wrong(desk: Desk, table: Path, tmp_path: Path) -> None:
    table.write_text(TABLE + "shed,/dev/video9,\n")  # it has no certificate

    done = CliRunner().invoke(
        provision, [str(desk.site), "--table", str(table), "--out", str(tmp_path / "cards")], standalone_mode=False
    )

    assert isinstance(done.exception, ConfigError)
    assert "fleet.csv:4" in str(done.exception)
    assert not (tmp_path / "cards").exists()


def test_a_partition_that_is_none_of_a_raspberry_pi_is_left_alone(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected the boot partition .* flash the card first"):
        write_to_boot(desk.card(), tmp_path)


def test_raspberry_pi_os_12_is_told_by_its_kernel_line_once(desk: Desk, boot: Path) -> None:
    desk.change("raspberry_pi_os: 13", "raspberry_pi_os: 12")

    write_to_boot(desk.card(), boot)
    write_to_boot(desk.card(), boot)

    line = (boot / "cmdline.txt").read_text()
    assert line.startswith("console=tty1 root=PARTUUID=1-02 rootwait systemd.run=/boot/firmware/firstrun.sh")
    assert line.count("systemd.run=") == 1
    assert line.count("\n") == 1


def test_what_an_earlier_card_left_goes(desk: Desk, boot: Path) -> None:
    write_to_boot(desk.card(), boot)
    (boot / "EDGE-PROBLEM.txt").write_text("old")
    desk.change(", username: viewer, password: {file: camera}", "")

    write_to_boot(desk.card(), boot)

    assert not (boot / "edge/credentials/camera-street").exists()
    assert not (boot / "EDGE-PROBLEM.txt").exists()


def test_a_card_not_yet_started_says_so_to_any_pc(desk: Desk, boot: Path) -> None:
    write_to_boot(desk.card(), boot)

    assert (boot / "edge-status.txt").read_bytes().endswith(b"a few minutes\r\n")


def test_a_folder_s_secrets_are_its_owner_s_alone(desk: Desk, tmp_path: Path) -> None:
    write_to_folder(desk.card(), tmp_path / "gate")

    assert (tmp_path / "gate/edge/credentials/mqtt-key").stat().st_mode & 0o077 == 0


def test_a_card_with_edge_inside_needs_no_package(desk: Desk, boot: Path) -> None:
    desk.change("package: edge_0.1.0_arm64.deb\n", "")
    (boot / "edge-image.txt").write_text("edge\n")

    write_to_boot(desk.card(), boot)

    assert (boot / "edge/edge.yaml").is_file()
    assert not list((boot / "edge").glob("*.deb"))


def test_a_card_without_edge_and_without_package_is_refused_at_the_desk(desk: Desk, boot: Path) -> None:
    desk.change("package: edge_0.1.0_arm64.deb\n", "")

    with pytest.raises(
        ConfigError, match=r"has no edge inside; add to the site file `package: edge_VERSION_arm64.deb`"
    ):
        write_to_boot(desk.card(), boot)

    assert not (boot / "edge").exists()


def test_a_package_for_a_card_with_edge_inside_is_refused_at_the_desk(desk: Desk, boot: Path) -> None:
    (boot / "edge-image.txt").write_text("edge\n")

    with pytest.raises(ConfigError, match=r"read-only and has edge inside; leave `package` out"):
        write_to_boot(desk.card(), boot)


def test_credentials_that_an_earlier_card_named_are_no_longer_asked_for(desk: Desk, boot: Path) -> None:
    write_to_boot(desk.card(), boot)
    desk.forget_secrets()

    write_to_boot(desk.card(), boot)

    assert not (boot / "edge/credentials.conf").exists()


def test_time_servers_of_another_site_do_not_stay(desk: Desk, boot: Path) -> None:
    (boot / "edge").mkdir()
    (boot / "edge/timesyncd.conf").write_text("[Time]\nNTP=old.lan\n")

    write_to_boot(desk.card(), boot)

    assert not (boot / "edge/timesyncd.conf").exists()
