"""How the way out stands, told from what the publisher and the outbox say."""

from __future__ import annotations

from collections.abc import Mapping

from edge.report.outbox.values import Mode, OutboxReading
from edge.service.letters import Progress, Standing


def standing_of(progress: Progress, outbox: OutboxReading, drops: Mapping[str, int]) -> Standing:
    """``drops`` : of what never came to the publisher."""
    dropped = {f"message_{cause}": count for cause, count in progress.drops.items() if count}
    return Standing(
        drops={**dropped, **drops},
        reasons=_reasons(progress, outbox),
        depth=outbox.pending + outbox.waiting,
        delivered=progress.delivered,
        unheard=progress.unheard,
        ever_connected=progress.connects > 0,
        last_error=progress.last_error,
    )


def _reasons(progress: Progress, outbox: OutboxReading) -> tuple[str, ...]:
    found = {
        "outbox_full": outbox.is_full and outbox.mode is Mode.DURABLE,
        "outbox_memory_only": outbox.mode is not Mode.DURABLE,
        "events_unheard": progress.unheard_now > 0,
        "events_denied": progress.denied_now > 0,
        "events_refused": progress.refused_now > 0,
    }
    return tuple(code for code, holds in found.items() if holds)
