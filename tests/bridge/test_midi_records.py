"""What goes through the pipe comes out the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.midi_records import (
    NOW,
    RECORD_BYTES,
    Beat,
    Command,
    Failed,
    Kind,
    Ready,
    Report,
    build_command,
    build_report,
    cancel,
    leave,
    note_off,
    note_on,
    panic,
    parse_commands,
    parse_report,
    program,
    silence,
)

UINT32 = st.integers(0, 2**32 - 1)
DATA = st.integers(0, 127)
COMMANDS = st.builds(
    Command, st.integers(-(2**63), 2**63 - 1), st.sampled_from(Kind), UINT32, UINT32, st.integers(0, 15), DATA, DATA
)
COUNTS = st.dictionaries(st.integers(0, 240), st.integers(1, 10**9))


@given(st.lists(COMMANDS, max_size=20))
def test_commands_survive_the_pipe(commands: list[Command]) -> None:
    data = b"".join(build_command(command) for command in commands)
    assert len(data) == RECORD_BYTES * len(commands)
    assert list(parse_commands(data)) == commands


def test_values_out_of_range_are_brought_into_range() -> None:
    assert note_on(5, 1, 2, 3, 200, 0) == Command(5, Kind.NOTE_ON, 1, 2, 3, 127, 1)
    assert note_on(5, 1, 2, 3, -1, 300) == Command(5, Kind.NOTE_ON, 1, 2, 3, 0, 127)
    assert program(5, 1, 9, 128).data1 == 127


def test_commands_at_one_instant_act_in_a_fixed_order() -> None:
    kinds = [command.kind for command in (cancel(1), note_off(0, 1, 1, 0, 60), program(0, 1, 0, 5))]
    assert sorted([Kind.NOTE_ON, *reversed(kinds)]) == [*kinds, Kind.NOTE_ON]


def test_panic_and_leaving_never_wait() -> None:
    assert [panic().due_ns, leave().due_ns, cancel(7).due_ns] == [NOW, NOW, NOW]
    assert silence(9, 4) == Command(9, Kind.SILENCE, channel=4)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x00" * (RECORD_BYTES - 1), "multiple"),
        (build_command(panic())[:-4] + b"\x63\x00\x00\x00", "99 is not a valid Kind"),
        (build_command(panic())[:-4] + b"\x03\x00\x80\x00", "no MIDI message"),
        (build_command(panic())[:-4] + b"\x03\x10\x00\x00", "no MIDI message"),
    ],
)
def test_records_that_are_none_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        list(parse_commands(data))


@given(
    st.one_of(
        st.builds(Ready, st.text(), st.text(), st.booleans()),
        st.builds(Failed, st.text()),
        st.builds(Beat, UINT32, UINT32, UINT32, UINT32, COUNTS, st.dictionaries(UINT32, UINT32)),
    )
)
def test_reports_survive_the_pipe(report: Report) -> None:
    line = build_report(report)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert parse_report(line) == report


def test_the_fullest_report_is_one_atomic_pipe_write() -> None:
    fullest = Beat(2**32, 2**32, 2**32, 2**32, dict.fromkeys(range(241), 9999), {2**32 - n: 9999 for n in range(32)})
    assert len(build_report(fullest)) < 4096


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"3", b'{"is":"beat"}', b'{"is":"who"}', b'{"is":"ready","x":1}'])
def test_a_line_that_is_no_report_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="no report"):
        parse_report(line)
