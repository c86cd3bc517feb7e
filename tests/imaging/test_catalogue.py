"""os_list.json: what Raspberry Pi Imager fetches, checks and writes."""

from __future__ import annotations

import hashlib
import json
import lzma
from pathlib import Path

from tools.imaging.catalogue import Content, os_list


def test_sizes_and_sums_are_those_of_the_files(tmp_path: Path) -> None:
    image, packed = tmp_path / "edge.img", tmp_path / "edge.img.xz"
    image.write_bytes(b"card" * 100_000)
    packed.write_bytes(lzma.compress(image.read_bytes()))

    text = os_list(
        "0.1.0", Content.of(image), Content.of(packed), url="https://example.org/e.img.xz", date="2026-11-21"
    )

    (entry,) = json.loads(text)["os_list"]
    assert (entry["extract_size"], entry["image_download_size"]) == (400_000, packed.stat().st_size)
    assert entry["extract_sha256"] == hashlib.sha256(lzma.decompress(packed.read_bytes())).hexdigest()
    assert entry["image_download_sha256"] == hashlib.sha256(packed.read_bytes()).hexdigest()
    assert (entry["url"], entry["release_date"]) == ("https://example.org/e.img.xz", "2026-11-21")


def test_the_imager_offers_it_for_boards_that_it_starts_on() -> None:
    content = Content(1, "0" * 64)

    (entry,) = json.loads(os_list("1", content, content, url="u", date="d"))["os_list"]

    assert entry["devices"] == ["pi3-64bit", "pi4-64bit"]  # no Raspberry Pi 5: Debian's kernel has no drivers for it
    assert entry["init_format"] == "cloudinit"
