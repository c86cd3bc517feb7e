"""Simulates a fleet of cameras at a broker on this machine, with a real connection each, and says what it costs.

    tools/fleet --cameras 1000 --rate 20 --seconds 60 --qos 1
    tools/fleet --cameras 1000 --herd          kills the broker and counts how they come back

One JSON object on standard output: messages per second, milliseconds from a camera to a subscriber (latency) and to the
acknowledgement, what was lost, how late the sender itself was. The mosquitto is its own, on a free port of loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.simulation.broker import Broker
from tools.simulation.camera import Camera
from tools.simulation.fleet import connect_all, drive, herd
from tools.simulation.histogram import Histogram
from tools.simulation.wire import END_TOPIC, STAMP, hello, length, text


def main() -> int:
    options = read_options()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder), options.window)
        broker.start()
        try:
            print(json.dumps(asyncio.run(measure(options, broker))))
        finally:
            broker.kill()
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/fleet", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cameras", type=int, default=100, help="connections, 1 to 10,000 (default %(default)s)")
    parser.add_argument("--rate", type=float, default=20.0, help="messages per second of each (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="up to 600 (default %(default)s)")
    parser.add_argument("--qos", type=int, choices=(0, 1), default=1)
    parser.add_argument("--bytes", type=int, default=600, help="of a payload (default %(default)s)")
    parser.add_argument(
        "--window", type=int, default=65_535, help="the broker's max_inflight_messages (default %(default)s)"
    )
    parser.add_argument(
        "--collectors", type=int, default=1, help="several share the messages by a shared subscription (default 1)"
    )
    parser.add_argument("--herd", action="store_true", help="no messages: kill the broker and let all come back")
    options = parser.parse_args()
    if not (1 <= options.cameras <= 10_000 and 0 < options.rate <= 1000 and 0 < options.seconds <= 600):
        parser.error("1 to 10,000 cameras, up to 1,000 messages a second each, up to 600 s")
    if not 1 <= options.collectors <= 16:
        parser.error("--collectors: 1 to 16")
    if not STAMP.size <= options.bytes <= 16_000:
        parser.error(f"--bytes: {STAMP.size} to 16,000")
    return options


async def measure(options: argparse.Namespace, broker: Broker) -> dict[str, object]:
    acknowledged, late = Histogram(), Histogram()
    cameras = [Camera(number, options.qos, options.bytes, acknowledged) for number in range(options.cameras)]
    report: dict[str, object] = {"cameras": options.cameras, "qos": options.qos, "bytes": options.bytes}
    report["connect_s"] = round(await connect_all(cameras, broker.port), 2)
    if options.herd:
        report["herd"] = await herd(cameras, broker)
    else:
        report |= await send_and_collect(options, broker, cameras, late)
        report["late_ms"] = late.figures()  # how far the sender itself was behind its beat
        report["acknowledged_ms"] = acknowledged.figures()
    for camera in cameras:
        camera.close()
    return report


async def send_and_collect(
    options: argparse.Namespace, broker: Broker, cameras: list[Camera], late: Histogram
) -> dict[str, object]:
    collectors = await start_collectors(options, broker)
    cpu_s, sender_s = broker.cpu_s(), time.process_time()
    took_s = await drive(cameras, options.rate, options.seconds, late)
    sender_s = time.process_time() - sender_s
    for _ in range(1000):
        for camera in cameras:
            camera.collect()
        if not any(camera.pending for camera in cameras):
            break
        await asyncio.sleep(0.01)
    cpu_s = broker.cpu_s() - cpu_s
    await asyncio.sleep(1.0)
    with socket.create_connection(("127.0.0.1", broker.port)) as end:
        end.sendall(hello("end") + b"\x32" + length(5 + len(END_TOPIC)) + text(END_TOPIC) + b"\x00\x01\x00")
        parts = [json.loads(await asyncio.to_thread(_next_line, collector)) for collector in collectors]
    for collector in collectors:
        collector.wait()
    latency = Histogram()
    for part in parts:
        latency.merge(part["latency"])
    received = [part["received"] for part in parts]
    sent = sum(camera.sent for camera in cameras)
    lost = sent - sum(received)
    return {
        "seconds": round(took_s, 1),
        "sent": sent,
        "not_sent": sum(camera.skipped for camera in cameras),
        "unacknowledged": sum(camera.pending for camera in cameras),
        "messages_per_s": round(sent / took_s),
        "received": sum(received),
        "received_by_each": received,
        "repeated": sum(part["repeated"] for part in parts),
        "lost": lost,
        "latency_ms": latency.figures(),
        "broker_cpu_share": round(cpu_s / took_s, 2),
        "sender_cpu_share": round(sender_s / took_s, 2),
        "collector_cpu_share": round(sum(part["cpu_s"] for part in parts) / took_s, 2),
    }


async def start_collectors(options: argparse.Namespace, broker: Broker) -> list[subprocess.Popen[str]]:
    """As many as wanted, once all are subscribed."""
    most = round(options.rate * options.seconds) + 1
    shape = [str(broker.port), str(options.qos), str(options.cameras), str(most), str(options.bytes)]
    collectors = [
        subprocess.Popen(
            [sys.executable, "-m", "tools.simulation.collector", *shape, str(number), str(options.collectors)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(options.collectors)
    ]
    for collector in collectors:
        await asyncio.to_thread(_next_line, collector)
    return collectors


def _next_line(collector: subprocess.Popen[str]) -> str:
    assert collector.stdout is not None
    return collector.stdout.readline()


if __name__ == "__main__":
    sys.exit(main())
