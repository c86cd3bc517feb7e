"""A network camera that does what it is told: goes away, hangs, freezes, sends rubbish, sees nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

_HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\nCache-Control: no-cache\r\n\r\n"


class MjpegCamera:
    """Motion JPEG over HTTP on this machine.

    show : the next picture, RGB
    fps : frames per second
    is_hanging : nothing is sent any more, and nothing is closed
    is_corrupt : pictures are cut off in the middle
    """

    def __init__(self, show: Callable[[], Picture], *, fps: float = 10.0) -> None:
        self.show = show
        self.fps = fps
        self.is_hanging = False
        self.is_corrupt = False
        self._listener: socket.socket | None = None
        self._clients: set[socket.socket] = set()
        self._forgotten: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/video.mjpg"

    def plug_in(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(8)
        self._listener = listener
        self._start(lambda: self._accept(listener))

    def unplug(self) -> None:
        """Closes every connection and refuses new ones."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for client in tuple(self._clients):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5.0)
        self._threads.clear()

    def forget_clients(self) -> None:
        """Those who are connected get nothing any more, and are not told; who connects anew is served."""
        self._forgotten |= self._clients

    def _start(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while self._listener is listener:
                client, _ = listener.accept()
                self._clients.add(client)
                self._start(lambda client=client: self._serve(client))

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            client.recv(4096)
            client.sendall(_HEAD)
            while self._listener is not None:
                if not self.is_hanging and client not in self._forgotten:
                    client.sendall(self._part())
                time.sleep(1 / self.fps)
        self._clients.discard(client)
        self._forgotten.discard(client)

    def _part(self) -> bytes:
        _, encoded = cv2.imencode(".jpg", cv2.cvtColor(self.show(), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
        jpeg = encoded.tobytes()
        if self.is_corrupt:
            jpeg = jpeg[:20] + bytes(len(jpeg) // 3)
        return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + jpeg + b"\r\n"
