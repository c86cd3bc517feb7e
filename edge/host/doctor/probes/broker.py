"""Whether the broker is reached, vouches for itself and lets us in. Nothing is published, nobody's session is taken."""

from __future__ import annotations

from pathlib import Path

from edge.core.clock import SystemClock
from edge.core.errors import BrokerError, ConfigError
from edge.core.protocols import Clock
from edge.host.doctor.values import BrokerFacts, Finding, Patient, broken, ok
from edge.wire.connection import Connection
from edge.wire.packets import Hello, Version
from edge.wire.reasons import SUCCESS, Cause, Ending, refusal
from edge.wire.settings import BrokerSettings, Pace, TlsSettings
from edge.wire.tls import make_context
from edge.wire.wake import Wake

_PACE = Pace(connect_s=5.0, acknowledge_s=5.0)
_HINTS = {
    "the broker cut the connection": "look into the broker's log; is {port} its port for TLS (usually 8883)?",
    "nothing listens there": "start the broker (`systemctl status mosquitto`), or correct broker.host and broker.port",
    "no answer in time": "check broker.host and broker.port, the cable and the firewall: `ping {host}`",
    "name or service not known": "correct broker.host, or the name server: `getent hosts {host}`",
    "temporary failure in name resolution": "this machine reaches no name server: `resolvectl status`",
    "no route to host": "check the cable or the radio: `ip route get {host}`",
    "network is unreachable": "this machine has no network: `ip address`",
}


def look(patient: Patient) -> list[Finding]:
    if patient.broker is None:
        return []
    return [judge(patient.broker, client_id=f"{patient.device}-doctor", clock=SystemClock())]


def judge(facts: BrokerFacts, *, client_id: str, clock: Clock) -> Finding:
    """Connect as the publisher would, under another name, and leave at once.

    The name differs, for a broker ends the session of whoever is connected under the same.
    """
    address = f"{facts.host}:{facts.port}"
    try:
        settings = _settings(facts)
        ending, version = _knock_in_any_version(settings, client_id, clock)
    except ConfigError as error:
        found, _, fix = str(error).partition("; ")
        return broken("broker", found, fix or "correct it in the configuration: `edge check`")
    if ending is None:
        protection = "TLS" if facts.is_tls else "plain text, on this machine"
        return ok("broker", f"{address} lets us in (MQTT {version.value}, {protection})")
    words = ending.words.removeprefix(f"broker {settings.address}: ")
    found, _, fix = words.partition(": ")
    hint = next((hint for start, hint in _HINTS.items() if found.startswith(start)), fix)
    return broken(
        "broker", f"{address}: {found}", hint.format(host=facts.host, port=facts.port) or "look into the broker's log"
    )


def _settings(facts: BrokerFacts) -> BrokerSettings:
    tls = None
    if facts.is_tls:
        ca, certificate, key = (
            None if path is None else Path(path) for path in (facts.ca, facts.certificate, facts.key)
        )
        tls = TlsSettings(ca=ca, certificate=certificate, key=key)
    return BrokerSettings(facts.host, facts.port, tls=tls, username=facts.username, password=facts.password)


def _knock_in_any_version(settings: BrokerSettings, client_id: str, clock: Clock) -> tuple[Ending | None, Version]:
    ending = _knock(settings, client_id, Version.V5, clock)
    if ending is None or ending.cause not in (Cause.VERSION, Cause.SILENT):
        return ending, Version.V5
    return _knock(settings, client_id, Version.V311, clock), Version.V311


def _knock(settings: BrokerSettings, client_id: str, version: Version, clock: Clock) -> Ending | None:
    """None = welcome. Raises ConfigError for certificates of ours that can't be used."""
    context = None if settings.tls is None else make_context(settings.tls)
    connection = Connection(settings, hello=Hello(client_id), version=version, context=context, pace=_PACE)
    try:
        connection.open()
        return _answer(connection, client_id, clock)
    except BrokerError as error:
        return Ending(Cause.LOST, str(error))
    finally:
        connection.drop()


def _answer(connection: Connection, client_id: str, clock: Clock) -> Ending | None:
    wake = Wake()
    deadline_ns = clock.monotonic_ns() + round(_PACE.acknowledge_s * 1e9)
    while connection.answer is None:
        if not connection.is_open:
            return connection.ending()
        left_s = (deadline_ns - clock.monotonic_ns()) / 1e9
        if left_s <= 0:
            return Ending(
                Cause.LOST, "takes the connection but says nothing: is it an MQTT broker, and does it want TLS?"
            )
        connection.wait(wake, left_s)
    if connection.answer.code != SUCCESS:
        return refusal(connection.answer.code, client_id)
    connection.disconnect()
    return None
