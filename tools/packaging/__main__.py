"""Build the Debian package: ``tools/package`` sets the machine up and calls this."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tools.packaging.deb import build_package
from tools.packaging.targets import CHECKOUT, MACHINES
from tools.packaging.wheels import WheelError


def main() -> int:
    options = _options()
    try:
        package = build_package(options.arch, options.out, options.cache, moment_s())
    except WheelError as error:
        print(f"package: {error}", file=sys.stderr)
        return 75
    print(f"{package}  {package.stat().st_size / 1e6:.0f} MB")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/package", description="Build edge_VERSION_ARCH.deb.")
    parser.add_argument("--arch", choices=sorted(MACHINES), default="arm64", help="arm64 is the Raspberry Pi's")
    parser.add_argument("--out", type=Path, default=Path("dist"), help="the folder for the package (default: dist)")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(".cache/wheels"),
        help="fetched wheels are kept here (default: .cache/wheels)",
    )
    return parser.parse_args()


def moment_s() -> int:
    """SOURCE_DATE_EPOCH, else the moment of the last commit, in seconds since 1970."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    command = ["git", "-C", str(CHECKOUT), "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    sys.exit(main())
