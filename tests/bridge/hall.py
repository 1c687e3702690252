"""A stage in a hall: a scheduler on a clock that is moved by hand, and a synth that hears what sounds."""

from __future__ import annotations

from bridge.clip_transfer import Clip
from bridge.clock import Transport
from bridge.context import scene_of
from bridge.controls import ControlValues
from bridge.effects import ClientKey
from bridge.metrics import Metrics
from bridge.scheduler import Scheduler
from bridge.stage import Act, Stage
from bridge.take_request import TakeRequest
from bridge.timeline import TakeState
from bridge.wire_table import Value
from models.music.score import Meter, Note, Part
from tests.fakes import MS, ManualClock, SoundingPort

ME, YOU = ClientKey(1), ClientKey(2)
BAR = 1920
BEAT = 480
BEAT_NS = 500 * MS  # at 120 bpm
PARTS = (Part(program=33), Part(is_drum=True))


class Hall:
    """A stage, and time that passes in small steps so that the scheduler is asked as its thread would ask."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.port = SoundingPort(self.clock)
        self.metrics = Metrics()
        self.over: list[TakeState] = []
        self.tempos: list[tuple[int, float]] = []
        self.late_at_port: dict[int, int] = {}
        self.scheduler = Scheduler(self.port, self.clock, self.metrics, on_over=self.over.append)
        self.stage = Stage(
            self.scheduler,
            self.clock,
            self.metrics,
            lambda tag: self.late_at_port.get(tag, 0),
            lambda ns, bpm: self.tempos.append((ns, bpm)),
        )
        self._last_req = 0

    def host(self, song_tick: int = 0, bpm: float = 120.0, is_playing: bool = True) -> Transport:
        """What a host says now."""
        return Transport().updated(self.clock.now_ns(), song_tick, bpm, is_playing, Meter(0, 4, 4))

    def enter(
        self, host: Transport | None = None, by: ClientKey = ME, at_tick: int = -1, bars: int = 4, **controls: Value
    ) -> Act:
        self._last_req += 1
        clip = Clip(1, PARTS, (), BAR, Meter(0, 4, 4), 120.0)
        values = ControlValues.defaults(controls)
        request = TakeRequest(self._last_req, clip, bars, frozenset({0, 1}), 7, at_tick, values)
        return self.stage.enter(by, request, scene_of(clip, values.for_model), 7, host)

    def add(self, act: Act, notes: tuple[Note, ...]) -> None:
        """Notes were made, the last of them with its whole chord."""
        self.stage.add(act, notes, notes[-1].onset_tick + 1)

    def wait(self, ns: int) -> None:
        """Let time pass."""
        end_ns = self.clock.ns + ns
        self.scheduler.step()
        while self.clock.ns < end_ns:
            self.port.advance(min(10 * MS, end_ns - self.clock.ns))
            self.scheduler.step()

    def struck(self, since_ns: int = 0) -> list[tuple[int, int]]:
        """(instant, pitch) of every note-on."""
        return [(ns, message[1]) for ns, message in self.port.heard if message[0] & 0xF0 == 0x90 and ns >= since_ns]

    @property
    def is_silent(self) -> bool:
        return not self.port.synth.sounding


def notes(*beats: float, pitch: int = 60, beats_long: float = 0.5, part: int = 0) -> tuple[Note, ...]:
    return tuple(Note(round(BEAT * beat), part, pitch, round(BEAT * beats_long), 90) for beat in beats)
