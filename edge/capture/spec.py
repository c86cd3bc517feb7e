"""What the text behind ``source:`` means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from edge.capture.scene import SceneOptions, parse_scene
from edge.core.errors import ConfigError
from edge.core.home import expand_home
from edge.core.likeness import like
from edge.core.looking import is_folder, why_missing

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".webp"})
ACCEPTED = (
    "picamera2:N, /dev/videoN, v4l2:N, rtsp://..., rtsps://..., http://..., https://..., "
    "a video file, a picture, a folder of pictures, synthetic:"
)
_SCHEMES = ("rtsp", "rtsps", "http", "https")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_WORD = re.compile(r"(?P<word>[A-Za-z][A-Za-z0-9+.-]*):(?P<rest>.*)", re.DOTALL)
_USERINFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://).*@", re.DOTALL)
# Cheap cameras take the password in the path or the query: /user=admin&password=1234&channel=1
_SECRET_FIELD = re.compile(r"(?i)\b(user(?:name)?|usr|pass(?:word|wd)?|pwd|psw|token|auth|key|secret)=[^&;?#/\s]*")


class SourceKind(StrEnum):
    PICAMERA2 = "picamera2"
    V4L2 = "v4l2"
    STREAM = "stream"
    VIDEO = "video"
    PICTURES = "pictures"
    SYNTHETIC = "synthetic"


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One source, understood.

    target : picamera2: the camera's number; v4l2: the device file; stream: the URL, credentials and all
        (never print it: use ``redacted``); video, pictures: the absolute path; synthetic: the text after the colon
    scene : for synthetic alone
    """

    kind: SourceKind
    target: str = field(repr=False)
    scene: SceneOptions | None = None

    @property
    def is_live(self) -> bool:
        """Whether frames come when they come; recordings can be paced, repeated and read to their end."""
        return self.kind in (SourceKind.PICAMERA2, SourceKind.V4L2, SourceKind.STREAM)

    def redacted(self) -> str:
        """For messages and logs: the source without its user, password or token."""
        prefix = f"{self.kind}:" if self.kind in (SourceKind.PICAMERA2, SourceKind.SYNTHETIC) else ""
        return prefix + redacted(self.target)


def redacted(text: str) -> str:
    """The text with user and password taken out of every place a camera's URL keeps them.

    Example
    -------
    rtsp://admin:secret@10.0.0.5/live?token=abc -> rtsp://***@10.0.0.5/live?token=***
    """
    if "://" not in text:
        return text
    # Greedy up to the last @: a password may hold @ or / where the writer did not encode it.
    return _SECRET_FIELD.sub(r"\1=***", _USERINFO.sub(r"\g<scheme>***@", text))


def parse_source(text: str, *, base: Path) -> SourceSpec:
    """Read the value of ``source:``.

    Parameters
    ----------
    text : what the user wrote
    base : the folder a relative path starts from (that of the configuration file)

    Raises
    ------
    ConfigError
        When the text is none of the accepted forms. A path to nothing is accepted where it looks like
        a path: opening it says that it is missing.
    """
    text = text.strip()
    if not text or "\0" in text:
        raise ConfigError(f"source: expected one of {ACCEPTED}; found {'nothing' if not text else 'a NUL character'}")
    if url := _URL.fullmatch(text):
        return _stream(text, scheme=url["scheme"].lower(), rest=url["rest"])
    if text.startswith(("/dev/video", "/dev/v4l/")):
        return SourceSpec(SourceKind.V4L2, text)
    if word := _WORD.fullmatch(text):
        spec = _named(word["word"], word["rest"])
        if spec is not None:
            return spec
    return _path(text, base)


def _stream(text: str, *, scheme: str, rest: str) -> SourceSpec:
    if scheme not in _SCHEMES:
        raise _refusal(text, hint=_nearest(scheme, _SCHEMES))
    host = rest.rpartition("@")[2].split("/", 1)[0].split("?", 1)[0]
    if not host or host.startswith(":") or any(c.isspace() for c in text):
        raise ConfigError(
            f"source {redacted(text)!r}: expected {scheme}://host[:port]/path, without spaces; no host found"
        )
    port = re.search(r":([^:\]]*)$", host)
    if port and not (port[1].isdigit() and 0 < int(port[1]) < 65536):
        raise ConfigError(
            f"source {redacted(text)!r}: expected a port from 1 to 65535, found {redacted('://' + port[1])[3:]!r}"
        )
    return SourceSpec(SourceKind.STREAM, text)


def _named(word: str, rest: str) -> SourceSpec | None:
    if word == "synthetic":
        return SourceSpec(SourceKind.SYNTHETIC, rest, parse_scene(rest))
    if word == "picamera2":
        return SourceSpec(SourceKind.PICAMERA2, _number(word, rest))
    if word == "v4l2":
        return SourceSpec(SourceKind.V4L2, rest if rest.startswith("/dev/") else f"/dev/video{_number(word, rest)}")
    return None


def _number(word: str, rest: str) -> str:
    if not re.fullmatch(r"[0-9]{1,3}", rest):
        raise ConfigError(
            f"source '{word}:{rest}': expected a camera number, as in {word}:0; found {rest or 'nothing'!r}"
        )
    return str(int(rest))


def _path(text: str, base: Path) -> SourceSpec:
    path = base / expand_home(text)
    if why_missing(path) and not _looks_like_path(text):
        hint = _nearest(text.partition(":")[0], ("picamera2", "v4l2", "synthetic"))
        if text.isdigit():
            hint = f"; did you mean picamera2:{text} or /dev/video{text}?"
        raise _refusal(text, hint=hint or f"; there is no file or folder {path}")
    is_pictures = is_folder(path) or path.suffix.lower() in PICTURE_SUFFIXES or text.endswith("/")
    return SourceSpec(SourceKind.PICTURES if is_pictures else SourceKind.VIDEO, str(path.absolute()))


def _looks_like_path(text: str) -> bool:
    return _WORD.fullmatch(text) is None and ("/" in text or Path(text).suffix != "")


def _refusal(text: str, *, hint: str) -> ConfigError:
    return ConfigError(f"source: expected one of {ACCEPTED}; found {redacted(text)!r}{hint}")


def _nearest(word: str, known: tuple[str, ...]) -> str:
    near = like(word.lower(), known)
    return f"; did you mean {near[0]}:{'//' if near[0] in _SCHEMES else ''}...?" if near else ""
