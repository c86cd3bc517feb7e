"""Waiting for other processes: which of some descriptors can be read."""

from __future__ import annotations

import select
from collections.abc import Iterable


def wait_readable(descriptors: Iterable[int], timeout_s: float) -> set[int]:
    """Those that can be read, or have come to their end; empty when none did in time."""
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poller.poll(max(0.0, timeout_s) * 1000)}
