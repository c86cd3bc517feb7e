"""Build a card image: ``tools/image`` sets the machine up and calls this."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tools.imaging.catalogue import Content, os_list
from tools.imaging.emulator import register
from tools.imaging.filesystems import join, make_boot, make_data, make_root, write_table
from tools.imaging.layout import BOOT_MIB, DATA_MIB, partitions, root_mib, sfdisk_script
from tools.imaging.system import OPTIONS, PACKAGES, CardSystem, check_boot
from tools.packaging.__main__ import moment_s
from tools.packaging.chroot import Chroot, check_emulation, need_root


def main() -> int:
    options = _options()
    try:
        need_root()
        register(options.roots)
        check_emulation()
        _build(options, _version(options.deb))
    except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    return 0


def _build(options: argparse.Namespace, version: str) -> None:
    roots = options.roots.resolve()
    helper = Chroot(roots / "trixie-amd64", "trixie", "amd64")
    base = Chroot(roots / "trixie-arm64-card", "trixie", "arm64", helper.folder)
    if base.is_foreign:
        helper.make("python3,zstd,cpio,mawk,openssl")
    _timed("Debian 13 from its archive", lambda: base.make(",".join(PACKAGES), *OPTIONS))
    options.out.mkdir(parents=True, exist_ok=True)
    image = options.out / f"edge_{version}_arm64.img"
    with tempfile.TemporaryDirectory(prefix="edge-image-", dir=options.roots) as folder:
        system = CardSystem.copied_from(base, Path(folder) / "root")
        _timed(f"{options.deb.name} installed", lambda: system.install(options.deb, version))
        _timed("our files laid over", system.lay_over)
        _timed("the card written", lambda: _write(system, Path(folder), image, moment_s()))
    print(
        f"{image}  {image.stat().st_size / 1e6:.0f} MB, {image.stat().st_blocks * 512 / 1e6:.0f} MB of them not empty"
    )
    if not options.raw:
        _timed("packed for Raspberry Pi Imager", lambda: _pack(image, version, options))


def _write(system: CardSystem, scratch: Path, image: Path, made_s: int) -> None:
    boot = scratch / "boot"
    system.forget()
    system.take_boot(boot)
    check_boot(boot)
    used = system.size()
    parts = partitions(used)
    make_boot(scratch / "boot.img", boot, BOOT_MIB, made_s)
    make_root(scratch / "root.img", system.folder, root_mib(used), made_s)
    make_data(scratch / "data.img", DATA_MIB, made_s)
    files = [scratch / f"{name}.img" for name in ("boot", "root", "data")]
    join(image, [(file, part.start_mib) for file, part in zip(files, parts, strict=True)], parts[-1].end_mib)
    write_table(image, sfdisk_script(parts))


def _pack(image: Path, version: str, options: argparse.Namespace) -> None:
    packed = image.with_name(f"{image.name}.xz")
    subprocess.run(["xz", "--keep", "--force", "--threads=0", f"-{options.effort}", str(image)], check=True)
    date = datetime.fromtimestamp(moment_s(), UTC).strftime("%Y-%m-%d")
    url = f"{options.url.rstrip('/')}/{packed.name}" if options.url else packed.resolve().as_uri()
    text = os_list(version, Content.of(image), Content.of(packed), url=url, date=date)
    (options.out / "os_list.json").write_text(text, encoding="utf-8")


def _version(package: Path) -> str:
    match = re.fullmatch(r"edge_([^_]+)_arm64\.deb", package.name)
    if match is None or not package.is_file():
        raise RuntimeError(f"--deb {package}: expected edge_VERSION_arm64.deb; make it with tools/package --arch arm64")
    return match[1]


def _timed(what: str, work: Callable[[], None]) -> None:
    began_s = time.monotonic()
    work()
    print(f"{what:40} {time.monotonic() - began_s:6.1f} s", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/image", description="Build an image for a memory card.")
    parser.add_argument("--deb", type=Path, required=True, help="edge_VERSION_arm64.deb, which goes into it")
    parser.add_argument("--out", type=Path, default=Path("dist"), help="the folder for the image (default: dist)")
    parser.add_argument("--roots", type=Path, default=Path("build/roots"), help="Debian is kept here for the next time")
    parser.add_argument("--url", default="", help="where the image will be fetched from, for os_list.json")
    parser.add_argument("--effort", type=int, choices=range(10), default=6, help="of xz (default: 6)")
    parser.add_argument("--raw", action="store_true", help="the image alone, neither packed nor listed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
