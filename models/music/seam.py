"""Where a piece ends and its continuation begins. It looks at ticks only, never at what is played."""

from __future__ import annotations

from models.music.constants import PPQ
from models.music.score import Score
from models.music.timebase import MeterMap

END_SLACK_TICKS = PPQ // 8
"""An end this near to a bar line means the bar line: a 32nd note."""
MAX_REST_BARS = 4
"""Bars of silence a piece may close with. More are a leftover of its editor: real files declare up to 100."""


def prompt_end_tick(score: Score) -> int:
    """The bar line at which a continuation begins.

    It is the first bar line after the last onset, however long that note rings on: a note held a little over the bar
    line must not open an empty bar. Only where the score itself ends on a later bar line (a clip that closes with
    rests, a last chord held for whole bars) does the continuation wait for that one.
    """
    bars = MeterMap(score.meters)
    last_onset = max((note.onset_tick for note in score.notes), default=-1)
    last_end = max((note.end_tick for note in score.notes), default=0)
    after_music = bars.next_bar_line(last_onset + 1)
    end_bar, past_bar_line = bars.tick_to_bar(score.length_ticks + END_SLACK_TICKS)
    rest_bars = end_bar - bars.tick_to_bar(last_end)[0]
    if past_bar_line > 2 * END_SLACK_TICKS or rest_bars > MAX_REST_BARS:
        return after_music
    return max(after_music, bars.bar_to_tick(end_bar))
