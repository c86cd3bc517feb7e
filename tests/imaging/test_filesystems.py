"""A card's file systems and its table, read back by the programs that everybody has for them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tools.imaging.filesystems import join, make_boot, make_data, make_root, put_on_boot, read_from_boot, write_table
from tools.imaging.layout import MIB, partitions, sfdisk_script

MOMENT_S = 1_790_000_000
_ENVIRONMENT = os.environ | {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "content"
    (folder / "overlays").mkdir(parents=True)
    (folder / "config.txt").write_text("kernel=vmlinuz\n")
    (folder / "overlays/map.dtb").write_bytes(b"\xd0\x0d\xfe\xed" * 1000)
    return folder


def said(*command: str) -> str:
    return subprocess.run(command, env=_ENVIRONMENT, check=True, capture_output=True, text=True).stdout


def test_the_boot_partition_holds_the_folder(content: Path, tmp_path: Path) -> None:
    make_boot(tmp_path / "boot.img", content, 40, MOMENT_S)

    assert read_from_boot(tmp_path / "boot.img", 0, "overlays/map.dtb", tmp_path).name
    assert (tmp_path / "map.dtb").read_bytes() == (content / "overlays/map.dtb").read_bytes()
    said("fsck.vfat", "-n", str(tmp_path / "boot.img"))


def test_a_site_s_files_replace_those_of_the_image_inside_a_card(content: Path, tmp_path: Path) -> None:
    make_boot(tmp_path / "boot.img", content, 40, MOMENT_S)
    join(tmp_path / "card.img", [(tmp_path / "boot.img", 4)], 48)
    site = tmp_path / "site"
    (site / "edge").mkdir(parents=True)
    (site / "config.txt").write_text("kernel=other\n")
    (site / "edge/edge.yaml").write_text("device: gate\n")

    put_on_boot(tmp_path / "card.img", 4 * MIB, site)

    for name, text in (("config.txt", "kernel=other\n"), ("edge/edge.yaml", "device: gate\n")):
        read_from_boot(tmp_path / "card.img", 4 * MIB, name, tmp_path)
        assert (tmp_path / Path(name).name).read_text() == text


def test_the_same_folder_and_moment_make_the_same_bytes(content: Path, tmp_path: Path) -> None:
    for number in range(2):
        make_boot(tmp_path / f"boot{number}.img", content, 40, MOMENT_S)
        make_data(tmp_path / f"data{number}.img", 40, MOMENT_S)

    for name in ("boot", "data"):
        assert (tmp_path / f"{name}0.img").read_bytes() == (tmp_path / f"{name}1.img").read_bytes()


def test_the_root_holds_the_folder_with_its_rights(content: Path, tmp_path: Path) -> None:
    (content / "config.txt").chmod(0o640)

    make_root(tmp_path / "root.img", content, 40, MOMENT_S)

    said("e2fsck", "-f", "-n", str(tmp_path / "root.img"))
    assert "Mode:  0640" in said("debugfs", "-R", "stat /config.txt", str(tmp_path / "root.img"))


def test_the_data_partition_can_grow_to_a_large_card(tmp_path: Path) -> None:
    make_data(tmp_path / "data.img", 64, MOMENT_S)
    with (tmp_path / "data.img").open("r+b") as stream:
        stream.truncate(20_000 * MIB)

    said("e2fsck", "-f", "-p", str(tmp_path / "data.img"))
    said("resize2fs", str(tmp_path / "data.img"))

    assert "Block count:              5120000" in said("dumpe2fs", "-h", str(tmp_path / "data.img"))


def test_the_table_is_read_as_it_was_planned(tmp_path: Path) -> None:
    parts = partitions(1_000_000_000)
    card = tmp_path / "card.img"
    join(card, [], parts[-1].end_mib)

    write_table(card, sfdisk_script(parts))

    table = json.loads(said("sfdisk", "--json", str(card)))["partitiontable"]
    assert (table["label"], table["id"]) == ("dos", "0x65646765")
    found = [(p["start"] // 2048, p["size"] // 2048, p["type"]) for p in table["partitions"]]
    assert found == [(p.start_mib, p.size_mib, p.kind) for p in parts]
