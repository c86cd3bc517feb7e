"""What the broker's answers mean: counted, and said in words where a person has to do something."""

from __future__ import annotations

from collections.abc import Sequence

from edge.core.values import Message
from edge.report.lanes import Lanes
from edge.report.parcels import Parcel
from edge.report.stats import Ledger
from edge.wire.reasons import NO_SUBSCRIBER, NOT_AUTHORIZED, SUCCESS

_REFUSED = 128  # reason codes from here on are refusals (MQTT 5, section 3.9.3; 0x80 in 3.1.1)


class Verdicts:
    """Of one connection."""

    def __init__(self, lanes: Lanes, ledger: Ledger, client_id: str) -> None:
        self._lanes = lanes
        self._ledger = ledger
        self._client_id = client_id

    def book(self, message: Message, code: int) -> None:
        """A message was acknowledged, which can be a refusal."""
        what = "kept" if isinstance(message, Parcel) else "dropped"
        if code in (SUCCESS, NO_SUBSCRIBER):
            if not (isinstance(message, Parcel) and message.is_again):
                self._ledger.deliver(is_heard=code == SUCCESS)
        elif code == NOT_AUTHORIZED:
            self._lanes.count(denied=1)
            self._ledger.trouble(
                f"the broker does not let {self._client_id} publish to {message.topic}: {what}; "
                "check the broker's access list"
            )
        else:
            self._lanes.count(refused=1)
            self._ledger.trouble(f"the broker refused a message on {message.topic} (reason {code}): {what}")

    def book_too_large(self, message: Message, size: int, limit: int) -> None:
        """A message of so many bytes is not even sent."""
        self._lanes.count(oversize=1)
        self._ledger.trouble(
            f"a message on {message.topic} is larger ({size} bytes) than the broker takes "
            f"({limit} bytes): dropped; raise the broker's limit",
            about=f"oversize {message.topic}",
        )

    def tell_unheard(self, filters: Sequence[str], codes: Sequence[int]) -> None:
        """What was asked for, and the answer to each."""
        refused = [each for each, code in zip(filters, codes, strict=False) if code >= _REFUSED]
        if refused:
            self._ledger.trouble(
                f"the broker does not let {self._client_id} subscribe to {', '.join(refused)}: what is said there is "
                "not heard; check the broker's access list"
            )
