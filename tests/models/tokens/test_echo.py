"""What stood at the same place bars ago: by hand, and the same whether asked while playing or for a whole window."""

from __future__ import annotations

import numpy as np
import pytest

from models.tokens.echo import AHEAD, ECHOES, LAGS, NOTHING, Echo, echoes
from models.tokens.vocabulary import DBAR, DURATION, FIELDS, GIVEN_SLOT, PITCH, POSITION, REST_SLOT, SLOT, VELOCITY

KIND = [0, 1] + [2] * 14
DRUM, BASS, KEYS = 0, 1, 2
NO_RECALL = np.zeros(0, dtype=np.int64)


def row(dbar: int, position: int, slot: int, pitch: int, duration: int = 3, velocity: int = 20) -> tuple[int, ...]:
    return dbar, position, slot, pitch, duration, velocity


BAR = [row(1, 0, DRUM, 164), row(0, 0, BASS, 40), row(0, 12, KEYS, 64, 7, 9), row(0, 12, KEYS, 67, 8, 10)]


def guesses_of(rows: list[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
    tokens = np.array(rows)
    return echoes(tokens, np.cumsum(tokens[:, DBAR]) - 1, np.array(KIND), 0, NO_RECALL, ())


def test_a_repeated_bar_is_guessed_whole_by_the_first_lag() -> None:
    guesses, hits = guesses_of(BAR + BAR)
    for at, event in enumerate(BAR, start=len(BAR)):
        assert guesses[at, : len(FIELDS), 0].tolist() == list(event)
        assert guesses[at, AHEAD, 0] == event[POSITION]
        assert hits[at] == 0b0001
    assert (guesses[:, POSITION:AHEAD, 1:] == NOTHING).all(), "the music is too young for the longer lags"
    assert (hits[: len(BAR)] == 0).all()


def test_each_lag_looks_at_its_own_bar() -> None:
    bars = [[row(1, 0, KEYS, 60 + bar)] for bar in range(9)]
    guesses, _ = guesses_of([event for bar in bars for event in bar])
    assert guesses[8, PITCH].tolist() == [*(60 + 8 - lag for lag in LAGS), NOTHING]


def test_a_different_bar_still_tells_what_stood_at_the_same_place_and_part() -> None:
    changed = [row(1, 0, DRUM, 164), row(0, 12, KEYS, 67, 1, 1)]
    guesses, hits = guesses_of(BAR + changed)
    assert guesses[5, POSITION, 0] == 0, "the bass was expected"
    assert guesses[5, SLOT, 0] == KEYS
    assert guesses[5, PITCH, 0] == 64, "the first of the chord"
    assert guesses[5, [DURATION, VELOCITY], 0].tolist() == [8, 10], "of the note with the same pitch"
    assert hits.tolist()[4:] == [1, 1]


def test_where_a_bar_is_over_the_guess_is_the_next_bars_first_event() -> None:
    guesses, _ = guesses_of([row(1, 0, KEYS, 60), row(0, 24, KEYS, 61), row(1, 0, KEYS, 60), row(1, 48, KEYS, 50)])
    assert guesses[3, [DBAR, AHEAD], 0].tolist() == [0, 24]
    assert guesses[3, POSITION, 0] == 0, "once the next bar is known, its own echo counts"


def test_the_recalled_lag_leads_wherever_it_is_told_even_before_the_window() -> None:
    rows = np.array([row(1, 0, KEYS, 60), row(0, 24, KEYS, 62)])
    recalled = np.array([0] * 9 + [9])
    before = [(row(1, 0, KEYS, 50), 0), (row(0, 24, KEYS, 52), 0)]
    guesses, hits = echoes(rows, np.array([9, 9]), np.array(KIND), 9, recalled, before)
    assert guesses[1, [DBAR, POSITION, SLOT, PITCH, AHEAD], -1].tolist() == [0, 24, KEYS, 52, 24]
    assert (guesses[1, POSITION:AHEAD, :-1] == NOTHING).all(), "the fixed lags stay inside the window"
    assert guesses[0, PITCH, -1] == 50
    again, agreed = echoes(rows, np.array([9, 9]), np.array(KIND), 9, recalled, [(tuple(r), 0) for r in rows.tolist()])
    assert agreed.tolist() == [0b10000, 0b10000]


def test_an_empty_bar_echoes_as_a_rest() -> None:
    guesses, hits = guesses_of([row(1, 0, KEYS, 60), row(1, 0, REST_SLOT, 0), row(1, 0, KEYS, 60)])
    assert guesses[2, SLOT].tolist()[:2] == [REST_SLOT, KEYS]
    assert hits[2] == 0b0010


def test_given_notes_are_neither_guessed_nor_guessed_from() -> None:
    given = row(1, 0, KEYS + GIVEN_SLOT, 60)
    guesses, hits = guesses_of([given, row(0, 0, BASS, 40), given, row(0, 0, BASS, 40)])
    assert guesses[2].tolist() == np.full((7, ECHOES), NOTHING).tolist()
    assert guesses[3, [SLOT, PITCH], 0].tolist() == [BASS, 40]
    assert hits.tolist() == [0, 0, 0, 1]


def test_a_chord_goes_on_where_its_echo_does() -> None:
    guesses, _ = guesses_of(BAR + BAR[:3] + [row(0, 12, KEYS, 71)])
    assert guesses[7, [POSITION, SLOT, PITCH], 0].tolist() == [12, KEYS, 67]


def test_in_the_first_bar_all_a_lag_knows_is_how_the_next_may_begin() -> None:
    guesses, _ = guesses_of(BAR)
    assert (guesses[0] == NOTHING).all()
    assert (guesses[:, POSITION:AHEAD] == NOTHING).all()
    assert guesses[1:, DBAR].tolist() == [[1, *[NOTHING] * 4]] * 3


@pytest.mark.parametrize("seed", range(5))
def test_what_is_asked_while_playing_is_what_a_window_holds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, bar, bars = [], -1, []
    for _ in range(40):
        bar += 1
        notes = {
            (int(p) * 6, KIND[s], 128 * (s == 0) + int(n), s)
            for p, n, s in rng.integers((0, 40, 0), (4, 43, 4), (5, 3))
        }
        for at, (position, _, pitch, slot) in enumerate(sorted(notes)):
            rows.append(row(int(at == 0), position, slot, pitch, int(rng.integers(3)), int(rng.integers(3))))
            bars.append(bar)
    recalled = rng.integers(0, 7, bar + 1).clip(max=np.arange(bar + 1))
    guesses, hits = echoes(np.array(rows), np.array(bars), np.array(KIND), 0, recalled, ())
    echo, last, last_bar = Echo(KIND, 0, lambda at: int(recalled[at]) if 0 <= at <= bar else 0), None, -1
    for at, event in enumerate(rows):
        asked = [echo.field(field, last, last_bar, event[:field]) for field in range(len(FIELDS))]
        assert asked == guesses[at, : len(FIELDS)].tolist()
        assert echo.hits(event, bars[at]) == hits[at]
        echo.add(event, bars[at])
        last, last_bar = event, bars[at]
    for at in range(len(rows) - 1, 19, -1):
        echo.drop(rows[at], bars[at])
    assert echo.ahead(rows[19], bars[19]) == [tuple(pair) for pair in guesses[20, [DBAR, AHEAD]].T.tolist()]
