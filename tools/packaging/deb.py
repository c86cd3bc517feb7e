"""One package: wheels and files in a folder, control files beside them, dpkg-deb over both."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from edge import __version__
from tools.packaging.lock import Locked
from tools.packaging.payload import (
    SCRIPTS,
    Placed,
    own_files,
    requirements,
    set_times,
    system_files,
    template,
    write_files,
)
from tools.packaging.targets import CHECKOUT, targets_of
from tools.packaging.wheels import build_own_wheel, digest, fetch_wheels, locked_wheels

# Wheels are compressed already: more effort takes minutes, here and on the Pi, and gains nothing.
_PACKING = ["-Zgzip", "-z1"]


def build_package(arch: str, out: Path, cache: Path, moment_s: int) -> Path:
    """``out/edge_VERSION_ARCH.deb``; the same sources, lock files and moment make the same bytes."""
    out.mkdir(parents=True, exist_ok=True)
    package = out / f"edge_{__version__}_{arch}.deb"
    with tempfile.TemporaryDirectory(prefix="edge-package-") as folder:
        root = Path(folder) / "root"
        _fill(root, arch, cache, Path(folder) / "own", moment_s)
        _write_control(root, arch)
        set_times(root, moment_s)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", *_PACKING, "--build", str(root), str(package)],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"SOURCE_DATE_EPOCH": str(moment_s)},
        )
    return package


def _fill(root: Path, arch: str, cache: Path, scratch: Path, moment_s: int) -> None:
    wheels = root / "usr/lib/edge/wheels"
    wheels.mkdir(parents=True)
    own_wheel = build_own_wheel(scratch, moment_s)
    shutil.copyfile(own_wheel, wheels / own_wheel.name)
    own = Locked("edge-detector", __version__, digest(own_wheel), own_wheel.name)
    files = [*own_files(__version__, moment_s), *system_files(CHECKOUT / "systemd")]
    for target in targets_of(arch):
        for wheel in fetch_wheels(target, cache / arch):
            shutil.copyfile(wheel, wheels / wheel.name)
        text = requirements(locked_wheels(target), own)
        files.append(Placed(f"usr/lib/edge/python{target.python}.requirements", text.encode()))
    write_files(files, root)


def _write_control(root: Path, arch: str) -> None:
    payload = sorted(path for path in root.rglob("*") if path.is_file())
    sums = "".join(f"{_md5(path)}  {path.relative_to(root)}\n" for path in payload)
    # As dpkg counts: each file in whole KiB, folders as one.
    size_kb = sum((path.stat().st_size + 1023) // 1024 if path.is_file() else 1 for path in root.rglob("*"))
    values = {"ARCH": arch, "VERSION": __version__, "INSTALLED_KB": str(size_kb)}
    control = [Placed(f"DEBIAN/{name}", template(name, **values), 0o755) for name in SCRIPTS]
    control += [Placed(f"DEBIAN/{name}", template(name, **values)) for name in ("control", "triggers")]
    write_files([*control, Placed("DEBIAN/md5sums", sums.encode())], root)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
