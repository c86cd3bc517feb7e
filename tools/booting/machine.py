"""An emulated computer that starts from a card image: QEMU takes the firmware's part and loads the kernel."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.imaging.filesystems import read_from_boot
from tools.imaging.layout import BOOT_START_MIB, MIB

BOOT_OFFSET = BOOT_START_MIB * MIB
# A camera that the kernel itself makes up, behind the same interface as a USB camera's.
_CAMERA = "modules_load=vivid vivid.n_devs=1 vivid.node_types=0x1"
# A maker's address (b8:27:eb is the Raspberry Pi's): a network over USB is then called eth0, as on a real one.
# At full speed: the 8,000 interrupts a second of the faster USB would leave an emulated processor no time for more.
_USB_NETWORK = ["-global", "dwc2-usb.usb_version=1", "-device", "usb-net,netdev=n0,mac=b8:27:eb:00:00:01"]
# Emulated beside other work it takes minutes to find its devices; systemd gives up on one after a minute and a half.
_PATIENCE = "systemd.default_device_timeout_sec=600"
# QEMU's raspi3b has no watchdog that counts down: the moment it is armed the machine starts anew (bcm2835_powermgt.c).
_NO_WATCHDOG = "systemd.watchdog_sec=off"
# QEMU's network over USB is a CDC Ethernet; cdc_subset takes it for a gadget, by its number, and then nothing passes.
_NO_GADGET = "modprobe.blacklist=cdc_subset"
_VIRTIO_NETWORK = ["-device", "virtio-net-pci,netdev=n0,romfile="]


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of machine. ``disk`` has the place of the card's file in it.

    accelerator : how QEMU runs its processors
    words : for the kernel's command line
    """

    accelerator: str
    options: tuple[str, ...]
    console: str
    disk: tuple[str, ...]
    device_tree: str | None = None
    words: str = ""


MODELS = {
    "virt": Model(
        "tcg,thread=multi",
        ("-machine", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "1024", *_VIRTIO_NETWORK),
        "ttyAMA0",
        ("-drive", "file={card},format=raw,if=virtio,cache=writeback", "-device", "virtio-rng-pci"),
    ),
    # Four cores, 1 GB, an SD card, no clock that runs while it is off: all as the board has them. The cores take turns
    # in one thread: beside each other on fewer, one waits for another that stands still, which the kernel calls a hang.
    "raspi3b": Model(
        "tcg,thread=single",
        ("-machine", "raspi3b", *_USB_NETWORK),
        "ttyS1,115200",
        ("-drive", "file={card},format=raw,if=sd,cache=writeback"),
        "bcm2837-rpi-3-b.dtb",
        f"{_NO_WATCHDOG} {_NO_GADGET}",
    ),
}


class Machine:
    """One computer and its card; on from the constructor's end to ``cut`` or its own end."""

    def __init__(self, emulator: list[str], model: str, card: Path, folder: Path, *, ssh_port: int) -> None:
        self._emulator = emulator
        self._model = MODELS[model]
        self._card = card
        self._folder = folder
        self._ssh_port = ssh_port
        self._process: subprocess.Popen[bytes] | None = None
        self.console = folder / "console.log"

    def start(self, *, clock: str | None = None) -> None:
        """Power on. ``clock``: what the clock shows, as 2020-01-01T00:00:00; the right time otherwise."""
        kernel, initial, words = self._from_card()
        command = [*self._emulator, "-accel", self._model.accelerator, *self._model.options]
        command += ["-kernel", str(kernel), "-initrd", str(initial)]
        command += [
            "-append",
            f"{words} console={self._model.console} {_PATIENCE} {_CAMERA} {self._model.words}".rstrip(),
        ]
        if self._model.device_tree is not None:
            command += ["-dtb", str(read_from_boot(self._card, BOOT_OFFSET, self._model.device_tree, self._folder))]
        # Every address of this network but the host's loopback is out of reach.
        command += ["-netdev", f"user,id=n0,hostfwd=tcp:127.0.0.1:{self._ssh_port}-:22"]
        command += [part.format(card=self._card) for part in self._model.disk]
        command += ["-rtc", f"base={clock or 'utc'}", "-display", "none", "-monitor", "none"]
        command.append("-no-reboot")  # a camera that starts anew by itself is a fault: it would be waited for in vain
        console = ["-serial", f"file:{self.console}"]
        command += ["-serial", "null", *console] if self._model.device_tree else console
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(self._folder / "qemu.log").open("ab")
        )

    @property
    def is_on(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def cut(self) -> None:
        """The power goes, at once: what had not reached the card is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wait_off(self, patience_s: float) -> None:
        """Until it has gone off by itself; it is cut when it does not."""
        try:
            if self._process is not None:
                self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"the machine did not go off within {patience_s:.0f} s: {self.last_words()}") from None
        finally:
            self.cut()

    def last_words(self) -> str:
        if not self.console.exists():
            return "(nothing on the console)"
        return self.console.read_text(encoding="utf-8", errors="replace")[-1500:]

    def _from_card(self) -> tuple[Path, Path, str]:
        """What the firmware would load, by what config.txt and cmdline.txt say."""

        def read(name: str) -> Path:
            return read_from_boot(self._card, BOOT_OFFSET, name, self._folder)

        config = read("config.txt").read_text(encoding="utf-8")
        kernel = re.search(r"^kernel=(\S+)", config, re.M)
        initial = re.search(r"^initramfs (\S+)", config, re.M)
        if kernel is None or initial is None:
            raise RuntimeError(f"config.txt names no kernel: {config}")
        words = re.sub(r"console=\S+", "", read("cmdline.txt").read_text(encoding="utf-8"))
        return read(kernel[1]), read(initial[1]), " ".join(words.split())
