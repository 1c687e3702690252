"""What the daemon plays, heard by a listener that knows nothing of it: the notes it tells, and none that hangs."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from models.music.constants import PPQ
from tests.integration.daemon.band import (
    BAR_TICKS,
    BPM,
    CHANNELS,
    ENDING_S,
    PARTS,
    is_left_silent,
    play_long,
    send_band,
)
from tests.integration.daemon.liblo import Liblo, oscsend
from tests.integration.daemon.served import CLIENT_TIMEOUT_S, READY, Served
from tests.integration.daemon.tape import Tape, keys_of, period_s, unevenness_s, unless_jack_missed_periods

pytestmark = pytest.mark.jack

NOISE_S = 0.05


def test_a_take_is_heard_as_it_was_told(client: Liblo, tape: Tape) -> None:
    clip = send_band(client)

    def play() -> None:
        tape.cut()
        req = client.generate(clip, bars=2, seed=11)
        notes = client.whole_take(req)
        assert notes == sorted(notes, key=lambda note: note.onset_tick)
        client.until(lambda: client.ping(len(client.told("pong"))) == READY)
        client.until(lambda: not tape.hanging(), patience_s=ENDING_S)
        told, heard = Counter(keys_of(notes, CHANNELS)), Counter(each.key for each in tape.ons())
        assert not heard - told, "nothing sounds that was not told"
        assert (told - heard).total() <= client.late(req), "what does not sound was counted"
        if client.late(req) == 0:
            assert told == heard
            assert unevenness_s(notes, CHANNELS, tape.ons(), BPM) < period_s() + NOISE_S
        wanted = {channel: part.program for channel, part in zip(CHANNELS, PARTS, strict=True)}
        assert all(wanted[channel] in (None, number) for channel, number in tape.first_programs().items())

    unless_jack_missed_periods(play)


def test_a_cancelled_take_leaves_no_note(client: Liblo, tape: Tape) -> None:
    def play() -> None:
        req = play_long(client, tape)
        client.say("cancel", req)
        client.wait_for("take/end", req)
        is_left_silent(client, tape)

    unless_jack_missed_periods(play)


def test_a_panic_leaves_no_note(client: Liblo, tape: Tape) -> None:
    def play() -> None:
        req = play_long(client, tape)
        client.say("panic")
        client.wait_for("take/end", req)
        is_left_silent(client, tape)

    unless_jack_missed_periods(play)


def test_a_take_begins_on_the_hosts_bar_line_and_ends_when_it_stops(client: Liblo, tape: Tape) -> None:
    def play() -> None:
        client.say("transport", 1, 3 * BAR_TICKS - PPQ, BPM, 4, 4)
        req = play_long(client, tape)
        assert client.told("take/begin", req)[0][-1] == str(3 * BAR_TICKS)
        client.say("transport", 0, 5 * BAR_TICKS, BPM, 4, 4)
        is_left_silent(client, tape)
        told = len(client.take(req))
        client.until(lambda: len(client.take(req)) > told or bool(client.told("take/end", req)))
        assert not client.told("error"), "it is made on for those who take it over OSC"
        client.say("cancel", req)
        client.wait_for("take/end", req)

    unless_jack_missed_periods(play)


def test_a_newer_take_replaces_the_one_that_sounds(client: Liblo, tape: Tape) -> None:
    def play() -> None:
        older = play_long(client, tape)
        newer = client.generate(send_band(client), bars=1, seed=5)
        assert client.wait_for("take/end", older)
        client.whole_take(newer)
        client.until(lambda: client.ping(len(client.told("pong"))) == READY)
        client.until(lambda: not tape.hanging(), patience_s=ENDING_S)

    unless_jack_missed_periods(play)


def test_a_client_that_says_bye_leaves_no_note(served: Served, tape: Tape) -> None:
    def play() -> None:
        with served.client() as leaving, served.client() as staying:
            play_long(leaving, tape)
            leaving.say("bye")
            is_left_silent(staying, tape)

    unless_jack_missed_periods(play)


def test_a_client_that_falls_silent_leaves_no_note_and_finds_its_clip_on_return(served: Served, tape: Tape) -> None:
    def play() -> None:
        with served.client() as lost, served.client() as staying:
            tape.cut()
            clip = send_band(lost)
            lost.generate(clip, bars=32, seed=3)
            lost.until(lambda: len(tape.hanging()) >= 2)
            staying.until(lambda: bool(tape.quietened()), patience_s=CLIENT_TIMEOUT_S + ENDING_S)
            is_left_silent(staying, tape)
            again = lost.generate(clip, bars=1, seed=3)
            assert lost.whole_take(again)

    unless_jack_missed_periods(play)


def test_two_clients_at_once_get_their_own_takes_and_nothing_of_each_other(served: Served) -> None:
    with served.client() as one, served.client() as other:
        for each in (one, other):
            each.say("set", "out", 2)
        clips = [send_band(each) for each in (one, other)]
        takes = [each.generate(clip, bars=4, seed=9) for each, clip in zip((one, other), clips, strict=True)]

        def are_both_made() -> bool:
            other.beat()
            return bool(one.told("take/end") and other.told("take/end"))

        one.until(are_both_made)
        together = [each.whole_take(req) for each, req in zip((one, other), takes, strict=True)]
        alone = one.whole_take(one.generate(clips[0], bars=4, seed=9))
        assert together == [alone, alone], "what one makes does not depend on who else is there"
        for each in (one, other):
            assert {args[0] for _, args in each.everything()} == {str(each.id)}


def test_the_anonymous_client_plays_without_hello(served: Served, client: Liblo, tape: Tape, tmp_path: Path) -> None:
    """One oscsendfile is one client of number 0; its socket is closed before the daemon answers, which does no harm."""
    said = [
        "/continuo/clip/begin iiiiiif 0 1 1 1920 4 4 90.0",
        '/continuo/clip/part iiiiis 0 1 0 0 33 "bass"',
        "/continuo/clip/notes iiiiiiii 0 1 0 0 400 40 90 0",
        "/continuo/clip/end iii 0 1 1",
        "/continuo/generate iiiiiii 0 1 1 32 0 3 -1",
    ]
    file = tmp_path / "said"
    file.write_text("".join(f"00000000.{index:08x} {line}\n" for index, line in enumerate(said)))

    def play() -> None:
        tape.cut()
        subprocess.run(["oscsendfile", "127.0.0.1", str(served.port), str(file)], check=True)
        client.until(lambda: bool(tape.hanging()))
        oscsend(served.port, "/continuo/panic", 0)
        is_left_silent(client, tape)

    unless_jack_missed_periods(play)


def test_a_killed_midi_process_is_replaced_and_notes_go_on_over_osc(served: Served, client: Liblo, tape: Tape) -> None:
    req = play_long(client, tape)
    child, connections, told = served.midi_child(), tape.connections, len(client.take(req))
    assert child is not None
    sounding = {channel for channel, _ in tape.hanging()}
    os.kill(child, signal.SIGKILL)
    client.until(lambda: len(client.take(req)) > told)
    client.until(lambda: tape.connections > connections)
    assert client.wait_for("error", "/continuo/status", 8)
    client.until(lambda: sounding <= tape.quietened() | {each.channel for each in tape.ons()})
    struck = len(tape.ons())
    client.until(lambda: len(tape.ons()) > struck)
    client.say("cancel", req)
    client.wait_for("take/end", req)


def test_nothing_of_all_this_was_an_error_of_the_daemons_own(served: Served) -> None:
    assert [line for line in served.log().splitlines() if " ERROR " in line] == []
