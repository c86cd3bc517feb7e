"""Our own files on the card: the shell and systemd read them, and the firmware finds what it is told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tools.imaging.system import FOLDER, check_boot

SYSTEM = FOLDER / "system"
SCRIPTS = [path for path in SYSTEM.rglob("*") if path.is_file() and path.read_text().startswith("#!/bin/sh")]
UNITS = sorted((SYSTEM / "usr/lib/systemd/system").glob("*.service"))


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    names = [
        "bootcode.bin",
        "start.elf",
        "fixup.dat",
        "start4.elf",
        "fixup4.dat",
        "cmdline.txt",
        "vmlinuz-6",
        "initrd-6",
    ]
    names += [f"bcm2837-rpi-{board}.dtb" for board in ("3-b", "3-b-plus", "zero-2-w")]
    for name in [*names, "bcm2711-rpi-4-b.dtb"]:
        (tmp_path / name).touch()
    (tmp_path / "config.txt").write_text("arm_64bit=1\nkernel=vmlinuz-6\ninitramfs initrd-6\n")
    return tmp_path


def test_scripts_and_units_were_found() -> None:
    assert (len(SCRIPTS), len(UNITS)) == (3, 2)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.parent.name)
def test_the_shell_reads_the_scripts(script: Path) -> None:
    done = subprocess.run(["sh", "-n", str(script)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_cloud_init_looks_at_the_boot_partition_alone() -> None:
    settings = yaml.safe_load((SYSTEM / "etc/cloud/cloud.cfg.d/90-edge.cfg").read_text())

    assert settings["datasource_list"] == ["NoCloud"]
    assert settings["datasource"]["NoCloud"]["seedfrom"] == "file:///boot/firmware/"
    assert settings["growpart"]["mode"] == "off"


def test_a_camera_starts_without_its_boot_partition() -> None:
    """Else systemd asks for a person at a keyboard, who is not there: a card's FAT is damaged sooner than the rest."""
    lines = [line.split() for line in (SYSTEM / "etc/fstab").read_text().splitlines() if line.startswith("LABEL=")]
    options = {place: words.split(",") for _, place, _, words, *_ in lines}

    assert "nofail" in options["/boot/firmware"]
    assert all("ro" in words for words in options.values())


def test_a_fresh_image_lets_nobody_in() -> None:
    user_data = (FOLDER / "boot/user-data").read_text()

    assert user_data.startswith("#cloud-config\n")
    assert yaml.safe_load(user_data) is None


def test_a_boot_partition_that_the_firmware_can_start_from(boot: Path) -> None:
    check_boot(boot)


@pytest.mark.parametrize("name", ["vmlinuz-6", "initrd-6", "bcm2837-rpi-zero-2-w.dtb", "start4.elf"])
def test_a_boot_partition_without_what_it_names_is_refused(boot: Path, name: str) -> None:
    (boot / name).unlink()

    with pytest.raises(RuntimeError, match=name):
        check_boot(boot)
