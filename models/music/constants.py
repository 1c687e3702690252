"""The numbers every part of Continuo agrees on; nothing here depends on anything else."""

PPQ = 480  # ticks per quarter note: scores, the wire and the scheduler
MAX_PARTS = 16  # parts of one score; a part is a row of the set, never a channel
MAX_PITCH = 127
MAX_VELOCITY = 127
MAX_PROGRAM = 127
DRUM_CHANNEL = 9  # counted from 0; musicians call it 10
CHANNELS = 16
DEFAULT_BPM = 120.0
DEFAULT_NUMERATOR = 4
DEFAULT_DENOMINATOR = 4
