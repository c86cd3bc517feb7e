from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.report.outbox.packing import pack, unpack
from edge.report.outbox.values import PAYLOAD_LIMIT
from tools.faults.outbox_figures import event


@given(st.binary(max_size=2000))
def test_whatever_is_packed_comes_back(payload: bytes) -> None:
    assert unpack(pack(payload)) == payload
    assert len(pack(payload)) <= len(payload) + 1


def test_the_largest_payload_comes_back() -> None:
    assert unpack(pack(b"a" * PAYLOAD_LIMIT)) == b"a" * PAYLOAD_LIMIT


def test_an_event_of_the_contract_becomes_a_third() -> None:
    assert len(pack(event(4711).payload)) < len(event(4711).payload) / 3
