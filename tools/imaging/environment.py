"""edge's Python environment for a system of another architecture, filled by this machine's programs.

Emulated, pip and the compiler take a quarter of an hour for what takes a minute here. The wheels and their hashes are
those of the package; the system itself tries the result when the package is configured there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.packaging.chroot import Chroot
from tools.packaging.targets import Target

PYTHON = "3.13"  # of Debian 13
_COMMAND = """\
#!{folder}/bin/python
# -*- coding: utf-8 -*-
import re
import sys
from edge.cli import main
if __name__ == "__main__":
    sys.argv[0] = re.sub(r"(-script\\.pyw|\\.exe)?$", "", sys.argv[0])
    sys.exit(main())
"""


def prepare_environment(system: Chroot, helper: Chroot, version: str) -> None:
    """Fills the environment that the unpacked package is going to make; ``helper`` is native, with the same Python."""
    folder = f"/opt/edge/environments/{version}-python{PYTHON}"
    system.run("python3", "-m", "venv", "--system-site-packages", "--without-pip", folder)
    here = system.folder / folder.removeprefix("/")
    packages = here / f"lib/python{PYTHON}/site-packages"
    _fill(system, packages)
    _compile(helper, system, packages)
    command = here / "bin/edge"
    command.write_text(_COMMAND.format(folder=folder), encoding="utf-8")
    command.chmod(0o755)
    (here / "prepared").touch()


def _fill(system: Chroot, packages: Path) -> None:
    wheels = system.folder / "usr/lib/edge"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    command += ["--find-links", str(wheels / "wheels"), "--require-hashes", "--no-deps", "--no-compile"]
    command += [*Target(PYTHON, system.arch).pip_options(), "--target", str(packages), "--root-user-action=ignore"]
    command += ["--requirement", str(wheels / f"python{PYTHON}.requirements")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    subprocess.run(command, check=True, env=environment | {"PIP_CONFIG_FILE": os.devnull})


def _compile(helper: Chroot, system: Chroot, packages: Path) -> None:
    """Byte code, by the helper's Python of the same version started with its own libraries."""
    root, machine = helper.folder, os.uname().machine
    loader = next((root / "usr/lib64").glob("ld-linux-*")) if (root / "usr/lib64").is_dir() else None
    if loader is None:
        raise RuntimeError(f"{root}: expected a loader of programs in usr/lib64, found none")
    command = [str(loader), "--library-path", str(root / f"usr/lib/{machine}-linux-gnu")]
    command += [str(root / f"usr/bin/python{PYTHON}"), "-m", "compileall", "-q", "-s", str(system.folder), "-p", "/"]
    subprocess.run([*command, str(packages)], check=False, env={"PYTHONHOME": str(root / "usr"), "PATH": "/usr/bin"})
