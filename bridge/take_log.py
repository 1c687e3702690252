"""One client's takes: what was asked, what was made of it and what was sent, so that anything can be sent again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.answers import Answer, refusal
from bridge.errors import ErrorCode, ProtocolError
from bridge.protocol import Message
from bridge.take_request import TakeRequest
from bridge.wire_table import BY_NAME, MAX_DATAGRAMS, NOTES_PER_DATAGRAM, Value
from models.music.score import Note

KEPT_TAKES = 4
MAX_RESENDS = 5  # of one datagram
_GENERATE_PATH = BY_NAME["generate"].path


@dataclass(slots=True)
class Take:
    """One take, from its `generate` on."""

    message: Message
    request: TakeRequest
    begin: Answer | None = None
    datagrams: list[tuple[Note, ...]] = field(default_factory=list)
    count: int = 0
    late: int = 0
    is_over: bool = False
    is_silenced: bool = False
    """Cancelled or superseded: whatever still comes of it is not wanted."""
    error: ProtocolError | None = None
    resends: Counter[int] = field(default_factory=Counter)

    @property
    def req(self) -> int:
        """The client's number of the request."""
        return self.request.req

    def begun(self, values: tuple[Value, ...]) -> list[Answer]:
        """It runs; `values` are bars, parts, seed and at_tick as they were decided."""
        if self.is_over:
            return []
        self.begin = Answer("take/begin", (self.req, *values))
        return [self.begin]

    def add(self, notes: Sequence[Note]) -> list[Answer]:
        """Pack notes into datagrams, log them and return them; a take that is over takes none."""
        if self.is_over:
            return []
        first = len(self.datagrams)
        packed = [tuple(notes[at : at + NOTES_PER_DATAGRAM]) for at in range(0, len(notes), NOTES_PER_DATAGRAM)]
        kept = packed[: MAX_DATAGRAMS - first]
        self.datagrams += kept
        self.count += sum(map(len, kept))
        return [self._datagram(index) for index in range(first, len(self.datagrams))]

    def end(self, late: int) -> list[Answer]:
        """It is whole, or nothing more is wanted; again, when more notes have turned out late."""
        if self.error is not None or (self.is_over and late <= self.late):
            return []
        self.is_over = True
        self.late = max(late, self.late)
        return [self._end()]

    def fail(self, error: ProtocolError) -> list[Answer]:
        """It cannot be made."""
        if self.is_over:
            return []
        self.is_over = True
        self.error = error
        return [refusal(_GENERATE_PATH, error)]

    def silence(self) -> list[Answer]:
        """Nothing more of it is wanted."""
        self.is_silenced = True
        return self.end(self.late)

    def repeat(self, message: Message) -> list[Answer]:
        """The answer once more to the `generate` that came once more.

        Raises:
            ProtocolError: it differs from the first.
        """
        if message != self.message:
            raise ProtocolError(
                ErrorCode.WRONG_ARGUMENT, f"take {self.req} was asked for already with other arguments; count req up"
            )
        return ([self.begin] if self.begin and self.error is None else []) + self.last_word()

    def last_word(self) -> list[Answer]:
        """How it ended; empty while it runs."""
        if self.error is not None:
            return [refusal(_GENERATE_PATH, self.error)]
        return [self._end()] if self.is_over else []

    def resend(self, index: int) -> Answer:
        """One datagram again.

        Raises:
            ProtocolError: it was never sent, or too often.
        """
        if index >= len(self.datagrams):
            raise ProtocolError(
                ErrorCode.OUT_OF_RANGE,
                f"take {self.req} has {len(self.datagrams)} datagrams so far, and {index} is none of them; "
                "ask for those before the last that came",
            )
        if self.resends[index] >= MAX_RESENDS:
            raise ProtocolError(
                ErrorCode.NOT_FOUND,
                f"datagram {index} of take {self.req} was sent again {MAX_RESENDS} times; check that your port "
                "receives, then generate again",
            )
        self.resends[index] += 1
        return self._datagram(index)

    def _datagram(self, index: int) -> Answer:
        return Answer("take/notes", (self.req, index), self.datagrams[index])

    def _end(self) -> Answer:
        return Answer("take/end", (self.req, len(self.datagrams), self.count, self.late))


class TakeLog:
    """The last few takes of one client. Not thread-safe."""

    def __init__(self) -> None:
        self._takes: dict[int, Take] = {}
        self._newest_req = -1

    def get(self, req: int) -> Take | None:
        """The take of that number, if it is still known."""
        return self._takes.get(req)

    def find(self, req: int) -> Take:
        """The take of that number.

        Raises:
            ProtocolError: it is not known, or no longer.
        """
        take = self._takes.get(req)
        if take is None:
            known = ", ".join(map(str, self._takes)) or "none"
            raise ProtocolError(
                ErrorCode.NOT_FOUND, f"there is no take {req} (known: {known}); use the req of a generate"
            )
        return take

    def check_new(self, req: int) -> None:
        """Refuse a number that is not new.

        Raises:
            ProtocolError: a later one was used.
        """
        if req <= self._newest_req:
            raise ProtocolError(
                ErrorCode.WRONG_ARGUMENT, f"take {req} is older than take {self._newest_req}; count req up"
            )

    def add(self, take: Take) -> None:
        """Remember a new take, and forget the oldest but `KEPT_TAKES`."""
        self._newest_req = take.req
        self._takes[take.req] = take
        if len(self._takes) > KEPT_TAKES:
            del self._takes[next(iter(self._takes))]

    def audible(self) -> list[Take]:
        """Takes that run or may still sound."""
        return [take for take in self._takes.values() if not take.is_silenced and take.error is None]
