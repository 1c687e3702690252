"""The takes that are on: where each begins on the clock, what of it sounds, what its client is told. Main thread only.

A take on a stopped transport begins when its first chord is there, or most of it; one in a playing host begins on a bar
line that was fixed when it was asked for. A take that is superseded sounds until its successor begins, where that is
known.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bridge.channels import ChannelMap, map_channels
from bridge.clip_transfer import Clip
from bridge.clock import Clock, TempoLine, Transport
from bridge.context import Scene
from bridge.controls import Output
from bridge.effects import ClientKey
from bridge.metrics import Metrics
from bridge.scheduler import Scheduler
from bridge.take_request import TakeRequest
from bridge.timeline import TakeState
from bridge.wire_table import MAX_TICK
from models.music.constants import PPQ
from models.music.score import Note

log = logging.getLogger(__name__)

FIRST_CHORD_NS = 20_000_000  # longer than this no take on a stopped transport waits for its first chord to be whole
START_MARGIN_NS = 10_000_000  # on the way to the port; a program change goes ahead of the first note
LEAST_LEAD_NS = 60_000_000  # a bar line nearer than this is missed: the next one is taken
LEAST_NUDGE_NS = 40_000_000  # less is not heard as out of time, and may be a host's word that came late
MOST_NUDGE_BEATS = 1.0  # more is a jump of the host, which no take follows


@dataclass(slots=True)
class Act:
    """One take that is on."""

    tag: int
    client: ClientKey
    request: TakeRequest
    scene: Scene
    seed: int
    asked_ns: int
    at_tick: int
    """Song tick where it begins; -1 on a stopped transport."""
    line: TempoLine | None
    """Where its tick 0 lies; None until the first chord of a take on a stopped transport is there."""
    sounds: bool
    """Whether it goes to the MIDI port, now or still to come."""
    reached_tick: int = 0
    """Everything before it is made."""
    first_notes: list[Note] = field(default_factory=list)
    """What there is of the first chord of a take on a stopped transport."""
    has_notes: bool = False
    first_ns: int = 0
    """When its first note was made."""
    late: int = 0
    is_whole: bool = False
    """Nothing more of it is made."""
    successor: Act | None = None
    """The take whose beginning cuts it off."""
    off_ns: int = 0
    """By how much the host was ahead of it at its last word."""
    next_status_ns: int = 0

    @property
    def follows_host(self) -> bool:
        """Whether it plays in a playing host's time."""
        return self.at_tick >= 0


class Stage:
    """Every take from its request until it has ended and fallen silent."""

    def __init__(
        self,
        scheduler: Scheduler,
        clock: Clock,
        metrics: Metrics,
        late_at_port: Callable[[int], int],
        on_tempo: Callable[[int, float], None],
    ) -> None:
        """`on_tempo` is told from which instant on what sounds goes at how many beats a minute."""
        self._scheduler, self._clock, self._metrics = scheduler, clock, metrics
        self._late_at_port, self._on_tempo = late_at_port, on_tempo
        self._acts: dict[int, Act] = {}
        self._last_tag = 0

    def __iter__(self) -> Iterator[Act]:
        return iter(list(self._acts.values()))

    def get(self, tag: int) -> Act | None:
        """The take of a tag; None when it is over."""
        return self._acts.get(tag)

    def find(self, client: ClientKey, req: int) -> Act | None:
        """A client's take; None when it is over."""
        return next((act for act in self if act.client == client and act.request.req == req), None)

    def of(self, client: ClientKey) -> list[Act]:
        """A client's takes that are on."""
        return [act for act in self if act.client == client]

    def enter(self, client: ClientKey, request: TakeRequest, scene: Scene, seed: int, host: Transport | None) -> Act:
        """A take was asked for; decides where it begins."""
        self._last_tag += 1
        now_ns = self._clock.now_ns()
        at_tick, line = _beginning(request, host, now_ns)
        sounds = Output.MIDI in request.controls.output
        act = Act(self._last_tag, client, request, scene, seed, now_ns, at_tick, line, sounds)
        self._acts[act.tag] = act
        if sounds and line is not None:
            self._scheduler.start(act.tag, line, channels_of(request.clip))
            self._on_tempo(now_ns, line.bpm)
        return act

    def supersede(self, older: Act, newer: Act) -> None:
        """Let a take sound until a newer one begins; end it now where that is not known."""
        if older.line is None or newer.line is None or not (older.sounds and newer.sounds):
            self.leave(older)
        elif older.successor is None:
            older.is_whole, older.successor = True, newer
            self._scheduler.cancel(older.tag, newer.line.ns_at(0))

    def limit_tick(self, act: Act) -> int | None:
        """How far it may be made for now; None = to its end. Any thread."""
        if not act.sounds:
            return None
        ahead_ticks = act.request.controls.lookahead_bars * act.scene.bar_ticks
        if act.line is None:
            return ahead_ticks
        return max(0, act.line.tick_at(self._clock.now_ns())) + ahead_ticks

    def add(self, act: Act, notes: tuple[Note, ...], reached_tick: int) -> None:
        """Notes of it were made, and everything before `reached_tick`."""
        if act.successor is not None:
            return  # its client was told that it has ended, and nothing sounds that was not told
        now_ns = self._clock.now_ns()
        if notes and not act.has_notes:
            act.has_notes = True
            act.first_ns = now_ns
            self._metrics.observe_first_note(now_ns - act.asked_ns)
        act.reached_tick = max(act.reached_tick, reached_tick)
        if not act.sounds:
            return
        if act.line is not None:
            act.late += sum(act.line.ns_at(note.onset_tick) < now_ns for note in notes)
            self._scheduler.add(act.tag, notes)
            return
        act.first_notes += notes
        if act.first_notes and (
            reached_tick > act.first_notes[0].onset_tick or now_ns - act.first_ns >= FIRST_CHORD_NS
        ):
            self._begin(act)

    def _begin(self, act: Act) -> None:
        """Let a take on a stopped transport sound from now on."""
        bpm = act.request.clip.bpm
        act.line = TempoLine(self._clock.now_ns() + START_MARGIN_NS, 0, bpm)
        self._scheduler.start(act.tag, act.line, channels_of(act.request.clip))
        self._on_tempo(act.line.anchor_ns, bpm)
        self._scheduler.add(act.tag, act.first_notes)

    def complete(self, act: Act) -> None:
        """All of it is made."""
        act.is_whole = True
        if act.sounds and act.line is None and act.first_notes:
            self._begin(act)
        if act.sounds and act.line is not None:
            self._scheduler.finish(act.tag)
        else:
            del self._acts[act.tag]

    def leave(self, act: Act) -> None:
        """End it now, and with it what still sounded only until it would begin."""
        if act.sounds and act.line is not None:
            self._scheduler.cancel(act.tag)
        self._acts.pop(act.tag, None)
        self._leave_superseded(act)

    def hush(self, act: Act) -> None:
        """End its sound; the rest of it is made for those who take it over OSC."""
        if act.sounds and act.line is not None:
            self._scheduler.cancel(act.tag)
        act.sounds = False
        if act.is_whole:
            self._acts.pop(act.tag, None)
        self._leave_superseded(act)

    def fall_silent(self, state: TakeState) -> Act | None:
        """The scheduler has played the last of a take; returns it. One that is hushed and still made stays."""
        act = self._acts.get(state.tag)
        if act is None or not act.is_whole:
            return None
        del self._acts[state.tag]
        act.late = state.late + state.dropped + self._late_at_port(state.tag)
        return act

    def follow(self, client: ClientKey, song_tick: int, bpm: float) -> None:
        """The client's host plays on, is at `song_tick` now, and may have another tempo or have drifted away."""
        for act in self.of(client):
            if act.follows_host and act.line is not None:
                self._follow(act, act.line, song_tick - act.at_tick, bpm)

    def _follow(self, act: Act, line: TempoLine, tick: int, bpm: float) -> None:
        """The host is at the take's `tick` now."""
        now_ns = self._clock.now_ns()
        if line.bpm != bpm:
            line = line.bent(now_ns, bpm)
        off_ns = line.ns_at(tick) - now_ns
        if abs(off_ns) > MOST_NUDGE_BEATS * 60e9 / bpm:
            off_ns = 0
        nudge_ns = _agreed(off_ns, act.off_ns)
        act.off_ns = off_ns
        if abs(nudge_ns) > LEAST_NUDGE_NS:
            act.off_ns = 0
            line = TempoLine(line.anchor_ns - nudge_ns, line.anchor_tick, bpm)
        if line != act.line:
            self._bend(act, line, now_ns)

    def _bend(self, act: Act, line: TempoLine, now_ns: int) -> None:
        """Lay the rest of it on another line; what it cuts off goes on until then."""
        assert act.line is not None
        if line.bpm != act.line.bpm:
            self._on_tempo(now_ns, line.bpm)
        act.line = line
        self._scheduler.retime(act.tag, line)
        for other in self:
            if other.successor is act:
                self._scheduler.cancel(other.tag, line.ns_at(0))

    def _leave_superseded(self, newer: Act) -> None:
        for act in self:
            if act.successor is newer:
                self.leave(act)

    def clear(self) -> None:
        """Panic: no take is on any more."""
        self._scheduler.panic()
        self._acts.clear()

    def due_for_status(self) -> list[Act]:
        """Sounding takes whose client is to hear the figures of a new beat."""
        now_ns, due = self._clock.now_ns(), []
        for act in self:
            if act.line is not None and act.sounds and now_ns >= max(act.next_status_ns, act.line.ns_at(0)):
                beat = act.line.tick_at(now_ns) // PPQ + 1
                act.next_status_ns = act.line.ns_at(beat * PPQ)
                due.append(act)
        return due


def channels_of(clip: Clip) -> ChannelMap:
    """Channels by the client's part numbers; parts it does not have take none."""
    numbers = sorted(clip.part_numbers)
    mapped = map_channels([part for part in clip.parts if part is not None])
    by_number = dict(zip(numbers, mapped.channels, strict=True))
    return ChannelMap(tuple(by_number.get(number, 0) for number in range(len(clip.parts))), mapped.programs)


def _beginning(request: TakeRequest, host: Transport | None, now_ns: int) -> tuple[int, TempoLine | None]:
    """(song tick, line of the take's own ticks): a bar line of a playing host, or neither yet."""
    if host is None or not host.is_playing:
        return -1, None
    at_tick = request.at_tick
    if at_tick < 0:
        at_tick = host.next_bar_line(host.tick_at(now_ns + LEAST_LEAD_NS) + 1)
        at_tick = min(max(0, at_tick), MAX_TICK)  # a host may count in from before 0, where no take begins
    return at_tick, TempoLine(host.ns_at(at_tick), 0, host.line.bpm)


def _agreed(one_ns: int, other_ns: int) -> int:
    """What two measurements of an offset have in common: one alone may be a word that came late."""
    if (one_ns > 0) != (other_ns > 0):
        return 0
    return min(one_ns, other_ns, key=abs)
