"""One client's clips: those on their way and the last few that are whole. Asks for what is missing; sends nothing."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.answers import Answer, refusal
from bridge.clip_transfer import Clip, ClipTransfer
from bridge.errors import ErrorCode, ProtocolError
from bridge.protocol import Message
from bridge.wire_table import BY_NAME

KEPT_CLIPS = 4
MAX_TRANSFERS = 4
MAX_TRIES = 5  # rounds of asking without an answer
RETRY_S = 0.2  # until the second round; each later one waits twice as long
SILENCE_S = 1.0  # without clip/end: until what is missing is asked for
_END_PATH = BY_NAME["clip/end"].path


@dataclass(frozen=True, slots=True)
class InboxResult:
    """What to answer, and the clip that has just become whole."""

    answers: tuple[Answer, ...] = ()
    clip: Clip | None = None
    failed_req: int | None = None
    """The clip that was given up."""


class ClipInbox:
    """See the module. Not thread-safe; `now_s` is any steady clock's."""

    def __init__(self) -> None:
        self._transfers: dict[int, ClipTransfer] = {}
        self._clips: dict[int, Clip] = {}
        self._begins: dict[int, Message | None] = {}
        self._failures: dict[int, ProtocolError] = {}
        self._forgotten_req = -1
        self._given_up: list[InboxResult] = []  # told at the next tick

    def find(self, req: int) -> Clip:
        """The whole clip of that number.

        Raises:
            ProtocolError: it is not held.
        """
        if req in self._clips:
            return self._clips[req]
        held = ", ".join(map(str, sorted(self._clips))) or "none"
        raise ProtocolError(
            ErrorCode.NOT_FOUND, f"there is no clip {req} (held: {held}); send it and wait for /continuo/clip/ready"
        )

    def is_coming(self, req: int) -> bool:
        """Whether this clip is on its way."""
        return req in self._transfers

    def take_in(self, message: Message, now_s: float) -> InboxResult:
        """One of the four `clip/` messages.

        Raises:
            ProtocolError: it cannot be; every clip stands as it was.
        """
        req = message.integer("req")
        if req in self._clips:
            return self._repeat(req, message)
        if req in self._failures and message.name != "clip/begin":
            if message.name == "clip/end":
                raise self._failures[req]
            return InboxResult()
        if req <= self._forgotten_req:
            raise ProtocolError(
                ErrorCode.WRONG_ARGUMENT,
                f"clip {req} is older than those still held (after {self._forgotten_req}); count req up",
            )
        return self._advance(self._transfer(req, now_s), message, now_s)

    def tick(self, now_s: float) -> list[InboxResult]:
        """Ask again for what has not come; give up what was asked for `MAX_TRIES` times."""
        given_up, self._given_up = self._given_up, []
        return given_up + [
            self._nudge(transfer, now_s)
            for transfer in list(self._transfers.values())
            if now_s - max(transfer.heard_s, transfer.asked_s) >= _patience_s(transfer)
        ]

    def _transfer(self, req: int, now_s: float) -> ClipTransfer:
        """The transfer of that number, begun now if it is new; too many at once give up the oldest."""
        if req not in self._transfers:
            if len(self._transfers) >= MAX_TRANSFERS:
                oldest = min(self._transfers.values(), key=lambda transfer: transfer.heard_s)
                text = f"clip {oldest.req} made room for newer ones before it was whole; send it again"
                self._given_up.append(self._give_up(oldest, ProtocolError(ErrorCode.BUSY, text)))
            self._failures.pop(req, None)
            self._transfers[req] = ClipTransfer(req, now_s)
        return self._transfers[req]

    def _advance(self, transfer: ClipTransfer, message: Message, now_s: float) -> InboxResult:
        was_asking = bool(transfer.asked)
        was_ended = transfer.datagrams_sent is not None
        transfer.take_in(message, now_s)
        if transfer.is_whole:
            return self._finish(transfer)
        is_first_end = message.name == "clip/end" and not was_ended
        if is_first_end or (was_asking and not transfer.asked):
            return self._ask(transfer, now_s)
        return InboxResult()

    def _nudge(self, transfer: ClipTransfer, now_s: float) -> InboxResult:
        if transfer.datagrams_sent is None and transfer.has_all_notes:
            return self._finish(transfer)  # only clip/end was lost
        if transfer.tries < MAX_TRIES:
            return self._ask(transfer, now_s)
        missing = ", ".join("begin or part" if index < 0 else str(index) for index in transfer.missing()[:5])
        text = (
            f"clip {transfer.req} is not whole: datagram {missing} is missing after {MAX_TRIES} requests; send it again"
        )
        return self._give_up(transfer, ProtocolError(ErrorCode.NOT_FOUND, text))

    def _ask(self, transfer: ClipTransfer, now_s: float) -> InboxResult:
        missing = transfer.missing()
        transfer.asked = set(missing)
        transfer.asked_s = now_s
        transfer.tries += 1
        return InboxResult(tuple(Answer("clip/need", (transfer.req, index)) for index in missing))

    def _finish(self, transfer: ClipTransfer) -> InboxResult:
        try:
            clip = transfer.clip()
        except ProtocolError as error:
            return self._give_up(transfer, error)
        del self._transfers[clip.req]
        self._clips[clip.req] = clip
        self._begins[clip.req] = transfer.begin
        if len(self._clips) > KEPT_CLIPS:
            self._forgotten_req = min(self._clips)
            del self._clips[self._forgotten_req], self._begins[self._forgotten_req]
        return InboxResult((_ready(clip),), clip)

    def _give_up(self, transfer: ClipTransfer, error: ProtocolError) -> InboxResult:
        del self._transfers[transfer.req]
        self._failures[transfer.req] = error
        if len(self._failures) > MAX_TRANSFERS:
            del self._failures[next(iter(self._failures))]
        return InboxResult((refusal(_END_PATH, error),), failed_req=transfer.req)

    def _repeat(self, req: int, message: Message) -> InboxResult:
        """A message about a clip that is whole: its answer again, and nothing else."""
        if message.name == "clip/begin" and self._begins[req] != message:
            raise ProtocolError(
                ErrorCode.WRONG_ARGUMENT, f"clip {req} is held already with different contents; count req up"
            )
        return InboxResult((_ready(self._clips[req]),) if message.name == "clip/end" else ())


def _ready(clip: Clip) -> Answer:
    return Answer("clip/ready", (clip.req, len(clip.notes)))


def _patience_s(transfer: ClipTransfer) -> float:
    """How long to wait for news before the next round."""
    first_s = SILENCE_S if transfer.datagrams_sent is None else RETRY_S
    return first_s * 2.0 ** max(0, transfer.tries - 1)
