"""The reference consumer of what edge publishes: drops repeats, finds gaps, asks for replay, confirms by cursor.

from edge.client import BrokerSettings, Consumer, ConsumerSettings
"""

from edge.client.consumer import Consumer, ConsumerStats
from edge.client.deliveries import Delivery
from edge.client.notices import Notice, NoticeKind
from edge.client.settings import ConsumerSettings
from edge.client.trouble import StoreDamagedError, StoreError
from edge.wire.settings import BrokerSettings, Pace, TlsSettings

__all__ = [
    "BrokerSettings",
    "Consumer",
    "ConsumerSettings",
    "ConsumerStats",
    "Delivery",
    "Notice",
    "NoticeKind",
    "Pace",
    "StoreDamagedError",
    "StoreError",
    "TlsSettings",
]
