"""The broker's configuration to what the publisher is told."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from edge.config.secret_files import check_private, read_secret, secret_path
from edge.config.values import Config, SecretRef, Tls
from edge.core.clock import SystemClock
from edge.report.topics import Topics
from edge.service.letters import Setup
from edge.wire.settings import BrokerSettings, TlsSettings


def publisher_setup(config: Config, *, outbox: Path, volatile: Path | None) -> Setup:
    """Reads the secrets the configuration refers to, and checks what can be checked without a network.

    Parameters
    ----------
    outbox, volatile : the files the publisher reads

    Raises
    ------
    ConfigError
    """
    tls = None if config.broker.tls is None else _tls(config.broker.tls)
    password = config.broker.password
    setup = msgspec.structs.replace(
        detector_setup(config, outbox=outbox, volatile=volatile),
        password=None if password is None else read_secret(password, "broker.password"),
        key=_text(None if tls is None else tls.key),
    )
    _check_certificates(tls)
    return setup


def detector_setup(config: Config, *, outbox: Path, volatile: Path | None) -> Setup:
    """What a publisher with secrets of its own is told: everything but them. Raises ConfigError."""
    broker, home, topics = config.broker, config.home_assistant, Topics(config.device)
    settings = BrokerSettings(
        broker.host,
        broker.port,
        tls=None if broker.tls is None else TlsSettings(ca=broker.tls.ca),
        username=broker.username,
        keepalive_s=broker.keepalive_seconds,
    )
    return Setup(
        device=config.device,
        host=settings.host,
        port=settings.port,
        keepalive_s=settings.keepalive_s,
        username=settings.username,
        password=None,
        is_tls=broker.tls is not None,
        ca=_text(None if broker.tls is None else broker.tls.ca),
        certificate=_text(None if broker.tls is None else broker.tls.certificate),
        key=None,
        outbox=str(outbox.absolute()),
        volatile=_text(volatile),
        max_bytes=round(config.outbox.max_megabytes * 1024 * 1024),
        consumer=config.outbox.consumer,
        # nothing is subscribed to that the configuration does not switch on
        filters=(topics.all_commands(),) if config.commands.enabled else (),
        greeting=topics.home_assistant_status(home.prefix) if home.enabled else None,
        log_level=logging.getLogger().level,
        boot_id=SystemClock().boot_id(),
    )


def _check_certificates(tls: TlsSettings | None) -> None:
    """Now, when a person is looking; the publisher reads them afresh at each connect."""
    if tls is not None:
        from edge.wire.tls import make_context

        make_context(tls)


def _tls(tls: Tls) -> TlsSettings:
    key = tls.key
    if isinstance(key, SecretRef):
        key = secret_path(key, "broker.tls.key")
    elif key is not None:
        check_private(key, "broker.tls.key")
    return TlsSettings(ca=tls.ca, certificate=tls.certificate, key=key)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())
