"""The positions of all devices: in memory, with each change noted for the next transaction."""

from __future__ import annotations

from edge.client.progress import Progress, Verdict
from edge.client.store import Store

# A device that restarts every 5 s makes 17,000 epochs a day; the oldest complete ones are forgotten.
MOST_EPOCHS = 256

Key = tuple[str, str]  # device, epoch


class Book:
    """Device -> epoch -> Progress, epochs in the order in which they were first heard of."""

    def __init__(self, store: Store, *, strict_order: bool) -> None:
        self._store = store
        self._strict_order = strict_order
        self._devices: dict[str, dict[str, Progress]] = {}
        self._changed: dict[Key, None] = {}
        self._forgotten: list[Key] = []
        self._doubted: set[Key] = set()

    def load(self) -> None:
        """Start from what is on disk; also after a transaction that failed. Raises StoreError."""
        self._doubted = self._store.doubted()
        self._devices.clear()
        self._changed.clear()
        self._forgotten.clear()
        for device, epoch, progress in self._store.load():
            self._devices.setdefault(device, {})[epoch] = progress

    def devices(self) -> list[str]:
        return list(self._devices)

    def epochs(self, device: str) -> dict[str, Progress]:
        return self._devices.get(device, {})

    def newest(self, device: str) -> str | None:
        """The epoch heard of last."""
        return next(reversed(self._devices[device]), None) if device in self._devices else None

    def begins_with(self, device: str, epoch: str) -> bool:
        """Whether it is the first epoch of the device that we ever heard of: what is missing at its beginning was
        before our time."""
        return epoch == next(iter(self.epochs(device)), None) and (device, epoch) not in self._doubted

    def find(self, device: str, epoch: str) -> Progress | None:
        return self._devices.get(device, {}).get(epoch)

    def find_or_add(self, device: str, epoch: str) -> Progress:
        epochs = self._devices.setdefault(device, {})
        if epoch not in epochs:
            epochs[epoch] = Progress()
            self._changed[device, epoch] = None
            self._make_room(device)
        return epochs[epoch]

    def change(self, device: str, epoch: str) -> Progress:
        """The progress, to be changed now and saved by the next ``save``."""
        progress = self.find_or_add(device, epoch)
        self._changed[device, epoch] = None
        return progress

    def save(self) -> list[Key]:
        """Inside the store's transaction: write what has changed, and release what had to wait for it."""
        changed = list(self._changed)
        for device, epoch in changed:
            self._store.save(device, epoch, self._devices[device][epoch])
        for device, epoch in self._forgotten:
            self._store.forget(device, epoch)
        if self._strict_order:
            for device in dict.fromkeys(device for device, _ in changed):
                self._release(device)
        self._changed.clear()
        self._forgotten.clear()
        return changed

    def take(self, device: str, epoch: str, seq: int) -> Verdict:
        verdict = self.find_or_add(device, epoch).take(seq)
        if verdict is Verdict.NEW:
            self._changed[device, epoch] = None
        return verdict

    def _release(self, device: str) -> None:
        """Strict order: epochs one after the other, and within each up to the first that is missing."""
        epochs = self._devices[device]
        for epoch in sorted(epochs):  # an epoch's name begins with its time
            self._store.release(device, epoch, epochs[epoch].contiguous)
            if not epochs[epoch].is_complete:
                return

    def _make_room(self, device: str) -> None:
        epochs = self._devices[device]
        while len(epochs) > MOST_EPOCHS:
            oldest = list(epochs)[:-1]
            gone = next((epoch for epoch in oldest if epochs[epoch].is_complete), oldest[0])
            del epochs[gone]
            self._changed.pop((device, gone), None)
            self._forgotten.append((device, gone))
