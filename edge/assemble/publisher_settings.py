"""What the publisher's unit goes by: its configuration as it is, or as it was when publishing last worked.

The detector keeps the configuration it was started with as long as it runs; its publisher is started anew each time
the two part. If the file is broken just then, a detector that works well must not be left without a way out.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from edge.assemble.broker import publisher_setup
from edge.config.load import parse_config, read_bounded
from edge.config.values import Config
from edge.core.errors import ConfigAwayError, ConfigError
from edge.service.letters import Setup

logger = logging.getLogger(__name__)

_KEPT = "last-good.yaml"


class PublisherSettings:
    """Reads the file afresh each time.

    kept : the text with which publishing last began is kept here; it holds no secrets. systemd's runtime folder lives
        as long as the unit is wanted, so what is there belongs to the detector of this boot. None = at a desk
    """

    def __init__(self, file: Path, *, environment: Mapping[str, str] = os.environ) -> None:
        folder = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
        self._file = file
        self._kept = Path(folder) / _KEPT if folder else None
        self._content: bytes | None = None

    def read(self) -> Config:
        """Raises ConfigError when neither the file nor what was good before can be used."""
        try:
            content = read_bounded(self._file)
            config = parse_config(content, self._file)
        except ConfigError as error:
            before = self._content or self._read_kept()
            if before is None:
                raise
            logger.error("%s", error)
            logger.error("publishing goes on with the configuration as it was; mend the file: `edge check` says when")
            return parse_config(before, self._file)
        self._content = content
        return config

    def setup(self, *, outbox: Path, volatile: Path | None) -> Setup:
        """What to publish by, secrets read.

        Raises
        ------
        ConfigError
            A secret or certificate is wrong, and always was.
        ConfigAwayError
            It was good before: another start may find it so again.
        """
        config = self.read()
        try:
            setup = publisher_setup(config, outbox=outbox, volatile=volatile)
        except ConfigError as error:
            if self._read_kept() is None:
                raise
            raise ConfigAwayError(f"{error}; it worked before, so it is tried again") from error
        self._keep()
        return setup

    def _read_kept(self) -> bytes | None:
        try:
            return None if self._kept is None else read_bounded(self._kept)
        except ConfigError:
            return None

    def _keep(self) -> None:
        if self._kept is None or self._content is None or self._content == self._read_kept():
            return
        fresh = self._kept.with_name(f"{_KEPT}.new")
        try:
            fresh.write_bytes(self._content)
            fresh.replace(self._kept)
        except OSError as error:
            logger.warning("%s: the configuration can't be kept: %s", self._kept, error.strerror or error)
