"""Whether the files that a configuration names are there. Apart from loading, so that one can be checked elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge.config.problems import Problem, join_key
from edge.config.secret_files import check_private, read_secret
from edge.config.texts import source_kind
from edge.config.values import Config, SecretRef, Tls
from edge.core.errors import ConfigError
from edge.core.looking import is_file, why_missing


def check_files(config: Config) -> list[Problem]:
    """Certificates, keys, password files and recordings that are missing or can't be read.

    Credentials are systemd's: only the running service sees them, so they are not looked for.
    """
    problems = list(_tls(config.broker.tls)) if config.broker.tls else []
    problems += _secret(config.broker.password, "broker.password")
    for name, camera in config.cameras.items():
        key = join_key("cameras", name)
        problems += _secret(camera.password, f"{key}.password")
        missing = why_missing(Path(camera.source)) if source_kind(camera.source) == "path" else None
        if missing is not None:
            message = f"expected a video file or a folder of pictures, found {missing}: {camera.source}; check the path"
            problems.append(Problem(f"{key}.source", message))
    return [Problem(problem.key, problem.message, config.origin.lines.get(problem.key)) for problem in problems]


def _tls(tls: Tls) -> Iterator[Problem]:
    for key, path in (("ca", tls.ca), ("certificate", tls.certificate)):
        if path is not None and not is_file(path):
            yield Problem(
                f"broker.tls.{key}", f"expected a certificate in PEM form, found no file {path}; check the path"
            )
    if isinstance(tls.key, Path):
        yield from _private("broker.tls.key", tls.key)
    elif tls.key is not None and tls.key.file is not None:
        yield from _private("broker.tls.key", tls.key.file)


def _private(key: str, path: Path) -> Iterator[Problem]:
    try:
        check_private(path, key)
    except ConfigError as error:
        yield Problem(key, str(error).removeprefix(f"{key}: "))


def _secret(secret: SecretRef | None, key: str) -> Iterator[Problem]:
    if secret is None or secret.file is None:
        return
    try:
        read_secret(secret, key)
    except ConfigError as error:
        yield Problem(key, str(error).removeprefix(f"{key}: "))
