"""Makes the lock files anew: ``python -m tools.packaging.locking`` asks pip which wheels pyproject.toml means today.

What comes out is what the next package carries: run the suite against these versions before committing it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tools.packaging.lock import Locked, write_lock
from tools.packaging.targets import CHECKOUT, MACHINES, Target, targets_of


def main() -> int:
    for arch in MACHINES:
        for target in targets_of(arch):
            wheels = _resolve(target)
            target.lock_file.write_text(write_lock(target.python, target.arch, wheels), encoding="utf-8")
            print(f"{target.lock_file.name}: {len(wheels)} wheels")
    return 0


def wanted(target: Target) -> list[str]:
    """The requirements of pyproject.toml that hold on the target, and pip itself, which installs them there."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    environment = {
        "python_version": target.python,
        "python_full_version": f"{target.python}.0",
        "platform_machine": MACHINES[target.arch],
    }
    requirements = [Requirement(text) for text in project["dependencies"]]
    held = [r for r in requirements if r.marker is None or r.marker.evaluate(environment)]
    return [f"{r.name}{r.specifier}" for r in held] + ["pip"]


def _resolve(target: Target) -> list[Locked]:
    # pip evaluates the markers of what the requirements require in its own Python: that none is missing is shown by
    # the installation without a network (tools/package-check).
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"),
            *("--report", str(report), "--target", folder, *target.pip_options(), *wanted(target)),
        ]
        subprocess.run(command, check=True)
        installed: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [_locked(item) for item in installed]


def _locked(item: dict[str, Any]) -> Locked:
    file = item["download_info"]
    name = canonicalize_name(item["metadata"]["name"])
    wheel = file["url"].rpartition("/")[2].replace("%2B", "+")
    return Locked(name, item["metadata"]["version"], file["archive_info"]["hashes"]["sha256"], wheel)


if __name__ == "__main__":
    sys.exit(main())
