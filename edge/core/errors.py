"""Errors by who mends them, each with the exit code it ends a command with.

EdgeError            1   ran and found something wrong
  UsageError         2   the command line
  ConfigError        78  the configuration file, or what it names
    ConfigAwayError  75  a configuration that can't be had just now, and may be later
  ModelError         78  the model file, its card or its labels
    ModelAwayError   75  a model file that can't be read just now
    ModelCrashError  75  a model whose process ends each time, for want of memory it may be
  InUseError         75  another process has what only one may have
  SourceError        75  a camera or stream that is away, and may come back
    RecordingError   78  a recording that can't be read, and won't mend itself
  BrokerError        75  the broker is away or refuses
  MissingLibraryError 78 a library this machine lacks

Every message says what was expected, what was found, where, and what to do.
"""

from __future__ import annotations

from enum import StrEnum


class EdgeError(Exception):
    """Something a person can mend; its text is meant for that person."""

    exit_code = 1


class UsageError(EdgeError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class ConfigError(EdgeError):
    """The configuration is wrong; a restart will not help."""

    exit_code = 78


class ConfigAwayError(ConfigError):
    """The configuration can't be had just now: a disk that fails, no descriptor left. Another start may find it."""

    exit_code = 75


class ModelError(EdgeError):
    """A model file, card or label list is wrong; a restart will not help."""

    exit_code = 78


class ModelAwayError(ModelError):
    """A model file can't be read just now: a disk that fails, no descriptor left. Another start may find it."""

    exit_code = 75


class ModelCrashError(ModelError):
    """The process that runs the model ends again and again; another start may find memory or a card that works."""

    exit_code = 75


class Away(StrEnum):
    """Why there are no frames, as a code; docs/faults.md says what each means and what to do."""

    ABSENT = "absent"  # no such device, nobody at that address
    DENIED = "denied"  # it is there, and this user may not have it
    REFUSED = "refused"  # it is there, and does not open: held by another, not switched on, another password
    LOST = "lost"  # it was unplugged, switched off, or ended the stream
    HUNG = "hung"  # it is open, and nothing comes
    UNREADABLE = "unreadable"  # nothing that comes can be decoded
    UNSUITABLE = "unsuitable"  # what it gives is nothing we can use
    CRASHED = "crashed"  # our own process for it ended


class SourceError(EdgeError):
    """A camera or stream is away; try again later."""

    exit_code = 75

    def __init__(self, words: str, reason: Away = Away.LOST) -> None:
        super().__init__(words)
        self.reason = reason


class RecordingError(SourceError):
    """A recording or picture can't be read; trying again will not help."""

    exit_code = 78


class BrokerError(EdgeError):
    """The broker is away or refuses; try again later."""

    exit_code = 75


class InUseError(EdgeError):
    """Another process has what only one may have; when that one has ended, this one can go on."""

    exit_code = 75


class MissingLibraryError(EdgeError):
    """A library that the chosen parts need is not installed, or does not work here."""

    exit_code = 78
