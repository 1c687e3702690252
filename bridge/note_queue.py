"""Commands in, MIDI messages out when they are due: all the decisions of a port, with no port and no clock.

The MIDI child plays what comes out; the recorder writes it down. Single-threaded; imports only the standard library.
"""

from __future__ import annotations

import heapq

from bridge.metrics import Histogram
from bridge.midi_records import NOW, Command, Kind
from bridge.notes import Message, NoteLedger, Strike, all_sound_off

LATE_NS = 10_000_000  # a note-on later than this counts as late
DROP_NS = 100_000_000  # later than this it is not played at all: a burst of stale notes helps nobody
_TAKES_COUNTED = 32  # takes whose late notes are told apart; keeps a report within one atomic pipe write
_PROGRAM = 0xC0


class NoteQueue:
    """Pending commands by due time, and the ledger of what sounds."""

    def __init__(self) -> None:
        self._ledger = NoteLedger()
        self._pending: list[tuple[int, Kind, int, Command]] = []
        self._order = 0
        self.lateness = Histogram()
        self.sent = 0
        self.late = 0
        self.dropped = 0
        self.late_by_tag: dict[int, int] = {}

    @property
    def sounding(self) -> int:
        """Notes that sound now."""
        return self._ledger.sounding

    @property
    def next_due_ns(self) -> int | None:
        """When the next pending command acts; None when nothing is pending."""
        return self._pending[0][0] if self._pending else None

    def push(self, command: Command) -> list[Message]:
        """Take a command; returns what must be sent this instant, which only panic and an undated cancel need."""
        if command.kind is Kind.PANIC:
            return self.end_all()
        if command.kind is Kind.CANCEL and command.due_ns == NOW:
            self._drop(command.tag)
            return self._ledger.silence_take(command.tag)
        self._order += 1
        heapq.heappush(self._pending, (command.due_ns, command.kind, self._order, command))
        return []

    def pop(self, now_ns: int) -> list[Message]:
        """Act on the first pending command, which is due; `now_ns` is when its messages go out."""
        command = heapq.heappop(self._pending)[3]
        kind = command.kind
        if kind is Kind.NOTE_ON:
            return self._note_on(command, now_ns)
        if kind is Kind.NOTE_OFF:
            strike = Strike(command.tag, command.note)
            return self._counted(self._ledger.release(strike, command.channel, command.data1), command, now_ns)
        if kind is Kind.PROGRAM:
            return [(_PROGRAM | command.channel, command.data1)]
        if kind is Kind.SILENCE:
            return [] if self._ledger.is_sounding_on(command.channel) else all_sound_off(command.channel)
        self._drop(command.tag)
        return self._ledger.end_take(command.tag)  # a dated cancel hands over to the next take: let notes ring out

    def end_all(self) -> list[Message]:
        """Forget what is pending and end what sounds."""
        self._pending.clear()
        return self._ledger.end_all()

    def _note_on(self, command: Command, now_ns: int) -> list[Message]:
        lateness_ns = now_ns - command.due_ns
        if lateness_ns > LATE_NS:
            self._count_late(command.tag)
            if lateness_ns > DROP_NS:
                self.dropped += 1
                return []
            self.late += 1
        strike = Strike(command.tag, command.note)
        messages = self._ledger.strike(strike, command.channel, command.data1, command.data2)
        return self._counted(messages, command, now_ns)

    def _counted(self, messages: list[Message], command: Command, now_ns: int) -> list[Message]:
        if messages:
            self.sent += len(messages)
            self.lateness.add(now_ns - command.due_ns)
        return messages

    def _count_late(self, tag: int) -> None:
        self.late_by_tag[tag] = self.late_by_tag.pop(tag, 0) + 1
        if len(self.late_by_tag) > _TAKES_COUNTED:
            del self.late_by_tag[next(iter(self.late_by_tag))]

    def _drop(self, tag: int) -> None:
        """Forget what a take has pending."""
        self._pending = [entry for entry in self._pending if entry[3].tag != tag]
        heapq.heapify(self._pending)
