"""Payloads made small: events are much alike, so most of each is in a dictionary that every reader has.

An event of 700 to 900 bytes becomes some 200: four times as many fit under the same bound, and a card wears less.
"""

from __future__ import annotations

import zlib

from edge.report.outbox.values import PAYLOAD_LIMIT

_AS_IT_IS = b"\x00"
_DEFLATED = b"\x01"
_RAW = -15  # window bits: no header and no checksum of zlib's own, the row has one
_LEVEL = 6

# Belongs to the file's format: a change needs a new schema.VERSION. What is most frequent stands last
# (RFC 1951 reaches back 32 kB; zlib's documentation of deflateSetDictionary).
_DICTIONARY = (
    b'"type":"camera_frozen""type":"camera_online""type":"camera_offline""type":"absence""type":"count""type":"gap"'
    b'"type":"line_cross""type":"dwell""type":"zone_exit""type":"track_update""backend":"edgetpu""synced":false'
    b'"replayed":true"stationary":true"label":null,"score":null,"top_score":null,"box":null,"track":null,"rule":null,'
    b'"frame":null,"model":null"line":{"name":"","direction":"in"}"direction":"out""label":"truck""label":"dog"'
    b'"label":"cat""label":"bicycle""condition":"speed"{"condition":"dwell_ms","value":1500,"threshold":1000}'
    b'{"schema":1,"device":"gate","epoch":"01K","seq":1,"type":"track_start","camera":"yard","label":"car",'
    b'{"schema":1,"device":"gate","epoch":"01K","seq":1,"type":"track_end","camera":"yard","label":"person",'
    b'{"schema":1,"device":"gate","epoch":"01J","seq":1,"type":"zone_enter","camera":"yard","label":"person",'
    b'"score":0.8,"top_score":0.9,"box":[0.4,0.2,0.5,0.7],"track":{"id":4,"age_ms":1840,"frames":17,'
    b'"stationary":false},"zones":["drive"],"line":null,"rule":{"name":"person-in-drive","severity":"detection",'
    b'"severity":"alert","why":[{"condition":"score","value":0.8,"threshold":0.6}]},"zones":[],"line":null,'
    b'"time":{"wall_ms":17,"monotonic_ms":8,"boot_id":"","synced":true,"uncertainty_ms":null},'
    b'"frame":{"sequence":9,"width":1280,"height":720},"frame":{"sequence":9,"width":640,"height":480},'
    b'"model":{"name":"ssd-mobilenet-v1","sha256":""},"backend":"cpu",'
    b'"latency_ms":{"capture":4,"preprocess":1,"infer":31,"decode":1,"total":38},"snapshot":null,"replayed":false}'
)


def pack(payload: bytes) -> bytes:
    """The payload as it is stored: smaller, or as it is behind one byte."""
    machine = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, zdict=_DICTIONARY)
    packed = machine.compress(payload) + machine.flush()
    return _DEFLATED + packed if len(packed) < len(payload) else _AS_IT_IS + payload


def unpack(stored: bytes) -> bytes:
    """The inverse of ``pack``; only for what has matched its checksum."""
    if stored[:1] == _AS_IT_IS:
        return stored[1:]
    return zlib.decompressobj(_RAW, zdict=_DICTIONARY).decompress(stored[1:], PAYLOAD_LIMIT)
