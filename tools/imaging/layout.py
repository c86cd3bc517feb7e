"""Where what lies on a card: three partitions, each at a fixed place. No disk is touched here."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20
FAT, LINUX = "c", "83"  # types of the MBR; a Raspberry Pi 3 starts from nothing else
BOOT_LABEL, ROOT_LABEL, DATA_LABEL = "bootfs", "edge-root", "edge-data"
# Firmware, two kernels with their initial file systems during an update, and a package of 140 MB for another edge.
BOOT_MIB = 512
# An update of edge needs 450 MB for a moment, and its package.
ROOT_SPARE_MIB = 640
# Grows to the end of the card at the first start; before that it holds what is written until then.
DATA_MIB = 64
DISK_ID = 0x65646765  # "edge": the same for every build
_ALIGNMENT_MIB = 4  # erase blocks of cards
BOOT_START_MIB = _ALIGNMENT_MIB


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition, in MiB from the beginning of the card."""

    kind: str
    start_mib: int
    size_mib: int

    @property
    def end_mib(self) -> int:
        return self.start_mib + self.size_mib


def partitions(root_bytes: int) -> tuple[Partition, Partition, Partition]:
    """Boot, root and data, for a root file system that holds ``root_bytes``."""
    boot = Partition(FAT, _ALIGNMENT_MIB, BOOT_MIB)
    root = Partition(LINUX, boot.end_mib, root_mib(root_bytes))
    return boot, root, Partition(LINUX, root.end_mib, DATA_MIB)


def root_mib(root_bytes: int) -> int:
    """A file system for so many bytes: its own tables take a twentieth, and an update has to fit in."""
    wanted = root_bytes * 21 // 20 // MIB + ROOT_SPARE_MIB
    return -(-wanted // _ALIGNMENT_MIB) * _ALIGNMENT_MIB


def sfdisk_script(parts: tuple[Partition, ...]) -> str:
    """What sfdisk(8) reads."""
    lines = ["label: dos", f"label-id: {DISK_ID:#010x}", "unit: sectors", "sector-size: 512"]
    for part in parts:
        sectors = MIB // 512
        flag = ", bootable" if part.kind == FAT else ""
        lines.append(f"start={part.start_mib * sectors}, size={part.size_mib * sectors}, type={part.kind}{flag}")
    return "\n".join([*lines, ""])
