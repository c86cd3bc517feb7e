"""The way in: finds the configuration file, reads it, checks it, and answers with values."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import msgspec

from edge.config.checking import read_config
from edge.config.cross_checks import cross_check
from edge.config.paths import resolve_paths
from edge.config.problems import MAX_PROBLEMS, BadConfigError, Problem
from edge.config.values import Broker, Config, Origin
from edge.config.yaml_reader import MAX_BYTES, read_yaml
from edge.core.errors import ConfigAwayError, ConfigError
from edge.core.looking import is_file, is_passing

SYSTEM_FILE = Path("/etc/edge/edge.yaml")
LOCAL_FILE = Path("edge.yaml")
_TLS_PORT = 8883


def find_config(path: Path | None = None) -> Path:
    """The file that was named, else the system's, else the one in this folder. Raises ConfigError."""
    if path is not None:
        return path
    for candidate in (SYSTEM_FILE, LOCAL_FILE):
        if is_file(candidate):
            return candidate
    raise ConfigError(
        f"expected a configuration in {SYSTEM_FILE} or ./{LOCAL_FILE}, found none; name one with --config FILE, "
        f"or write one with `cameras: {{yard: {{source: picamera2:0}}}}`; docs/configuration.md tells all keys"
    )


def load_config(path: Path) -> Config:
    """The checked values; relative paths count from the file's folder.

    Raises
    ------
    BadConfigError
        A ConfigError with every mistake in the file, one per line, each with its place and the way out.
    ConfigError
        If the file can't be read at all.
    """
    return parse_config(read_bounded(path), path)


def parse_config(content: bytes, path: Path) -> Config:
    """As ``load_config``, for content that is at hand; ``path`` says where it belongs."""
    file = str(path)
    config, lines, problems = read_config(read_yaml(content, file))
    if config is not None:
        spoilt = {problem.key for problem in problems}
        found = (problem for problem in cross_check(config, lines) if problem.key not in spoilt)
        problems += [_placed(problem, lines) for problem in islice(found, MAX_PROBLEMS)]
    if config is None:
        raise BadConfigError(file, problems)
    origin = Origin(path.absolute(), lines)
    config = msgspec.structs.replace(config, broker=_with_port(config.broker, lines), origin=origin)
    config = resolve_paths(config)
    if problems:
        raise BadConfigError(file, problems, config)
    return config


def line_of(key: str, lines: dict[str, int]) -> int | None:
    """The line of a key, or of the nearest section around it that stands in the file."""
    while key and key not in lines:
        key = key[: key.rindex("[")] if key.endswith("]") else key.rpartition(".")[0]
    return lines.get(key)


def read_bounded(path: Path) -> bytes:
    """The content, cut one byte above the most that is read.

    Raises ConfigError, and of it ConfigAwayError for what may work later.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: expected the configuration file, found nothing there; check the path") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path}: expected the configuration file, found a folder; name the file in it") from error
    except PermissionError as error:
        raise ConfigError(f"{path}: this user may not read the configuration; give it read access") from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and is_passing(error):
            raise ConfigAwayError(
                f"{path}: the configuration can't be read just now: {error}; check the disk"
            ) from error
        raise ConfigError(f"{path}: the configuration can't be read: {error}; check the path") from error


def _placed(problem: Problem, lines: dict[str, int]) -> Problem:
    return Problem(problem.key, problem.message, line_of(problem.key, lines))


def _with_port(broker: Broker, lines: dict[str, int]) -> Broker:
    """MQTT over TLS has a port of its own, unless another is named."""
    if broker.tls is None or "broker.port" in lines:
        return broker
    return msgspec.structs.replace(broker, port=_TLS_PORT)
