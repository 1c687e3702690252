"""A client's clip as a generator's context. Parts a client skipped in its numbering are closed up, and back again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bridge.clip_transfer import Clip
from models.generator import Context, Controls
from models.music.score import Note
from models.music.timebase import MeterMap, bar_ticks


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip ready to be continued."""

    context: Context
    numbers: tuple[int, ...]
    """The client's number of each part of the context."""
    bar_ticks: int

    def own_parts(self, numbers: frozenset[int]) -> frozenset[int]:
        """The context's parts of some of the client's numbers."""
        return frozenset(part for part, number in enumerate(self.numbers) if number in numbers)

    def to_client(self, note: Note) -> Note:
        """A generated note with the client's part number, counted from where the continuation begins."""
        return replace(note, part=self.numbers[note.part], onset_tick=note.onset_tick - self.context.start_tick)


def scene_of(clip: Clip, controls: Controls) -> Scene:
    """What a clip tells a generator; the continuation begins on the bar line at or after the clip's end."""
    numbers = tuple(sorted(clip.part_numbers))
    own = {number: part for part, number in enumerate(numbers)}
    start_tick = MeterMap([clip.meter]).next_bar_line(clip.length_ticks)
    notes = tuple(note if own[note.part] == note.part else replace(note, part=own[note.part]) for note in clip.notes)
    parts = tuple(part for part in clip.parts if part is not None)
    given_parts = frozenset(own[number] for number in clip.given_parts)
    context = Context(parts, notes, start_tick, (clip.meter,), clip.bpm, given_parts, controls)
    return Scene(context, numbers, bar_ticks(clip.meter))
