"""What was played can be read from the file, whenever the daemon ends."""

from __future__ import annotations

from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import PortError
from bridge.midi_records import cancel, note_off, note_on, panic, program
from bridge.recorder import MidiTape, Recorder, Tee
from tests.fakes import MS, SECOND, FakePort, ManualClock


def events(path: Path) -> list[tuple[int, str, int | None]]:
    """(tick, type, pitch or program) of everything but the end."""
    (track,) = mido.MidiFile(path).tracks
    tick, found = 0, []
    for message in track[:-1]:
        tick += message.time
        found.append((tick, message.type, getattr(message, "note", getattr(message, "program", None))))
    assert track[-1].type == "end_of_track"
    return found


def test_notes_lie_on_the_bars_of_the_tempo(tmp_path: Path) -> None:
    clock = ManualClock()
    recorder = Recorder(tmp_path / "take.mid", clock)
    recorder.set_tempo(clock.ns, 125.0)
    recorder.send(program(SECOND, 1, 0, 33))
    recorder.send(note_on(SECOND, 1, 1, 0, 60, 90))
    recorder.send(note_off(SECOND + 480 * MS, 1, 1, 0, 60))
    clock.advance(2 * SECOND)
    recorder.close()
    assert events(tmp_path / "take.mid")[:4] == [
        (0, "set_tempo", None),
        (0, "program_change", 33),
        (0, "note_on", 60),
        (480, "note_off", 60),
    ]


def test_a_change_of_tempo_keeps_notes_on_their_ticks(tmp_path: Path) -> None:
    clock = ManualClock()
    recorder = Recorder(tmp_path / "take.mid", clock)
    recorder.set_tempo(clock.ns, 125.0)
    clock.advance(480 * MS)
    recorder.set_tempo(clock.ns, 250.0)
    recorder.send(note_on(clock.ns + 240 * MS, 1, 1, 0, 60, 90))
    clock.advance(SECOND)
    recorder.close()
    assert [(tick, kind) for tick, kind, _ in events(tmp_path / "take.mid")][:3] == [
        (0, "set_tempo"),
        (480, "set_tempo"),
        (960, "note_on"),
    ]


def test_only_what_sounded_is_recorded(tmp_path: Path) -> None:
    clock = ManualClock()
    recorder = Recorder(tmp_path / "take.mid", clock)
    recorder.send(note_on(SECOND, 1, 1, 0, 60, 90))
    recorder.send(note_on(SECOND + 500 * MS, 1, 2, 0, 62, 90))
    clock.advance(100 * MS)
    recorder.send(cancel(1))
    recorder.send(note_on(clock.ns, 2, 3, 0, 64, 90))
    recorder.send(panic())
    clock.advance(SECOND)
    recorder.close()
    notes = [(kind, pitch) for _, kind, pitch in events(tmp_path / "take.mid") if "note" in kind]
    assert notes == [("note_on", 60), ("note_off", 60), ("note_on", 64), ("note_off", 64)]


def test_closing_ends_what_sounds(tmp_path: Path) -> None:
    clock = ManualClock()
    recorder = Recorder(tmp_path / "take.mid", clock)
    recorder.send(note_on(clock.ns, 1, 1, 0, 60, 90))
    clock.advance(SECOND)
    recorder.close()
    assert [kind for _, kind, _ in events(tmp_path / "take.mid")][-4:] == ["note_off"] + 3 * ["control_change"]


def test_a_whole_file_lies_there_from_the_start(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "take.mid", ManualClock())
    assert events(tmp_path / "take.mid") == []
    recorder.close()
    assert [path.name for path in tmp_path.iterdir()] == ["take.mid"]


def test_a_path_that_cannot_be_written_is_refused_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="No such file or directory.*choose another file with --record"):
        Recorder(tmp_path / "nowhere" / "take.mid", ManualClock())


def test_a_disk_that_fills_is_told_once_and_playing_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    recorder = Recorder(tmp_path / "take.mid", clock)

    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        for pitch in (60, 61):
            recorder.send(note_on(clock.ns, 1, pitch, 0, pitch, 90))
            clock.advance(SECOND)
            recorder.save()
    assert caplog.text.count("No space left on device") == 1
    assert "free some space" in recorder.problem
    recorder.close()
    assert recorder.problem == ""
    assert [pitch for _, kind, pitch in events(tmp_path / "take.mid") if kind == "note_on"] == [60, 61]


def test_a_tee_gives_every_port_every_command() -> None:
    one, other = FakePort(), FakePort()
    Tee(one, other).send(panic())
    assert one.commands == other.commands == [panic()]


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 127)), max_size=30))
def test_any_tape_is_a_midi_file(tmp_path_factory: pytest.TempPathFactory, strikes: list[tuple[int, int]]) -> None:
    tape = MidiTape()
    ns = 0
    for wait_ns, pitch in strikes:
        ns += wait_ns
        tape.put(ns, (0x90, pitch, 64))
    path = tmp_path_factory.mktemp("tape") / "any.mid"
    path.write_bytes(tape.file_bytes())
    assert [pitch for _, kind, pitch in events(path) if kind == "note_on"] == [pitch for _, pitch in strikes]
