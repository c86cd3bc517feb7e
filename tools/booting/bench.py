"""What a check works with, put together: card, machine, broker, login; and waiting, with a reason when in vain."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.brokers import free_port
from tools.booting.broker import Broker, Heard
from tools.booting.desk import DEVICE, Desk
from tools.booting.login import Login
from tools.booting.machine import BOOT_OFFSET, Machine
from tools.imaging.filesystems import read_from_boot

STATUS = f"edge/{DEVICE}/status"
HEALTH = f"edge/{DEVICE}/health"
DETECTIONS = f"edge/{DEVICE}/camera/yard/detections"
EVENT = f"edge/{DEVICE}/camera/yard/event"
PATIENCE_S = 900.0  # an emulated machine on a busy one; nothing here measures by giving up


class Bench:
    """One folder, one card, one machine of a model."""

    def __init__(self, folder: Path, image: Path, emulator: list[str], model: str) -> None:
        self.folder = folder
        self.model = model
        self._image = image
        self._emulator = emulator
        self._ssh_port = free_port()
        self.desk = Desk(folder, _port(folder))
        self.broker = Broker(self.desk)
        self.machine: Machine
        self.login: Login
        self.on_since_s = 0.0

    @property
    def was_started(self) -> bool:
        """Whether the card in this folder has had its first start, in an earlier run."""
        return (self.folder / "started").exists()

    def open(self) -> None:
        """A flashed card, unless it is there from an earlier run, and a broker that waits for it."""
        self.card = self.folder / "card.img"
        if not self.was_started:
            self.desk.lay()
            self.card = self.desk.flash(self._image)
        self.login = Login(self.desk.key, self._ssh_port)
        self.broker.start()

    def power_on(self, *, clock: str | None = None, model: str | None = None) -> None:
        self.login.forget()
        self.machine = Machine(self._emulator, model or self.model, self.card, self.folder, ssh_port=self._ssh_port)
        self.on_since_s = time.time()
        self.machine.start(clock=clock)

    def power_off(self) -> None:
        """As a person would: in order. Nothing to do where it is off."""
        if not hasattr(self, "machine") or not self.machine.is_on:
            return
        self.login.run("systemctl --no-block poweroff")
        self.login.forget()
        self.machine.wait_off(PATIENCE_S)

    @contextmanager
    def another_card(self, name: str) -> Iterator[None]:
        """A card that was never started in place of the one there is; it goes afterwards."""
        self.power_off()
        kept, self.card = self.card, self.desk.flash(self._image, name)
        try:
            yield
        finally:
            self.machine.cut()
            self.card.unlink()
            self.card = kept

    def on_boot_partition(self, name: str) -> str:
        """A file there, as a person would find it who took the card out now; empty while it can't be read."""
        try:
            return read_from_boot(self.card, BOOT_OFFSET, name, self.folder).read_text(errors="replace")
        except (RuntimeError, OSError):
            return ""  # it is being written

    def close(self) -> None:
        if hasattr(self, "machine"):
            self.machine.cut()
        self.broker.stop()

    def be_on(self) -> None:
        """Power on, where it is off."""
        if not hasattr(self, "machine") or not self.machine.is_on:
            self.power_on()
            self.wait_for_message(DETECTIONS)

    def wait_for(self, what: str, found: Callable[[], object | None], *, patience_s: float = PATIENCE_S) -> object:
        """Until ``found`` answers with something; RuntimeError with the machine's last words when it never does."""
        ends_s = time.monotonic() + patience_s
        while time.monotonic() < ends_s:
            answer = found()
            if answer is not None:
                return answer
            if not self.machine.is_on:
                raise RuntimeError(f"{what}: the machine went off; {self.machine.last_words()}")
            time.sleep(0.5)
        raise RuntimeError(f"{what}: not within {patience_s:.0f} s; {self.machine.last_words()}")

    def first(self, topic: str, since_s: float | None = None) -> Heard | None:
        """The first live message of a topic since a moment; since the machine is on, when none is named."""
        since = self.on_since_s if since_s is None else since_s
        return next((h for h in self.broker.heard(since) if h.topic == topic and not h.is_retained), None)

    def wait_for_login(self) -> float:
        """Seconds from the power's coming to the first login."""
        self.wait_for("a login", lambda: self.login.is_open or None)
        return time.time() - self.on_since_s

    def wait_for_message(self, topic: str, since_s: float | None = None) -> float:
        """Seconds from the power's coming, or from ``since_s``, to the first live message of a topic."""
        found = self.wait_for(topic, lambda: self.first(topic, since_s))
        assert isinstance(found, Heard)
        return found.at_s - (self.on_since_s if since_s is None else since_s)


def _port(folder: Path) -> int:
    """The broker's, the same for as long as the card lives: it is written on it."""
    kept = folder / "port"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        kept.write_text(str(free_port()), encoding="ascii")
    return int(kept.read_text(encoding="ascii"))
