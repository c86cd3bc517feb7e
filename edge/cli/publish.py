"""``edge publish``: the publisher alone, for ``edge run --publisher``."""

from __future__ import annotations

import logging
from pathlib import Path

import click


@click.command()
@click.option(
    "--config", "path", type=click.Path(path_type=Path), help="Default: /etc/edge/edge.yaml, else ./edge.yaml."
)
@click.option(
    "--socket",
    required=True,
    type=click.Path(path_type=Path),
    help="Where `edge run --publisher` connects to.",
)
def publish(path: Path | None, socket: Path) -> None:
    """Publish what a detector without network has to say; ends when that detector does.

    The unit edge-publisher.service runs it. Only this process reads the broker's password and key.

    Exit codes: 0 done, or stopped by SIGTERM or SIGINT; 1 publishing ended by a fault of its own; 2 no place for a
    socket; 75 another process has the place, or a secret that worked before can't be had; 78 the configuration is
    wrong.
    """
    from edge.assemble.publisher_unit import serve
    from edge.service.systemd import Notifier

    root = logging.getLogger()
    root.setLevel(min(root.level, logging.INFO))
    serve(path, socket, duty=Notifier())
