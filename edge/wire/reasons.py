"""Why a connection or a message failed: MQTT's reason codes and the network's errors, in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

# MQTT 5, section 2.4; what 3.1.1 says is translated to these by the library.
SUCCESS = 0
NO_SUBSCRIBER = 16
UNSUPPORTED_VERSION = 132
BAD_CREDENTIALS = 134
NOT_AUTHORIZED = 135
TAKEN_OVER = 142
PACKET_TOO_LARGE = 149
QUOTA_EXCEEDED = 151

_REFUSALS = {
    133: "the broker does not accept the client id {client}",
    BAD_CREDENTIALS: "wrong user name or password: check broker.username and broker.password",
    NOT_AUTHORIZED: "not authorized: check broker.username, broker.password and the broker's access list for {client}",
    136: "the broker is not available",
    137: "the broker is busy",
    138: "the broker has banned {client}",
    140: "the broker wants another way of authentication",
    144: "the broker's access list forbids the last will of {client} (edge/{client}/status)",
    149: "the broker finds the connect packet too large",
    151: "the broker's quota is used up",
    153: "the broker finds the last will's payload invalid",
    154: "the broker does not keep retained messages, which edge needs",
    155: "the broker does not offer QoS 1, which edge needs",
    159: "the broker takes no more connections just now",
}

_DEPARTURES = {
    NOT_AUTHORIZED: "the broker closed the connection: not authorized any more",
    139: "the broker is shutting down",
    141: "the broker heard nothing from us for too long",
    TAKEN_OVER: "another client connected with the same id {client}: two devices must not share a name",
    PACKET_TOO_LARGE: "the broker closed the connection: a message was larger than it takes",
    151: "the broker's quota is used up",
    152: "the broker's administrator closed the connection",
    159: "the broker takes no more connections just now",
}

# Refusals that only a person can lift: hurry helps nobody.
_NEEDS_A_PERSON = frozenset({133, BAD_CREDENTIALS, NOT_AUTHORIZED, 138, 140, 144, 154, 155})


class Cause(Enum):
    """What an ended connection means for the next attempt."""

    LOST = auto()
    REFUSED = auto()  # a person has to act
    VERSION = auto()  # the broker does not speak this version of MQTT
    SILENT = auto()  # closed before any answer, as old brokers do at a version they do not know
    CLOSED = auto()  # as we wanted


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended; ``code`` is what the broker said in a DISCONNECT, 0 if it said nothing."""

    cause: Cause
    words: str = ""
    code: int = SUCCESS


def refusal(code: int, client: str) -> Ending:
    """What a CONNACK other than success means."""
    if code == UNSUPPORTED_VERSION:
        return Ending(Cause.VERSION, "the broker does not speak this version of MQTT")
    words = _REFUSALS.get(code, f"the broker refused the connection (reason {code})").format(client=client)
    return Ending(Cause.REFUSED if code in _NEEDS_A_PERSON else Cause.LOST, words)


def departure(code: int, client: str) -> Ending:
    """What a DISCONNECT from the broker means."""
    words = _DEPARTURES.get(code, f"the broker closed the connection (reason {code})").format(client=client)
    return Ending(Cause.REFUSED if code in (NOT_AUTHORIZED, TAKEN_OVER) else Cause.LOST, words, code)


def network_words(error: BaseException) -> str:
    """What an error of the network means."""
    if isinstance(error, TimeoutError):
        return "no answer in time: is the address right, is a firewall between?"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there: is the broker running, is the port right?"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "the broker cut the connection"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower() if error.strerror[:1].isupper() else error.strerror
    return str(error) or type(error).__name__
