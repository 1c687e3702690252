"""Every on gets exactly one off."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.notes import NoteLedger, Strike, all_sound_off
from tests.fakes import Synth

FIRST, SECOND = Strike(1, 1), Strike(1, 2)


def test_a_note_is_struck_and_released() -> None:
    ledger = NoteLedger()
    assert ledger.strike(FIRST, 2, 60, 100) == [(0x92, 60, 100)]
    assert ledger.sounding == 1
    assert ledger.release(FIRST, 2, 60) == [(0x82, 60, 64)]
    assert ledger.sounding == 0


def test_a_pitch_struck_again_ends_first_and_keeps_its_own_length() -> None:
    ledger = NoteLedger()
    ledger.strike(FIRST, 0, 60, 100)
    assert ledger.strike(SECOND, 0, 60, 90) == [(0x80, 60, 64), (0x90, 60, 90)]
    assert ledger.release(FIRST, 0, 60) == [], "the first strike's end must not cut the second short"
    assert ledger.release(SECOND, 0, 60) == [(0x80, 60, 64)]


def test_the_same_pitch_on_two_channels_is_two_notes() -> None:
    ledger = NoteLedger()
    ledger.strike(FIRST, 0, 60, 100)
    assert ledger.strike(SECOND, 1, 60, 100) == [(0x91, 60, 100)]
    assert ledger.sounding == 2


def test_a_release_without_a_strike_is_silent() -> None:
    assert NoteLedger().release(FIRST, 0, 60) == []


def test_ending_a_take_leaves_the_others_sounding() -> None:
    ledger = NoteLedger()
    ledger.strike(Strike(1, 1), 0, 60, 100)
    ledger.strike(Strike(2, 2), 0, 64, 100)
    assert ledger.end_take(1) == [(0x80, 60, 64)]
    assert ledger.is_sounding_on(0)
    assert ledger.end_take(1) == []


def test_silencing_a_take_quietens_every_channel_it_used_where_nothing_else_sounds() -> None:
    ledger = NoteLedger()
    for channel in (1, 2, 3):
        ledger.strike(Strike(1, channel), channel, 60, 100)
    ledger.release(Strike(1, 1), 1, 60)
    ledger.strike(Strike(2, 9), 3, 64, 100)
    expected = [(0x82, 60, 64), (0x83, 60, 64), *all_sound_off(1), *all_sound_off(2)]
    assert ledger.silence_take(1) == expected


def test_only_the_channels_of_the_latest_takes_are_remembered() -> None:
    ledger = NoteLedger()
    for tag in range(65):
        ledger.strike(Strike(tag, tag), 0, 60, 100)
        ledger.release(Strike(tag, tag), 0, 60)
    assert ledger.silence_take(0) == []
    assert ledger.silence_take(64) == all_sound_off(0)


def test_ending_all_quietens_every_channel_ever_used() -> None:
    ledger = NoteLedger()
    ledger.strike(FIRST, 3, 60, 100)
    ledger.release(FIRST, 3, 60)
    ledger.strike(SECOND, 9, 36, 100)
    assert ledger.end_all() == [(0x89, 36, 64), *all_sound_off(3), *all_sound_off(9)]


def test_all_sound_off_lifts_the_pedal_first() -> None:
    assert all_sound_off(9) == [(0xB9, 64, 0), (0xB9, 123, 0), (0xB9, 120, 0)]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["strike", "release", "end_take", "silence_take"]), st.integers(0, 3), st.integers(60, 62)
        ),
        max_size=60,
    )
)
def test_whatever_is_played_ons_and_offs_balance(actions: list[tuple[str, int, int]]) -> None:
    ledger, synth = NoteLedger(), Synth()
    for action, tag, pitch in actions:
        if action == "strike":
            messages = ledger.strike(Strike(tag, pitch), 0, pitch, 100)
        elif action == "release":
            messages = ledger.release(Strike(tag, pitch), 0, pitch)
        elif action == "end_take":
            messages = ledger.end_take(tag)
        else:
            messages = ledger.silence_take(tag)
        for message in messages:
            synth.play(message)
        assert ledger.sounding == len(synth.sounding)
    for message in ledger.end_all():
        synth.play(message)
    assert not synth.sounding
    assert len(synth.ons) == synth.offs
