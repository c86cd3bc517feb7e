"""Run the demo: ``tools/demo`` sets the machine up and calls this."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

from edge.capture.spec import redacted
from tools.demonstration.broker import local_broker
from tools.demonstration.login import camera_of
from tools.demonstration.picture import draw_best
from tools.demonstration.scene import write_scene
from tools.demonstration.subscriber import Heard, Subscriber

_FOLDER = Path(".demo")
_LIVE_SECONDS = 20.0


def main() -> int:
    options = _options()
    _FOLDER.mkdir(exist_ok=True)
    model = _model(options.model)
    source = options.source or str(write_scene(_FOLDER / "scene.mp4").resolve())
    _say(f"source  {redacted(options.source or '') or 'photographs under a moving view (' + source + ')'}")
    _say(f"model   {model}")
    with local_broker(_FOLDER) as port:
        _say(f"broker  mosquitto on 127.0.0.1:{port}, in this machine alone")
        configuration = _write_configuration(port, source, model)
        with Subscriber(port, _say) as subscriber:
            code, seconds = _run_detector(configuration, options.seconds)
            time.sleep(0.3)  # the subscriber reads the last messages from its pipe
    if code != 0:
        print(f"demo: the detector ended with exit code {code}; its message is above", file=sys.stderr)
        return code
    picture = draw_best(configuration, subscriber.heard.best, _FOLDER / "detections.png")
    _summary(subscriber.heard, seconds, picture)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/demo", description="Show the main job on this machine.")
    parser.add_argument("--source", help="/dev/videoN, rtsp://..., picamera2:N, a video file, a folder of pictures")
    parser.add_argument("--model", default="edge-default", help="a card's name (edge models list) or a .tflite file")
    parser.add_argument("--seconds", type=float, help="how long to watch (default: a clip to its end, a camera 20 s)")
    options = parser.parse_args()
    if options.source and "://" not in options.source and Path(options.source).exists():
        options.source = str(Path(options.source).resolve())
    if options.source and not Path(options.source).is_file() and not Path(options.source).is_dir():
        options.seconds = options.seconds or _LIVE_SECONDS
    return options


def _model(name: str) -> str:
    """A model that is here; a public one is pulled first."""
    if Path(name).suffix == ".tflite":
        return str(Path(name).resolve())
    verified = subprocess.run(
        [sys.executable, "-m", "edge", "models", "verify", name], capture_output=True, check=False
    )
    if verified.returncode != 0:
        _say(f"pulling the model {name}")
        pulled = subprocess.run([sys.executable, "-m", "edge", "models", "pull", name], check=False)
        if pulled.returncode != 0:
            raise SystemExit(pulled.returncode)
    return name


def _write_configuration(port: int, source: str, model: str) -> Path:
    path = _FOLDER / "edge.yaml"
    camera = camera_of(source, _FOLDER) | {"publish_detections": True}
    settings = {
        "device": "demo",
        "broker": {"host": "127.0.0.1", "port": port},
        "model": model,
        "cameras": {"demo": camera},
        "health": {"interval_seconds": 2},
        "outbox": {"path": "outbox.db"},
    }
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return path


def _run_detector(configuration: Path, seconds: float | None) -> tuple[int, float]:
    command = [sys.executable, "-m", "edge", "run", "--config", str(configuration)]
    if seconds is not None:
        command += ["--duration", str(seconds)]
    started = time.monotonic()
    detector = subprocess.Popen(command)
    try:
        code = detector.wait()
    except KeyboardInterrupt:
        # Ctrl-C reaches the whole group: the detector ends in order by itself
        detector.send_signal(signal.SIGINT)
        code = detector.wait(timeout=10)
    return code, time.monotonic() - started


def _summary(heard: Heard, seconds: float, picture: Path | None) -> None:
    stages = heard.health.get("latency_ms", {})
    infer = stages.get("infer") or {}
    seen = ", ".join(f"{label} x{count}" for label, count in heard.labels.most_common()) or "nothing"
    events = ", ".join(f"{count} {kind}" for kind, count in sorted(heard.events.items())) or "none"
    print()
    rate = heard.inferences / max(seconds, 0.1)
    print(f"frames    {heard.inferences} in {seconds:.1f} s = {rate:.1f} frames/s, start and end included")
    if infer:
        print(f"model     {infer.get('p50')} ms a frame (p50), {infer.get('p95')} ms (p95)")
    print(f"seen      {seen}")
    print(f"events    {events}")
    print(f"picture   {picture.resolve() if picture else 'nothing was seen, so there is none'}")
    print("next      tools/demo --source /dev/video0      a USB camera; rtsp://... and files work too")
    print("          tools/demo --model ssd-mobilenet-v1  80 kinds of things (downloads 6.9 MB once)")
    print("          README.md                            your own camera, broker and Home Assistant")


def _say(line: str) -> None:
    print(line, flush=True)


sys.exit(main())
