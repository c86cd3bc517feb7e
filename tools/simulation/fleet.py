"""All cameras together: connecting, sending, coming back."""

from __future__ import annotations

import asyncio
import random
import time

from edge.wire.backoff import Backoff
from tools.simulation.broker import Broker
from tools.simulation.camera import Camera
from tools.simulation.histogram import Histogram


async def connect_all(cameras: list[Camera], port: int) -> float:
    """Fifty at a time; returns the seconds it took."""
    loop, began, gate = asyncio.get_running_loop(), time.monotonic(), asyncio.Semaphore(50)

    async def connect(camera: Camera) -> None:
        async with gate:
            await loop.create_connection(lambda: camera, "127.0.0.1", port)
            while not camera.is_up:
                await asyncio.sleep(0.001)

    await asyncio.gather(*(connect(camera) for camera in cameras))
    return time.monotonic() - began


async def drive(cameras: list[Camera], rate: float, seconds: float, late: Histogram) -> float:
    """Each camera at its own regular beat; returns the seconds it took."""
    beats = sorted((random.random() / rate, camera.number) for camera in cameras)  # noqa: S311
    for camera in cameras:
        camera.begin()
    began_ns, count, total = time.monotonic_ns(), 0, round(len(cameras) * rate * seconds)
    while count < total:
        now_ns = time.monotonic_ns() - began_ns
        while count < total:
            turn, place = divmod(count, len(cameras))
            due_ns = round((beats[place][0] + turn / rate) * 1e9)
            if due_ns > now_ns:
                break
            camera = cameras[beats[place][1]]
            camera.collect()
            camera.send()
            late.add(now_ns - due_ns)
            count += 1
        await asyncio.sleep(0.0005)
    return (time.monotonic_ns() - began_ns) / 1e9


async def herd(cameras: list[Camera], broker: Broker) -> dict[str, object]:
    """The broker is killed and back after 2 s; each camera returns by the product's own back-off."""
    loop, returns = asyncio.get_running_loop(), []
    broker.kill()
    for camera in cameras:
        await camera.gone.wait()

    async def come_back(camera: Camera) -> None:
        backoff = Backoff(first_s=0.5, longest_s=60.0)
        while not camera.is_up:
            await asyncio.sleep(backoff.next_s())
            try:
                await loop.create_connection(lambda: camera, "127.0.0.1", broker.port)
                for _ in range(5000):
                    if camera.is_up or camera.gone.is_set():
                        break
                    await asyncio.sleep(0.001)
            except OSError:
                continue
        returns.append(time.monotonic())

    tasks = [asyncio.create_task(come_back(camera)) for camera in cameras]
    await asyncio.sleep(2.0)
    await asyncio.to_thread(broker.start)
    up = time.monotonic()
    await asyncio.wait_for(asyncio.gather(*tasks), 180)
    after = sorted(max(0.0, at - up) for at in returns)
    peak = max(sum(1 for at in after if second <= at < second + 1) for second in range(int(after[-1]) + 1))
    shares = {f"s_{share}": round(after[max(0, round(share / 100 * len(after)) - 1)], 2) for share in (50, 95, 100)}
    return {"broker_away_s": 2.0, **shares, "most_connects_in_a_second": peak}
