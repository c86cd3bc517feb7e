"""A child to be killed: commits events for ever and says each number once it is committed."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from edge.core.clock import SystemClock
from edge.core.events import Severity
from edge.report.outbox import Keeper, Outgoing, Policy
from edge.report.outbox.values import Entry


def main(path: Path) -> None:
    keeper = Keeper(path, volatile_path=None, policy=Policy(has_consumer=True), clock=SystemClock())
    keeper.open()
    for first in count(1, 3):
        group = [
            Outgoing("killed", seq, "edge/gate/event", bytes(700), Severity.ALERT, "yard", "person", 0)
            for seq in range(first, first + 3)
        ]
        if keeper.commit([Entry(record) for record in group]):
            sys.stdout.write("".join(f"{record.seq}\n" for record in group))
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
