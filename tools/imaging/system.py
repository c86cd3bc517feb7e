"""The system on the card: Debian with edge installed by its own package, and the files of ``system/`` laid over it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tools.imaging.environment import prepare_environment
from tools.packaging.chroot import Chroot

FOLDER = Path(__file__).resolve().parent
# A kernel with its firmware; a network by cable and by air; a login by SSH; a first start from the boot partition.
PACKAGES = (
    *("systemd", "systemd-sysv", "udev", "dbus", "kmod", "libpam-systemd", "init-system-helpers", "procps", "tzdata"),
    *("linux-image-arm64", "raspi-firmware", "firmware-brcm80211", "initramfs-tools", "zstd"),
    *("netplan.io", "systemd-resolved", "systemd-timesyncd", "wpasupplicant", "iw", "wireless-regdb"),
    *("iproute2", "iputils-ping", "openssh-server", "ca-certificates", "sudo", "nano"),
    *("cloud-init", "python3", "fdisk", "e2fsprogs", "dosfstools"),
)
# For mmdebstrap. The second component holds the Raspberry Pi's own firmware and that of its Wi-Fi. The initial file
# system is made anew when ours is laid over: one with every driver there is takes an emulator a quarter of an hour.
OPTIONS = (
    "--components=main,non-free-firmware",
    '--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d"',
    f'--essential-hook=cp "{FOLDER}/system/etc/initramfs-tools/conf.d/edge.conf" "$1/etc/initramfs-tools/conf.d/"',
)
_PROGRAMS = ("usr/lib/edge-image", "usr/share/initramfs-tools/hooks", "usr/share/initramfs-tools/scripts")
_ENABLED = ("edge-grow-data.service", "edge-host-keys.service", "systemd-networkd.service")
# What would wake up to write, or to look for updates that a read-only system does not take by itself.
_MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer"),
    "systemd-networkd-wait-online.service",  # a camera watches without a network, and tells later
)
# Made anew by each camera for itself, or of no use on it.
_TRACES = (
    *("etc/ssh/ssh_host_*", "var/lib/dbus/machine-id", "var/lib/systemd/random-seed", "var/cache/apt/*.bin"),
    *("var/cache/apt/archives/*.deb", "var/lib/apt/lists/*", "var/log/*", "tmp/*", "root/.cache", "run/*"),
    *("var/cache/ldconfig/aux-cache", "etc/machine-id", "etc/.pwd.lock", "etc/*-"),
)


class CardSystem:
    """A Debian system in a folder that becomes a card's."""

    def __init__(self, chroot: Chroot) -> None:
        self._chroot = chroot
        self.folder = chroot.folder

    @classmethod
    def copied_from(cls, base: Chroot, folder: Path) -> CardSystem:
        """A copy to work in; the base serves the next image too."""
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", str(base.folder), str(folder)], check=True)
        return cls(Chroot(folder, base.release, base.arch, base.native))

    def install(self, package: Path, version: str) -> None:
        """edge's package; where the system is emulated, its Python environment is filled by this machine."""
        carried = self.folder / "root" / package.name
        shutil.copyfile(package, carried)
        if self._chroot.is_foreign and self._chroot.native:
            self._chroot.run("dpkg", "--unpack", f"/root/{package.name}")
            helper = Chroot(self._chroot.native, self._chroot.release, "amd64")
            prepare_environment(self._chroot, helper, version)
        self._chroot.run("apt-get", "-y", "--no-install-recommends", "install", f"/root/{package.name}")
        carried.unlink()

    def lay_over(self, files: Path = FOLDER / "system") -> None:
        """Our own files, and an initial file system that knows them."""
        for source in sorted(path for path in files.rglob("*") if path.is_file()):
            path = str(source.relative_to(files))
            target = self.folder / path
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            target.chmod(0o755 if path.startswith(_PROGRAMS) else 0o644)
        (self.folder / "data").mkdir(exist_ok=True)
        self._chroot.run("systemctl", "enable", *_ENABLED)
        # A login is a person's wish: the first start switches it on.
        self._chroot.run("systemctl", "disable", "ssh.service", "ssh.socket", check=False)
        self._chroot.run("systemctl", "mask", *_MASKED)
        self._chroot.run("systemctl", "set-default", "multi-user.target")
        self._chroot.run("update-initramfs", "-u", "-k", "all")

    def forget(self) -> None:
        """Nothing of the machine that made it, and nothing that two cameras must not share."""
        for lent in ("usr/lib/x86_64-linux-gnu", "usr/lib64"):
            if (self.folder / lent).is_dir():
                (self.folder / lent).rmdir()  # empty: what was mounted there is gone
        (self.folder / "lib64").unlink(missing_ok=True)
        for pattern in _TRACES:
            for path in self.folder.glob(pattern):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        # All is up to date: nothing is built anew at the first start, which would take a Pi 3 half a minute.
        for folder in ("etc", "var"):
            (self.folder / folder / ".updated").touch()
        # Empty, not missing: systemd fills it in, and asks nobody anything.
        (self.folder / "etc/machine-id").touch(mode=0o444)
        (self.folder / "etc/hostname").write_text("edge\n", encoding="ascii")
        (self.folder / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n127.0.1.1 edge\n", encoding="ascii")
        resolver = self.folder / "etc/resolv.conf"
        resolver.unlink(missing_ok=True)
        resolver.symlink_to("../run/systemd/resolve/stub-resolv.conf")

    def take_boot(self, folder: Path, files: Path = FOLDER / "boot") -> None:
        """Moves what Debian's hooks made in /boot/firmware to ``folder``, and adds our own files."""
        made = self.folder / "boot/firmware"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made, folder)
        shutil.copytree(files, folder, dirs_exist_ok=True)
        for path in made.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def size(self) -> int:
        """In bytes, as a file system of 4-KiB blocks holds it."""
        said = subprocess.run(
            ["du", "--summarize", "--block-size=4096", "--one-file-system", str(self.folder)],
            check=True,
            capture_output=True,
            text=True,
        )
        return int(said.stdout.split()[0]) * 4096


def check_boot(folder: Path) -> None:
    """Raises RuntimeError when the firmware of a Raspberry Pi would not find what it needs."""
    config = (folder / "config.txt").read_text(encoding="utf-8")
    named = [line.split("=", 1)[1] for line in config.splitlines() if line.startswith("kernel=")]
    named += [line.split()[1] for line in config.splitlines() if line.startswith("initramfs ")]
    boards = ("rpi-3-b", "rpi-3-b-plus", "rpi-zero-2-w")
    wanted = ["bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat", "cmdline.txt", *named]
    wanted += [*(f"bcm2837-{board}.dtb" for board in boards), "bcm2711-rpi-4-b.dtb"]
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing or len(named) != 2:
        raise RuntimeError(f"the boot partition lacks {missing}; config.txt says:\n{config}")
