"""Where a piece ends and its continuation begins. It looks at ticks only, never at what is played."""

from __future__ import annotations

from models.music.constants import PPQ
from models.music.score import Score
from models.music.timebase import MeterMap

END_SLACK_TICKS = PPQ // 8
"""A declared end this near to a bar line means the bar line: a 32nd note."""


def prompt_end_tick(score: Score) -> int:
    """The bar line at which a continuation begins.

    It is the first bar line after the last onset, however long that note rings on: a note held a little over the bar
    line must not open an empty bar. Only where the score itself ends on a later bar line (a clip that closes with
    rests, a last chord held for whole bars) does the continuation wait for that one.
    """
    bars = MeterMap(score.meters)
    last_onset = max((note.onset_tick for note in score.notes), default=-1)
    after_music = bars.next_bar_line(last_onset + 1)
    bar, position = bars.tick_to_bar(score.length_ticks)
    before, after = bars.bar_to_tick(bar), bars.bar_to_tick(bar + 1)
    if position <= END_SLACK_TICKS:
        return max(after_music, before)
    if after - score.length_ticks <= END_SLACK_TICKS:
        return max(after_music, after)
    return after_music
