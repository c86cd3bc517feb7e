"""The desk where commands come in: each is checked, written down, carried out at most once, and answered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec

from edge.core.names import is_name
from edge.core.values import Message
from edge.report.listening import PAYLOAD_LIMIT, Heard, Inbox
from edge.report.topics import Topics
from edge.service.commands.audit import AuditTrail, Entry
from edge.service.commands.bucket import TokenBucket
from edge.service.commands.request import Command, Later, RefusedError, Request, read_request, transaction_of

logger = logging.getLogger(__name__)

_AT_ONCE = 4  # between two frames
_ANSWER_EXPIRY_S = 60
_NO_NAME = "?"

_encode = msgspec.json.Encoder().encode


class CommandDesk:
    """Does what the inbox asks for, in the thread that calls ``due``.

    Parameters
    ----------
    bucket : what comes too often is answered once, then passed over in silence
    changed : what is to be said when a command has changed a setting
    """

    def __init__(
        self,
        commands: Iterable[Command],
        *,
        inbox: Inbox,
        topics: Topics,
        bucket: TokenBucket,
        audit: AuditTrail,
        changed: Callable[[], Message],
    ) -> None:
        self._commands = {command.name: command for command in commands}
        self._inbox = inbox
        self._topics = topics
        self._bucket = bucket
        self._audit = audit
        self._changed = changed
        self._passed_over = 0
        self._open: list[tuple[Command, Request, Later]] = []

    def open(self) -> list[Message]:
        """What holds now, restarts included."""
        return [self._changed()]

    def go_on_from(self, before: CommandDesk) -> None:
        """Take over what another desk has begun: it is begun again, with those who are there now."""
        for command, request, _ in before._open:
            again = partial(self._commands[command.name].run, request)
            self._open.append((command, request, Later(again)))

    def due(self) -> list[Message]:
        """The answers to what has come in; never raises what a message can cause."""
        messages: list[Message] = []
        started, self._open = self._open, []
        for command, request, later in started:
            messages += self._do(command, request, later.look, later)
        for _ in range(_AT_ONCE):
            heard = self._inbox.take()
            if heard is None:
                break
            messages += self._handle(heard)
        return messages

    def _handle(self, heard: Heard) -> list[Message]:
        name = heard.topic.removeprefix(self._topics.command_base())
        if not self._bucket.take():
            self._passed_over += 1
            if self._passed_over > 1 or not is_name(name) or heard.retained:
                return []
            return self._refuse(name, transaction_of(heard.payload), "too many commands; try again in a minute")
        if self._passed_over:
            logger.warning("%d commands were passed over: they came too fast", self._passed_over)
            self._passed_over = 0
        silent = _reason_for_silence(name, heard)
        if silent is not None:
            self._note(Entry("ignored", name if is_name(name) else _NO_NAME, words=silent))
            return []
        command = self._commands.get(name)
        if command is None:
            words = f"there is no command {name}; there are {', '.join(self._commands)} and replay"
            return self._refuse(name, transaction_of(heard.payload), words)
        try:
            request = read_request(heard.payload, command.request)
        except RefusedError as error:
            return self._refuse(name, transaction_of(heard.payload), str(error))
        return self._carry_out(command, request)

    def _carry_out(self, command: Command, request: Request) -> list[Message]:
        """Written down before it is done: what can't be written down is not done."""
        try:
            self._audit.write(Entry("asked", command.name, request.transaction, request=request))
        except OSError as error:
            logger.error("command %s: it can't be written down (%s), so it is not carried out", command.name, error)
            return [self._answer(command.name, request.transaction, "error", reason="it can't be written down")]
        return self._do(command, request, lambda: command.run(request))

    def _do(
        self,
        command: Command,
        request: Request,
        act: Callable[[], dict[str, Any] | Later | None],
        later: Later | None = None,
    ) -> list[Message]:
        """``later`` : looked at again, as long as ``act`` has no answer."""
        try:
            told = act()
        except RefusedError as error:
            return self._refuse(command.name, request.transaction, str(error))
        except OSError as error:
            logger.error("command %s: its setting can't be kept: %s", command.name, error)
            return self._refuse(command.name, request.transaction, "the setting can't be kept on disk")
        except Exception:  # a command is a courtesy; the cameras come first
            logger.exception("command %s: unexpected fault", command.name)
            return self._refuse(command.name, request.transaction, "an unexpected fault; the journal has the details")
        waits = told if isinstance(told, Later) else later
        if waits is not None and not isinstance(told, dict):
            self._open.append((command, request, waits))
            return []
        assert isinstance(told, dict)
        self._note(Entry("done", command.name, request.transaction))
        logger.info("command %s: done", command.name)
        return [self._changed(), self._answer(command.name, request.transaction, "ok", **told)]

    def _refuse(self, name: str, transaction: str, words: str) -> list[Message]:
        self._note(Entry("refused", name, transaction, words))
        logger.warning("command %s: refused: %s", name, words)
        return [self._answer(name, transaction, "error", reason=words)]

    def _note(self, entry: Entry) -> None:
        try:
            self._audit.write(entry)
        except OSError as error:
            logger.error("commands: the audit trail can't be written: %s", error)

    def _answer(self, name: str, transaction: str, status: str, **told: Any) -> Message:
        payload = {"transaction": transaction, "status": status, **told}
        return Message(self._topics.response(name), _encode(payload), qos=1, expiry_s=_ANSWER_EXPIRY_S)


def _reason_for_silence(name: str, heard: Heard) -> str | None:
    """Why something is not even answered: nobody waits for an answer, or there is no topic for one."""
    if heard.retained:
        return "it was retained; a command is for now"
    if not is_name(name):
        return "its name is none"
    if len(heard.payload) > PAYLOAD_LIMIT:
        return f"it is larger than {PAYLOAD_LIMIT} bytes"
    return None
