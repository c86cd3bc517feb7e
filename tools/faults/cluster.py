"""RabbitMQ as a clustered broker: nodes on this machine, a balancer before them, and a node killed at a time.

    python -m tools.faults.cluster --folder F --nodes 3 --kills 3

Needs rabbitmq-server (apt-get install rabbitmq-server). Service, consumer, witness and books are those of
tools.faults.delivery; both sides connect to the balancer, which takes the next node when one does not answer. The
balancer stands for HAProxy or the like. One JSON line; exit code 1 if anything was lost or seen twice.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from tools.faults.delivery import judge
from tools.faults.stage import Stage, free_port, line_count, listens, size_of, wait_until

_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_CTL = Path("/usr/lib/rabbitmq/bin/rabbitmqctl")
_BOOT_S = 180.0
_ON_THEIR_WAY_S = 2.0  # what had passed the node before it was killed is no sign of life

_CONFIGURATION = """
listeners.tcp.local = 127.0.0.1:{amqp}
mqtt.listeners.tcp.local = 127.0.0.1:{mqtt}
mqtt.allow_anonymous = true
# sessions of consumers survive their node: a queue with a copy on each
mqtt.durable_queue_type = quorum
cluster_formation.peer_discovery_backend = classic_config
# pause_minority: a node that finds itself alone waits for the others instead of going on by itself
cluster_partition_handling = {partition}
log.file.level = warning
"""


class Node:
    """One RabbitMQ, everything of it in one folder and on loopback."""

    def __init__(self, folder: Path, number: int, all_names: list[str], partition: str) -> None:
        self.name = all_names[number]
        self.mqtt = free_port()
        self._folder = folder / self.name
        self._folder.mkdir()
        configuration = _CONFIGURATION.format(amqp=free_port(), mqtt=self.mqtt, partition=partition)
        names = "".join(
            f"cluster_formation.classic_config.nodes.{place} = {name}\n" for place, name in enumerate(all_names, 1)
        )
        (self._folder / "rabbitmq.conf").write_text(configuration + names)
        (self._folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")
        cookie = folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text("edge-cluster-on-loopback")
            cookie.chmod(0o400)
        self.environment = os.environ | {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "console").open("ab") as console:
            self._process = subprocess.Popen(
                [str(_SERVER)], env=self.environment, stdout=console, stderr=console, start_new_session=True
            )

    def wait(self) -> None:
        if not wait_until(lambda: listens(self.mqtt), _BOOT_S, every_s=0.5):
            raise AssertionError(f"{self.name} takes no MQTT connections: see {self._folder}")

    def kill(self) -> None:
        """With all that belongs to it, at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            self._process.wait()

    def members(self) -> list[str]:
        """The nodes of the cluster that run, as this one sees it."""
        done = subprocess.run(
            [str(_CTL), "-n", self.name, "cluster_status", "--formatter", "json"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return sorted(json.loads(done.stdout)["running_nodes"])


class Balancer(threading.Thread):
    """Passes each connection to the next node that answers; a node's end is the end of its connections."""

    def __init__(self, port: int, nodes: list[Node]) -> None:
        super().__init__(daemon=True)
        self._nodes = nodes
        self._turn = 0
        self._listener = socket.create_server(("127.0.0.1", port))

    def run(self) -> None:
        while True:
            client, _ = self._listener.accept()
            node = self._connect()
            if node is None:
                client.close()
                continue
            threading.Thread(target=_pass_on, args=(client, node), daemon=True).start()

    def _connect(self) -> socket.socket | None:
        for _ in self._nodes:
            self._turn += 1
            with suppress(OSError):
                return socket.create_connection(("127.0.0.1", self._nodes[self._turn % len(self._nodes)].mqtt), 1.0)
        return None


def _pass_on(client: socket.socket, node: socket.socket) -> None:
    others = {client: node, node: client}
    with client, node, selectors.DefaultSelector() as selector:
        for end in others:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(end, selectors.EVENT_READ)
        with suppress(OSError):
            while True:
                for key, _ in selector.select():
                    end: socket.socket = key.fileobj  # type: ignore[assignment]
                    data = end.recv(65_536)
                    if not data:
                        return
                    others[end].sendall(data)


class ClusterStage(Stage):
    """A stage whose broker is a cluster.

    outages : per kill, seconds until events came through without the node (None = none did), how many, and seconds
        until the first when it was back
    """

    def __init__(self, folder: Path, *, rate: float, nodes: int, partition: str = "pause_minority") -> None:
        super().__init__(folder, rate=rate)
        names = [f"edge{number}@localhost" for number in range(1, nodes + 1)]
        self.nodes = [Node(folder, number, names, partition) for number in range(nodes)]
        self.outages: list[dict[str, object]] = []

    def start_broker(self) -> None:
        for node in self.nodes:
            node.start()
            node.wait()
        Balancer(self.port, self.nodes).start()

    def kill_in_turn(self, kills: int, pause_s: float) -> None:
        """One node at a time; the next when the killed one is back and events come through."""
        for number in range(kills):
            node = self.nodes[number % len(self.nodes)]
            node.kill()
            print(f"{node.name} was killed", file=sys.stderr)
            time.sleep(_ON_THEIR_WAY_S)
            before = line_count(self.seen)
            without_it = self.wait_for_events(60.0)
            time.sleep(pause_s)
            came = line_count(self.seen) - before
            node.start()
            node.wait()
            with_it = self.wait_for_events(120.0)
            self.outages.append(
                {
                    "killed": node.name,
                    "first_without_it_s": without_it,
                    "came_without_it": came,
                    "first_then_s": with_it,
                }
            )
            time.sleep(pause_s)

    def wait_for_events(self, timeout_s: float) -> float | None:
        """Until something new has come through; how long that took, None when nothing did."""
        before, began = size_of(self.seen), time.monotonic()
        if not wait_until(lambda: size_of(self.seen) > before, timeout_s):
            print(f"nothing came through within {timeout_s:g} s", file=sys.stderr)
            return None
        took_s = round(time.monotonic() - began, 1)
        print(f"events come through after {took_s} s", file=sys.stderr)
        return took_s

    def end(self) -> None:
        super().end()
        for node in self.nodes:
            node.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--rate", type=float, default=20.0, help="alerts a second")
    parser.add_argument("--pause", type=float, default=10.0, help="seconds a node is away, at least")
    parser.add_argument("--partition", default="pause_minority", help="what a node does that sees no majority")
    options = parser.parse_args()
    if not _SERVER.exists() or shutil.which("epmd") is None:
        sys.exit("cluster: RabbitMQ is not here; install it (apt-get install rabbitmq-server)")
    stage = ClusterStage(options.folder, rate=options.rate, nodes=options.nodes, partition=options.partition)
    began = time.monotonic()
    try:
        stage.start()
        members = stage.nodes[0].members()
        print(f"nodes that run: {', '.join(members)}", file=sys.stderr)
        stage.wait_for_events(60.0)
        stage.kill_in_turn(options.kills, options.pause)
        stage.stop_service()
        stage.start_service("--rate", "0.5")  # delivers what is left
        is_all = stage.wait_for_all(180.0)
        stage.stop_service()
        is_all = stage.wait_for_all(10.0) or is_all
        verdict = judge(stage, options.kills, time.monotonic() - began)
        verdict.incomplete = int(not is_all)
    finally:
        stage.end()
    print(json.dumps({"nodes": len(members), **asdict(verdict), "outages": stage.outages}), flush=True)
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
