"""A configuration file: a configuration, or a refusal in printable words with the exit code 78."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tools.faults.fuzz.target import Target

_SHORT = [
    b"cameras: {yard: {source: synthetic}}\n",
    b"device: gate\nbroker: {host: a.b, port: 8883, tls: {ca: ca.pem}}\ncameras: {y: {source: 'rtsp://c/1'}}\n",
    b"cameras:\n  a: &a {source: picamera2:0, size: [640, 480], fps: 5}\n  b: {<<: *a, rotate: 90}\n",
    b"cameras: {y: {source: x.mp4, zones: {z: [[0,0],[1,0],[1,1]]}, rules: {r: {when: dwell, zone: z, seconds: 5}}}}\n",
    b"cameras: {y: {source: s, lines: {l: {from: [0,0], to: [1,1]}}, thresholds: {person: 0.5, default: .4}}}\n",
    b"timezone: Europe/Berlin\ncameras: {y: {source: s, rules: {r: {when: appear, schedule: mon-fri 08:00-17:30}}}}\n",
    b"outbox: {max_megabytes: 64, consumer: c}\nhealth: {interval_seconds: 1}\ncommands: {enabled: yes}\n",
]
_WORDS = [
    b"\t", b": ", b"&a ", b"*a", b"<<: *a", b"!!int ", b"---\n", b"[", b"]", b"{", b"}", b"- ", b"? ", b"'", b'"', b"#",
    b"|\n", b">\n", b"%", b"\0", b"\xc3\xa9", b"\xef\xbb\xbf", b"1e999", b".nan", b"0x1f", b"on", b"~", b"12:30", b"-1",
    b"source: ", b"password: {file: p}", b"when: count", b"label: ", b"rtsp://a:b@c", b"$SYS", b"/", b"+", b"\n  ",
]  # fmt: skip


def _open() -> Callable[[bytes], None]:
    from edge.config.load import parse_config
    from edge.core.errors import ConfigError
    from edge.core.names import is_name

    file = Path("edge.yaml")

    def one(content: bytes) -> None:
        try:
            config = parse_config(content, file)
        except ConfigError as refusal:
            lines = str(refusal).split("\n")
            assert all(line.startswith("edge.yaml") and line.isprintable() for line in lines), lines
            assert refusal.exit_code == 78
            return
        assert all(is_name(name) for name in (config.device, *config.cameras))

    return one


CONFIGURATION = Target("configuration", lambda: _SHORT, _open, _WORDS)
