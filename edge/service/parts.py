"""What of a running service a configuration decides, and another configuration can change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edge.service.doors import Errand
from edge.service.pipeline import Pipeline
from edge.service.reading import Reports
from edge.service.steward import Steward


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts that are the same objects as before go on as if nothing had happened.

    renewed : cameras whose pictures are others than before, or that are gone
    """

    pipelines: Mapping[str, Pipeline]
    reports: Reports
    errands: Sequence[Errand] = ()
    steward: Steward | None = None
    renewed: frozenset[str] = field(default=frozenset())
