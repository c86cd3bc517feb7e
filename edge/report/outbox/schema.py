"""The outbox's file: its tables, the numbers of its rows, and the checksums that let a damaged one be read."""

from __future__ import annotations

import zlib

APPLICATION_ID = 0x65646765  # "edge"
VERSION = 1
PAGE_BYTES = 4096

# An event's row number is epoch number * 2^40 + seq: identity is the primary key, needs no index of its own,
# and ascends in the order of commits. 2^40 events at 100/s are 348 years; 2^23 epochs are as many starts.
SEQ_BITS = 40
SEQ_MASK = (1 << SEQ_BITS) - 1

# The columns of each table in order, and how many there are: rows are written and read whole, and a damaged file is
# read by their shape. An INTEGER PRIMARY KEY is the row number and stands in the record as NULL.
TABLES = f"""
CREATE TABLE clock (id INTEGER PRIMARY KEY, boot TEXT, base_ms INTEGER, monotonic_ms INTEGER, kept_ms INTEGER);
CREATE TABLE epochs (number INTEGER PRIMARY KEY, epoch TEXT, cursor INTEGER, floor INTEGER, crc INTEGER);
CREATE TABLE losses (id INTEGER PRIMARY KEY, kind TEXT, cause TEXT, epoch TEXT, camera TEXT, label TEXT,
    minute INTEGER, opened_ms INTEGER, spans TEXT, crc INTEGER);
CREATE TABLE events (id INTEGER PRIMARY KEY, epoch TEXT, state INTEGER, sends INTEGER, committed_ms INTEGER,
    sent_ms INTEGER, severity INTEGER, camera TEXT, label TEXT, happened_ms INTEGER, topic TEXT, dead TEXT,
    crc INTEGER, payload BLOB);
CREATE INDEX pending ON events (committed_ms, id) WHERE state = 0;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
"""


def row_id(epoch_number: int, seq: int) -> int:
    return (epoch_number << SEQ_BITS) | seq


def checksum(*facts: object) -> int:
    """CRC-32 of the facts that never change in a row, with their types: a flipped bit makes text into bytes."""
    crc = 0
    for fact in facts:
        crc = zlib.crc32(fact if isinstance(fact, bytes) else str(fact).encode(), crc)
        kind = b"\x1fb" if isinstance(fact, bytes) else b"\x1ft" if isinstance(fact, str) else b"\x1fn"
        crc = zlib.crc32(kind, crc)  # also keeps ("ab", "c") from being ("a", "bc")
    return crc
