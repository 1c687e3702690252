"""A clip on its way in datagrams, in any order, some twice, some lost. It holds no clock and sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter

from bridge.errors import ErrorCode, ProtocolError
from bridge.protocol import Message
from bridge.wire_table import HEADER_INDEX, MAX_CLIP_NOTES
from models.music.score import Meter, Note, Part

_SORT_KEY = attrgetter("onset_tick", "part", "pitch", "duration_ticks", "velocity")  # as `Note`, many times faster
MAX_ASKED = 256  # datagrams asked for at once: an answer must fit the buffers on its way


@dataclass(frozen=True, slots=True)
class Clip:
    """What a client sent to be continued."""

    req: int
    parts: tuple[Part | None, ...]
    """By part number; None where the client has no such part."""
    notes: tuple[Note, ...]
    """Sorted. Onsets at or past `length_ticks` are the known future of given parts."""
    length_ticks: int
    meter: Meter
    bpm: float

    @property
    def part_numbers(self) -> frozenset[int]:
        """The parts there are, with notes or without."""
        return frozenset(number for number, part in enumerate(self.parts) if part is not None)

    @property
    def given_parts(self) -> frozenset[int]:
        """Parts whose future is known: heard, never generated."""
        return frozenset(note.part for note in self.notes if note.onset_tick >= self.length_ticks)


@dataclass(slots=True)
class ClipTransfer:
    """What has come of one clip so far. Every method may be called twice with the same, in any order."""

    req: int
    heard_s: float
    """When something new last came."""
    tries: int = 0
    """Rounds of asking since then."""
    asked_s: float = 0.0
    """When the last round was."""
    asked: set[int] = field(default_factory=set)
    """Indexes asked for and not yet come."""
    datagrams_sent: int | None = None
    """What `clip/end` said, once it came."""
    _begin: Message | None = None
    _parts: dict[int, Message] = field(default_factory=dict)
    _notes: dict[int, tuple[Note, ...]] = field(default_factory=dict)
    _count: int = 0
    _noted_parts: set[int] = field(default_factory=set)

    def take_in(self, message: Message, now_s: float) -> None:
        """One of the four `clip/` messages of this `req`.

        Raises:
            ProtocolError: it contradicts what came before; the transfer stands as it was.
        """
        is_new = {
            "clip/begin": self._take_begin,
            "clip/part": self._take_part,
            "clip/notes": self._take_notes,
            "clip/end": self._take_end,
        }[message.name](message)
        if is_new:
            self.heard_s = now_s
            self.tries = 0

    @property
    def has_all_notes(self) -> bool:
        """Whether, going by the count in `clip/begin`, nothing is missing though `clip/end` may be."""
        return self._is_counted and self._is_declared

    @property
    def is_whole(self) -> bool:
        """Whether every datagram has come."""
        return self._begin is not None and len(self._notes) == self.datagrams_sent and self._is_declared

    def missing(self) -> list[int]:
        """The first gaps, at most `MAX_ASKED`; before `clip/end` has come, also the datagram after the last."""
        stop = self.datagrams_sent
        if stop is None:
            stop = max(self._notes, default=-1) + (1 if self._is_counted else 2)
        gaps = islice((index for index in range(stop) if index not in self._notes), MAX_ASKED)
        has_header = self._begin is not None and self._is_declared
        return [*gaps] if has_header else [HEADER_INDEX, *gaps]

    @property
    def begin(self) -> Message | None:
        """`clip/begin`, once it came."""
        return self._begin

    def clip(self) -> Clip:
        """The clip, once it is whole.

        Raises:
            ProtocolError: the notes are not as many as `clip/begin` said.
        """
        assert self._begin is not None
        begin = self._begin
        if self._count != begin.integer("count"):
            raise ProtocolError(
                ErrorCode.WRONG_ARGUMENT,
                f"clip {self.req} was begun with {begin.integer('count')} notes but {self._count} came in "
                f"{len(self._notes)} datagrams; send it again with the right count",
            )
        parts = [_part(self._parts.get(number)) for number in range(max(self._parts, default=-1) + 1)]
        notes = sorted((note for some in self._notes.values() for note in some), key=_SORT_KEY)
        meter = Meter(0, begin.integer("num"), begin.integer("den"))
        return Clip(self.req, tuple(parts), tuple(notes), begin.integer("length_ticks"), meter, begin.number("tempo"))

    @property
    def _is_counted(self) -> bool:
        """Whether as many notes have come as `clip/begin` said."""
        return self._begin is not None and self._count >= self._begin.integer("count")

    @property
    def _is_declared(self) -> bool:
        """Whether every part that has notes was introduced."""
        return self._noted_parts <= self._parts.keys()

    def _take_begin(self, message: Message) -> bool:
        self._refuse_change(self._begin, message)
        is_new = self._begin is None
        self._begin = message
        self.asked.discard(HEADER_INDEX)
        return is_new

    def _take_part(self, message: Message) -> bool:
        number = message.integer("part")
        self._refuse_change(self._parts.get(number), message)
        is_new = number not in self._parts
        self._parts[number] = message
        return is_new

    def _take_notes(self, message: Message) -> bool:
        index = message.integer("index")
        held = self._notes.get(index)
        self.asked.discard(index)
        if held is not None:
            if held != message.notes:
                raise self._changed(message)
            return False
        if self.datagrams_sent is not None and index >= self.datagrams_sent:
            raise self._beyond_end(index, self.datagrams_sent)
        if self._count + len(message.notes) > MAX_CLIP_NOTES:
            raise ProtocolError(
                ErrorCode.OUT_OF_RANGE, f"clip {self.req} has more than {MAX_CLIP_NOTES:,} notes; send a shorter clip"
            )
        self._notes[index] = message.notes
        self._count += len(message.notes)
        self._noted_parts.update(note.part for note in message.notes)
        return True

    def _take_end(self, message: Message) -> bool:
        datagrams = message.integer("datagrams")
        if self.datagrams_sent is not None:
            if datagrams != self.datagrams_sent:
                raise self._changed(message)
            return False
        if self._notes and max(self._notes) >= datagrams:
            raise self._beyond_end(max(self._notes), datagrams)
        self.datagrams_sent = datagrams
        return True

    def _refuse_change(self, held: Message | None, message: Message) -> None:
        if held is not None and held != message:
            raise self._changed(message)

    def _changed(self, message: Message) -> ProtocolError:
        return ProtocolError(
            ErrorCode.WRONG_ARGUMENT,
            f"{message.path} came twice for clip {self.req} with different contents; count req up for another clip",
        )

    def _beyond_end(self, index: int, datagrams: int) -> ProtocolError:
        return ProtocolError(
            ErrorCode.WRONG_ARGUMENT,
            f"clip {self.req} has a datagram with index {index}, but clip/end says there are {datagrams}; "
            "count the datagrams of notes from 0 and send the clip again",
        )


def _part(message: Message | None) -> Part | None:
    if message is None:
        return None
    program = message.integer("program")
    return Part(bool(message.integer("drums")), None if program < 0 else program, message.text("name"))
