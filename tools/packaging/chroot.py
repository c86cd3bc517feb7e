"""A Debian system in a folder: made by mmdebstrap, entered with mounts of its own and without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.packaging.targets import FOLDER

# The service reads the processor's features from /proc/cpuinfo; under emulation that file tells of the host's.
_CPUINFO = "".join(
    f"processor\t: {core}\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\n"
    "CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n"
    for core in range(4)
)
_NATIVE_SCRIPT = FOLDER / "native.sh"
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_PACKAGES = "python3,ca-certificates,init-system-helpers,procps,tzdata"
# Mounts of a namespace of its own: they end with the command, whatever becomes of it.
_ENTER = """
set -e
ip link set lo up
mount -t proc proc "$ROOT/proc"
mount --rbind /sys "$ROOT/sys"
mount --rbind /dev "$ROOT/dev"
if [ -n "$CPUINFO" ]; then mount --bind "$CPUINFO" "$ROOT/proc/cpuinfo"; fi
if [ -n "$NATIVE" ]; then sh "$NATIVE_SCRIPT" "$ROOT" "$NATIVE"; fi
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Chroot:
    """One system.

    arch : Debian's name
    native : a system of the same release and this machine's architecture, whose shell and small tools are lent to a
        foreign one (native.sh); None = all of it is emulated
    """

    folder: Path
    release: str
    arch: str
    native: Path | None = None

    def make(self, packages: str = _PACKAGES, *options: str) -> None:
        """From the distribution's archive, unless it is there.

        packages : beside the essential ones, with commas
        options : more of them for mmdebstrap
        """
        if not (self.folder / "usr").is_dir():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            command = ["mmdebstrap", "--quiet", f"--arch={self.arch}", "--variant=apt", f"--include={packages}"]
            # beside, then renamed: one that was broken off is not taken for a whole one
            new = self.folder.with_name(f"{self.folder.name}.new")
            shutil.rmtree(new, ignore_errors=True)
            if self.native and self.is_foreign:
                command.append(f'--essential-hook=sh {_NATIVE_SCRIPT} "$1" {self.native}')
            # the mounts of the hook end with this namespace
            subprocess.run(["unshare", "--mount", *command, *options, self.release, str(new)], check=True)
            new.rename(self.folder)

    @property
    def is_foreign(self) -> bool:
        native = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
        return self.arch != native

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command inside, without a network; what it says on both streams comes back together."""
        inside = ["chroot", str(self.folder), "/usr/bin/env", "-i", *self._environment(), *command]
        return self.beside(*inside, check=check)

    def beside(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command of this machine in the same kind of namespace; it may start others inside with chroot."""
        enter = [
            "unshare",
            "--mount",
            "--net",
            "--pid",
            "--uts",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            _ENTER,
            "enter",
            *command,
        ]
        native = str(self.native) if self.native and self.is_foreign else ""
        environment = os.environ | {"ROOT": str(self.folder), "CPUINFO": self._cpuinfo(), "NATIVE": native}
        environment["NATIVE_SCRIPT"] = str(_NATIVE_SCRIPT)
        done = subprocess.run(
            enter, check=False, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
        return done

    def files(self) -> set[str]:
        """All that lies in it, without what the package tools write about themselves."""
        found = subprocess.run(
            ["find", ".", "-xdev", "-print"], cwd=self.folder, check=True, capture_output=True, text=True
        )
        own = ("./var/lib/dpkg", "./var/log", "./var/cache/apt", "./var/lib/apt", "./tmp", "./var/lib/systemd", "./dev")
        return {line for line in found.stdout.splitlines() if not line.startswith(own)}

    def _environment(self) -> list[str]:
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        values = {"PATH": path, "HOME": "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        return [f"{key}={value}" for key, value in values.items()]

    def _cpuinfo(self) -> str:
        if not self.is_foreign:
            return ""
        file = self.folder.with_name(f"{self.folder.name}.cpuinfo")
        file.write_text(_CPUINFO, encoding="utf-8")
        return str(file)


def check_emulation() -> None:
    """Raises RuntimeError when arm64 programs do not run here, or run wrongly. Not asked of an ARM machine."""
    if os.uname().machine == "aarch64":
        return
    entries = [text for text in map(_text, _BINFMT.glob("*")) if "qemu-aarch64" in text]
    if not entries:
        raise RuntimeError(
            f"no emulator for arm64 in {_BINFMT}; mount binfmt_misc there and register Debian 13's qemu-user"
        )
    program = next(line.split()[1] for line in entries[0].splitlines() if line.startswith("interpreter"))
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    major = int(said.split("version ")[1].split(".")[0])
    if major < 10:
        raise RuntimeError(f"{program} is QEMU {major}: before 10 it miscomputes int8 models; install a newer one")


def need_root() -> None:
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        raise RuntimeError("this needs root and mmdebstrap: sudo apt-get install mmdebstrap")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.name not in ("register", "status") else ""
