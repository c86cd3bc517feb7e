"""A card's files onto a boot partition, or into a folder that is copied there later."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from edge.core.errors import ConfigError
from edge.provision.card import Card

_SIGNS = ("cmdline.txt", "config.txt")  # what every boot partition of a Raspberry Pi has
_IMAGE = "edge-image.txt"  # says that the card has edge inside


def write_to_boot(card: Card, boot: Path) -> int:
    """Onto a mounted boot partition; answers with the bytes written. Raises ConfigError."""
    if not all((boot / name).is_file() for name in _SIGNS):
        raise ConfigError(
            f"{boot}: expected the boot partition of a card with Raspberry Pi OS ({' and '.join(_SIGNS)} in it), "
            "found something else; flash the card first, then name the folder where it is mounted"
        )
    if card.package is None and not (boot / _IMAGE).is_file():
        raise ConfigError(
            f"{boot}: expected a card with edge's own image ({_IMAGE} in it), found another system, which has no edge "
            "inside; add to the site file `package: edge_VERSION_arm64.deb`"
        )
    if card.package is not None and (boot / _IMAGE).is_file():
        raise ConfigError(
            f"{boot}: expected a card without edge, as `package` is in the site file; found edge's own image, which is "
            "read-only and has edge inside; leave `package` out"
        )
    written = _write(card, boot, shutil.copyfile)
    if card.kernel_words:
        _add_kernel_words(boot / "cmdline.txt", card.kernel_words)
    return written


def write_to_folder(card: Card, folder: Path) -> int:
    """Into a folder of its own, for a card that is not here; answers with the bytes written. Raises ConfigError."""
    written = _write(card, folder, _link)
    if card.kernel_words:
        (folder / "add-to-cmdline.txt").write_text(f"{card.kernel_words.strip()}\n", encoding="utf-8")
    return written


def _write(card: Card, root: Path, place: Callable[[Path, Path], object]) -> int:
    needed = sum(len(file.content) for file in card.files) + (card.package.stat().st_size if card.package else 0)
    try:
        root.mkdir(parents=True, exist_ok=True)
        _clear(root)
        free = shutil.disk_usage(root).free
        if free < needed:
            raise ConfigError(f"{root}: expected {needed >> 20} MiB free, found {free >> 20}; is this the right card?")
        for file in card.files:
            path = root / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            # Secrets among them: no other user of this machine may read what waits for its card. FAT ignores it.
            path.touch(mode=0o600)
            path.write_bytes(file.content)
        if card.package is not None:
            place(card.package, root / "edge" / card.package.name)
        os.sync()
    except OSError as error:
        raise ConfigError(f"{root}: can't be written: {error.strerror}; is the card locked, or read-only?") from error
    return needed


def _clear(root: Path) -> None:
    """Nothing of another card stays: a certificate that is no longer named would go along."""
    shutil.rmtree(root / "edge", ignore_errors=True)
    (root / "EDGE-PROBLEM.txt").unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    """One copy of the package serves a hundred folders, where the file system lets it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _add_kernel_words(cmdline: Path, words: str) -> None:
    line = cmdline.read_text(encoding="utf-8").strip()
    if "systemd.run=" not in line:
        cmdline.write_text(f"{line}{words}\n", encoding="utf-8")
