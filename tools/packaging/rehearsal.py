"""The life of a package in a real system: install, use, update, a new Python, remove, purge, all without a network.

    sudo tools/package-check --arch amd64 --release trixie --deb dist/edge_0.1.0_amd64.deb

An arm64 system runs under QEMU, whose version is checked: older ones compute int8 models wrongly.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tools.imaging.emulator import register
from tools.packaging.chroot import Chroot, check_emulation, need_root
from tools.packaging.targets import CHECKOUT

MAX_SCORE_DIFFERENCE = 0.02
_CLIP_FRAMES = 12
_CONFIGURATION = """\
device: rehearsal
broker: {host: 127.0.0.1, port: 1883}
cameras:
  scene:
    source: "synthetic:?seconds=600"
    publish_detections: true
    zones: {all: [[0, 0], [1, 0], [1, 1], [0, 1]]}
    rules: {seen: {when: enter, zone: all}}
"""
_LIVE = """
mosquitto -p 1883 >/dev/null 2>&1 &
sleep 1
stdbuf -oL mosquitto_sub -h 127.0.0.1 -t 'edge/#' -F '%t' &
subscriber=$!
PYTHON - ROOT/tmp/edge-notify <<'LISTEN' &
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
while True:
    print("systemd is told:", listener.recv(4096).decode().splitlines()[0], flush=True)
LISTEN
listener=$!
run="/usr/bin/edge run --duration SECONDS"
chroot ROOT /usr/bin/env NOTIFY_SOCKET=/tmp/edge-notify $run || echo "edge run ended with $?"
kill $listener $subscriber
wait $subscriber || true
"""
# One run of the model in the box with the tests' own delegate in its graph, and one without: the installed edge's code.
_ACCELERATED = """
import numpy as np
from edge.assemble.model import find
from edge.core.values import Tensor
from edge.infer.delegate import open_edgetpu
from edge.infer.interpreter import open_interpreter
from edge.infer.runtime import load_runtime
model, runtime = find("edge-default"), load_runtime()
image = model.layout.input
picture = np.random.default_rng(1).integers(-128, 128, (1, image.height, image.width, 3), dtype=np.int8)
picture = Tensor(picture, image.scale, image.zero_point, image.name)
delegate = open_edgetpu(runtime, "usb", "/tmp/libedgetpu.so.1")
found = open_interpreter(model, runtime, threads=1, delegate=delegate).invoke(picture)
expected = open_interpreter(model, runtime, threads=1).invoke(picture)
print(max(int(np.abs(a.values.astype(int) - b.values.astype(int)).max()) for a, b in zip(found, expected)))
"""
_COMPILERS = {"amd64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}


class Rehearsal:
    """The steps, in order; each tells what it found and raises RuntimeError when it is not what was promised."""

    def __init__(self, chroot: Chroot, package: Path, clip: Path) -> None:
        self._chroot = chroot
        self._package = package
        self._clip = clip  # a folder of pictures
        self._root = chroot.folder
        self._before = chroot.folder.with_name(f"{chroot.folder.name}.before")

    def short_steps(self) -> tuple[Callable[[], str], ...]:
        """One installation: each takes minutes where it is emulated."""
        return (*self._first_steps(), self.remove, self.purge)

    def all_steps(self) -> tuple[Callable[[], str], ...]:
        last = (self.install_again, self.new_python, self.remove, self.install_once_more, self.purge)
        return (*self._first_steps(), *last)

    def _first_steps(self) -> tuple[Callable[[], str], ...]:
        return (self.install, self.check, self.doctor, self.detect, self.accelerate, self.replay, self.run)

    def install(self) -> str:
        self._before.write_text("\n".join(sorted(self._chroot.files())), encoding="utf-8")
        self._apt("install", f"{_TMP}/{self._carry(self._package)}")
        self._chroot.run("/opt/edge/bin/python", "-c", "import edge, cv2, ai_edge_litert.interpreter")
        sizes = self._chroot.run("du", "-sm", "/opt/edge", "/usr/lib/edge").stdout.split()
        return f"environment {sizes[0]} MB, wheels {sizes[2]} MB"

    def check(self) -> str:
        return self._chroot.run("edge", "check").stdout.splitlines()[-1]

    def doctor(self) -> str:
        """Broken is what a system in a folder has no more of: a broker, systemd, a clock. Not the runtime."""
        told = json.loads(self._chroot.run("sh", "-c", "edge doctor --json 2>/dev/null || true").stdout)
        states = {finding["name"]: finding["state"] for finding in told}
        if states.get("runtime") != "ok" or states.get("versions") != "ok":
            raise RuntimeError(f"expected a runtime that works, found {told}")
        return ", ".join(f"{list(states.values()).count(word)} {word}" for word in ("ok", "warning", "broken"))

    def accelerate(self) -> str:
        """The delegate's way through the installed libraries, with the tests' own delegate."""
        library = self._root / "tmp/libedgetpu.so.1"
        source = CHECKOUT / "tests/accelerator.c"
        subprocess.run([_COMPILERS[self._chroot.arch], "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
        said = self._chroot.run("/opt/edge/bin/python", "-W", "ignore", "-c", _ACCELERATED).stdout
        difference = int(said.split()[-1])
        if difference > 1:
            raise RuntimeError(f"expected the numbers of the CPU, found them {difference} steps away: {said}")
        return f"a run with a delegate in the graph, within {difference} step of the CPU's"

    def detect(self) -> str:
        pictures = sorted(self._clip.iterdir())
        inside = self._root / "tmp" / self._clip.name
        shutil.copytree(self._clip, inside, dirs_exist_ok=True)
        here = _detections(_here("detect", "--json", *map(str, pictures)))
        carried = [f"{_TMP}/{self._clip.name}/{picture.name}" for picture in pictures]
        there = _detections(self._chroot.run("edge", "detect", "--json", *carried).stdout)
        if [label for label, _ in here] != [label for label, _ in there]:
            raise RuntimeError(f"expected the labels of this machine, {here}, found {there}")
        difference = max(abs(a - b) for (_, a), (_, b) in zip(here, there, strict=True))
        if difference > MAX_SCORE_DIFFERENCE:
            raise RuntimeError(f"scores differ by {difference:.4f}, more than {MAX_SCORE_DIFFERENCE}: {here} {there}")
        return f"{len(there)} detections in {len(pictures)} pictures, scores within {difference:.4f} of this machine's"

    def replay(self) -> str:
        configuration = self._configure()
        here = _here("replay", str(self._clip), "--config", str(configuration))
        inside = f"edge replay {_TMP}/{self._clip.name} --config /etc/edge/edge.yaml 2>/dev/null"
        there = self._chroot.run("sh", "-c", inside).stdout
        if not here or here != there:
            raise RuntimeError(f"events are not those of this machine:\n{here}\n{there}")
        return f"{len(there.splitlines())} events, the same to the byte as on this machine"

    def run(self) -> str:
        seconds = "90" if self._chroot.is_foreign else "15"
        script = _LIVE.replace("ROOT", str(self._root)).replace("SECONDS", seconds).replace("PYTHON", sys.executable)
        (self._root / "tmp/edge-notify").unlink(missing_ok=True)
        said = self._chroot.beside("sh", "-c", script).stdout
        told = [line for line in said.splitlines() if line.startswith("edge/rehearsal/")]
        wanted = ("edge/rehearsal/status", "edge/rehearsal/health", "edge/rehearsal/camera/scene/detections")
        missing = [topic for topic in wanted if topic not in told]
        if missing:
            raise RuntimeError(f"nothing was published on {missing}:\n{said}")
        if "systemd is told: READY=1" not in said:
            raise RuntimeError(f"systemd was never told READY=1:\n{said}")
        return f"READY; {len(told)} messages on {len(set(told))} topics"

    def install_again(self) -> str:
        changed = self._root / "etc/edge/edge.yaml"
        content = changed.read_text(encoding="utf-8")
        self._apt("install", "--reinstall", f"{_TMP}/{self._package.name}")
        if changed.read_text(encoding="utf-8") != content:
            raise RuntimeError("an update changed /etc/edge/edge.yaml")
        environments = list((self._root / "opt/edge/environments").iterdir())
        if len(environments) != 1:
            raise RuntimeError(f"expected one environment, found {environments}")
        return f"the configuration is untouched; environment {environments[0].name}"

    def new_python(self) -> str:
        """What an upgrade of the system does: /usr/bin/python3 becomes another, so the environment does not fit."""
        (environment,) = (self._root / "opt/edge/environments").iterdir()
        (library,) = (environment / "lib").glob("python3.*")
        library.rename(library.with_name("python3.9"))
        self._chroot.run("dpkg-trigger", "--by-package=python3-minimal", "/usr/bin/python3")
        self._chroot.run("dpkg", "--configure", "--pending")
        return self._chroot.run("edge", "--version").stdout.strip()

    def remove(self) -> str:
        outbox = self._root / "var/lib/edge/outbox.db"
        outbox.parent.mkdir(parents=True, exist_ok=True)
        outbox.write_text("events", encoding="utf-8")
        self._apt("remove", "edge")
        gone, kept = (
            ("opt/edge", "usr/lib/edge", "usr/bin/edge"),
            ("etc/edge/edge.yaml", "var/lib/edge/outbox.db"),
        )
        left = [name for name in gone if (self._root / name).exists()]
        lost = [name for name in kept if not (self._root / name).exists()]
        if left or lost:
            raise RuntimeError(f"remove left {left} and lost {lost}")
        return "configuration and outbox kept"

    def install_once_more(self) -> str:
        self._apt("install", f"{_TMP}/{self._package.name}")
        if (self._root / "etc/edge/edge.yaml").read_text(encoding="utf-8") != _CONFIGURATION:
            raise RuntimeError("installing again changed the configuration that was kept")
        return self._chroot.run("edge", "check").stdout.splitlines()[-1]

    def purge(self) -> str:
        said = self._apt("purge", "edge")
        left = sorted(self._chroot.files() - set(self._before.read_text(encoding="utf-8").splitlines()))
        if left:
            raise RuntimeError(f"purge left {left}")
        return "; ".join(line for line in said.splitlines() if line.startswith("edge:"))

    def _configure(self) -> Path:
        file = self._root / "etc/edge/edge.yaml"
        file.write_text(_CONFIGURATION, encoding="utf-8")
        return file

    def _carry(self, file: Path) -> str:
        shutil.copyfile(file, self._root / "tmp" / file.name)
        return file.name

    def _apt(self, *arguments: str) -> str:
        return self._chroot.run("apt-get", "-y", "--no-install-recommends", *arguments).stdout


_EDGE = [sys.executable, "-m", "edge"]
_TMP = "/tmp"  # noqa: S108 - inside the chroot, which is this program's alone


def _here(*arguments: str) -> str:
    """What this checkout's edge prints."""
    done = subprocess.run(
        [*_EDGE, *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    return done.stdout


def main() -> int:
    options = _options()
    need_root()
    if options.arch == "arm64":
        register(options.roots)
        check_emulation()
    chroot = Chroot(options.roots / f"{options.release}-{options.arch}", options.release, options.arch)
    chroot.make()
    with tempfile.TemporaryDirectory() as folder:
        rehearsal = Rehearsal(chroot, options.deb, _clip(Path(folder)))
        for step in _wanted(options, rehearsal):
            began_s = time.monotonic()
            found = step()
            print(f"{step.__name__.replace('_', ' '):18} {time.monotonic() - began_s:6.1f} s  {found}", flush=True)
    return 0


def _wanted(options: argparse.Namespace, rehearsal: Rehearsal) -> tuple[Callable[[], str], ...]:
    steps = rehearsal.short_steps() if options.short else rehearsal.all_steps()
    return steps if options.only is None else tuple(step for step in steps if step.__name__ in options.only)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/package-check", description="Rehearse a package in a real system.")
    parser.add_argument("--deb", type=Path, required=True)
    parser.add_argument("--arch", choices=("arm64", "amd64"), default="amd64")
    parser.add_argument("--release", choices=("bookworm", "trixie"), default="trixie", help="Raspberry Pi OS 12 or 13")
    parser.add_argument("--roots", type=Path, default=Path("build/roots"), help="the systems are kept here")
    parser.add_argument("--short", action="store_true", help="for emulation: install once")
    parser.add_argument("--only", nargs="+", metavar="STEP", help="go on with these steps, as a full run names them")
    return parser.parse_args()


def _clip(folder: Path) -> Path:
    """A public-domain photograph with a vehicle in it, moving to the left picture by picture."""
    import cv2
    import numpy as np
    from skimage import data

    clip = folder / "clip"
    clip.mkdir()
    photograph = data.stereo_motorcycle()[0][:, :, ::-1]
    for number in range(_CLIP_FRAMES):
        cv2.imwrite(str(clip / f"{number:03}.png"), np.roll(photograph, -4 * number, axis=1))
    return clip


def _detections(text: str) -> list[tuple[str, float]]:
    pictures = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [(found["label"], found["score"]) for picture in pictures for found in picture["detections"]]


if __name__ == "__main__":
    sys.exit(main())
