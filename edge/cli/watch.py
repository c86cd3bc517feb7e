"""``edge watch``: follow events, drop repeats, report gaps, confirm, and hand each to a command or a web service."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from urllib.parse import urlsplit

import click

from edge.cli.watch_text import Printer
from edge.client import BrokerSettings, Consumer, ConsumerSettings, TlsSettings
from edge.client.exec_hook import ExecHook
from edge.client.hooks import Hook, Retrying, Workers
from edge.client.webhook import Webhook
from edge.config.secret_files import check_private, read_secret
from edge.config.values import SecretRef
from edge.core.clock import SystemClock
from edge.core.errors import BrokerError, UsageError
from edge.core.names import NAME_RULE, is_name
from edge.wire.settings import is_loopback

PASSWORD_VARIABLE = "EDGE_MQTT_PASSWORD"  # noqa: S105 - the name, not the password
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_LOOK_S = 0.1
_LEAVE_S = 2.0
_file = click.Path(path_type=Path)


@click.command()
@click.option(
    "--broker",
    "url",
    default="mqtt://localhost",
    show_default=True,
    envvar="EDGE_BROKER",
    help="mqtt://HOST[:PORT] (this machine alone) or mqtts://HOST[:PORT].",
)
@click.option("--device", help="Follow this device; without it, all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line on standard output.")
@click.option("--consumer", help="A lasting name: keeps a position, confirms to the devices, asks for what is missing.")
@click.option(
    "--state", type=_file, help="Folder of the position. [default: $STATE_DIRECTORY, else ~/.local/state/edge]"
)
@click.option(
    "--strict-order", is_flag=True, help="Each device's events by number only: a missing one holds up the rest."
)
@click.option("--exec", "command", help="Run this command per event, its JSON on standard input; no shell.")
@click.option("--webhook", help="Post each event to this address (https, or http on this machine).")
@click.option("--webhook-token-file", type=_file, help="Sent as Authorization: Bearer.")
@click.option("--webhook-ca", type=_file, help="Certificates that vouch for the web service.")
@click.option(
    "--hook-timeout", type=click.FloatRange(min=0, min_open=True), default=30.0, show_default=True, help="Seconds."
)
@click.option(
    "--attempts", type=click.IntRange(1), default=10, show_default=True, help="Of a hook, before an event is set aside."
)
@click.option(
    "--at-once",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Devices whose hooks run at the same time.",
)
@click.option("--username", envvar="EDGE_MQTT_USERNAME", help="At the broker.")
@click.option("--password-file", type=_file, help=f"Readable by its owner alone (or ${PASSWORD_VARIABLE}).")
@click.option("--ca", type=_file, help="Certificates that vouch for the broker; else the system's.")
@click.option("--cert", type=_file, help="Our certificate, for brokers that ask; goes with --key.")
@click.option("--key", type=_file, help="Its key, readable by its owner alone.")
@click.option(
    "--wait", type=click.FloatRange(min=0), default=10.0, show_default=True, help="Seconds for the first connection."
)
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), help="Stop after so many seconds.")
@click.option("--count", type=click.IntRange(1), help="Stop after so many events.")
def watch(
    *,
    url: str,
    device: str | None,
    as_json: bool,
    consumer: str | None,
    state: Path | None,
    strict_order: bool,
    command: str | None,
    webhook: str | None,
    webhook_token_file: Path | None,
    webhook_ca: Path | None,
    hook_timeout: float,
    attempts: int,
    at_once: int,
    username: str | None,
    password_file: Path | None,
    ca: Path | None,
    cert: Path | None,
    key: Path | None,
    wait: float,
    duration: float | None,
    count: int | None,
) -> int:
    """Follow the events of one device or all, each shown once, until stopped.

    Exit codes: 0 done; 1 events were lost or a hook failed for good; 2 wrong usage; 75 the broker is away; 78 a file
    or certificate is wrong.
    """
    broker = _broker(url, username, password_file, _tls(url, ca, cert, key))
    settings = _settings(device, consumer, state, strict_order=strict_order)
    printer = Printer(as_json=as_json)
    hooks: list[Hook] = [printer]
    if command is not None:
        hooks.append(ExecHook(command, timeout_s=hook_timeout, secret_names=frozenset({PASSWORD_VARIABLE})))
    if webhook is not None:
        token = None if webhook_token_file is None else _secret(webhook_token_file, "--webhook-token-file")
        hooks.append(Webhook(webhook, timeout_s=hook_timeout, token=token, ca=webhook_ca))
    clock = SystemClock()
    following = Consumer(settings, broker, clock=clock, tell=printer.tell)
    workers = Workers(following, hooks, at_once=at_once, retrying=Retrying(attempts), clock=clock, limit=count)
    with following:
        workers.start()
        has_begun = _follow(following, workers, wait_s=wait, duration_s=duration, count=count)
        workers.stop(_LEAVE_S)
        stats = following.stats()
    if workers.error is not None:
        raise workers.error
    if not has_begun:
        raise BrokerError(printer.last_trouble or f"broker {broker.address}: no answer within {wait:g} s")
    return 1 if stats.lost or stats.failed else 0


def _follow(
    following: Consumer, workers: Workers, *, wait_s: float, duration_s: float | None, count: int | None
) -> bool:
    """Until stopped or done; False when the broker was away from the beginning. One that goes later is waited for."""
    clock = SystemClock()
    is_stopping = False

    def stop(*_: object) -> None:
        nonlocal is_stopping
        is_stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    began_ns = clock.monotonic_ns()
    while not is_stopping and workers.error is None and (count is None or workers.finished < count):
        elapsed_s = (clock.monotonic_ns() - began_ns) / 1e9
        stats = following.stats()
        is_over = duration_s is not None and elapsed_s >= duration_s
        if not stats.connects and (stats.is_refused or is_over or elapsed_s >= wait_s):
            return False
        if is_over:
            break
        clock.sleep(_LOOK_S)
    return True


def _settings(device: str | None, consumer: str | None, state: Path | None, *, strict_order: bool) -> ConsumerSettings:
    for option, name in (("--device", device), ("--consumer", consumer)):
        if name is not None and not is_name(name):
            raise UsageError(f"{option} {name!r:.80}: expected {NAME_RULE}")
    if consumer is None:
        if state is not None:
            raise UsageError("--state: a position belongs to a name; add --consumer NAME")
        return ConsumerSettings(device=device, strict_order=strict_order)
    folder = state or _state_folder()
    return ConsumerSettings(consumer, folder / f"consumer-{consumer}.db", device, strict_order)


def _state_folder() -> Path:
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]  # systemd's
    if given:
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "edge"


def _broker(url: str, username: str | None, password_file: Path | None, tls: TlsSettings | None) -> BrokerSettings:
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise UsageError("--broker: a login does not belong into the address; use --username and --password-file")
    host, port = _place(url)
    if tls is None and not is_loopback(host):
        raise UsageError(f"--broker: plain text goes to this machine alone, and {host} is another one; use mqtts://")
    password = os.environ.get(PASSWORD_VARIABLE)
    if password_file is not None:
        password = _secret(password_file, "--password-file")
    if password is not None and username is None:
        raise UsageError("a password goes with a user name; add --username NAME")
    return BrokerSettings(host, port, tls=tls, username=username, password=password)


def _place(url: str) -> tuple[str, int]:
    expected = "expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"--broker {url!r:.200}: {expected} ({error})") from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UsageError(f"--broker {url!r:.200}: {expected}")
    return parts.hostname, port or _PORTS[parts.scheme]


def _tls(url: str, ca: Path | None, cert: Path | None, key: Path | None) -> TlsSettings | None:
    if (cert is None) != (key is None):
        raise UsageError("--cert and --key go together; give both")
    if not url.startswith("mqtts://"):
        if ca is not None or cert is not None:
            raise UsageError("--ca, --cert and --key belong to TLS; use mqtts:// in --broker")
        return None
    if key is not None:
        check_private(key, "--key")
    return TlsSettings(ca=ca, certificate=cert, key=key)


def _secret(path: Path, option: str) -> str:
    return read_secret(SecretRef(file=path), option)
