from __future__ import annotations

from bridge.clip_transfer import Clip
from bridge.context import scene_of
from models.generator import Controls
from models.music.score import Meter, Note, Part

BASS, DRUMS, KEYS = Part(program=33), Part(is_drum=True), Part(program=0)


def clip(parts: tuple[Part | None, ...], notes: tuple[Note, ...], length_ticks: int = 1920, num: int = 4) -> Clip:
    return Clip(1, parts, notes, length_ticks, Meter(0, num, 4), 100.0)


def test_parts_a_client_skipped_are_closed_up_and_its_numbers_come_back() -> None:
    scene = scene_of(clip((None, BASS, None, DRUMS), (Note(0, 1, 40, 10, 90), Note(0, 3, 36, 10, 90))), Controls())
    assert scene.context.parts == (BASS, DRUMS)
    assert [note.part for note in scene.context.notes] == [0, 1]
    assert scene.own_parts(frozenset({3})) == {1}
    assert scene.to_client(Note(1920, 1, 36, 10, 90)) == Note(0, 3, 36, 10, 90)


def test_the_continuation_begins_on_the_bar_line_at_or_after_the_end() -> None:
    assert scene_of(clip((BASS,), (), 1920), Controls()).context.start_tick == 1920
    assert scene_of(clip((BASS,), (), 1921), Controls()).context.start_tick == 3840
    waltz = scene_of(clip((BASS,), (), 1500, num=3), Controls())
    assert (waltz.context.start_tick, waltz.bar_ticks) == (2880, 1440)
    assert scene_of(clip((BASS,), (), 0), Controls()).context.start_tick == 0


def test_given_parts_keep_their_future_and_others_have_none() -> None:
    notes = (Note(0, 0, 40, 10, 90), Note(0, 2, 60, 10, 90), Note(5000, 2, 62, 10, 90))
    scene = scene_of(clip((BASS, None, KEYS), notes), Controls())
    assert scene.context.given_parts == {1}
    assert scene.context.notes == (Note(0, 0, 40, 10, 90), Note(0, 1, 60, 10, 90), Note(5000, 1, 62, 10, 90))


def test_notes_between_the_end_and_the_next_bar_line_make_their_part_a_given_one() -> None:
    scene = scene_of(clip((BASS,), (Note(0, 0, 40, 10, 90), Note(1800, 0, 41, 10, 90)), length_ticks=1500), Controls())
    assert scene.context.given_parts == {0}
    assert len(scene.context.notes) == 2


def test_tempo_meter_and_controls_go_along() -> None:
    controls = Controls(density=2.0)
    context = scene_of(clip((BASS,), (), num=3), controls).context
    assert (context.bpm, context.meters, context.controls) == (100.0, (Meter(0, 3, 4),), controls)


def test_the_notes_of_a_scene_are_sorted_as_the_clips_are() -> None:
    notes = tuple(
        sorted(Note(tick % 960, part, 40 + tick % 7, 10, 90) for part in (0, 2, 5) for tick in range(0, 999, 7))
    )
    scene = scene_of(clip((BASS, None, KEYS, None, None, DRUMS), notes), Controls())
    assert list(scene.context.notes) == sorted(scene.context.notes)
    assert {note.part for note in scene.context.notes} == {0, 1, 2}
