"""Reads a SoundFont with compressed samples (.sf3) into zones, for `cut_band`; nothing of it runs when music is played.

Format: SoundFont Technical Specification 2.04 (E-mu, 2006); SF3 is MuseScore's variant, in which a sample's start and
end are byte offsets of an Ogg Vorbis stream and its loop counts from its own first frame. Modulators are not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

DRUM_BANK = 128
VORBIS_FLAG = 0x10  # in a sample's type: it is an Ogg Vorbis stream

# Generator numbers (spec §8.1.2), as far as `cut_band` carries them over.
START_OFFSET, LOOP_START_OFFSET, LOOP_END_OFFSET = 0, 2, 3
ENVELOPE_TO_PITCH, FILTER_CUTOFF, FILTER_Q, ENVELOPE_TO_FILTER, PAN = 7, 8, 9, 11, 17
MOD_DELAY, MOD_ATTACK, MOD_HOLD, MOD_DECAY, MOD_SUSTAIN, MOD_RELEASE = 25, 26, 27, 28, 29, 30
DELAY, ATTACK, HOLD, DECAY, SUSTAIN, RELEASE, KEY_TO_HOLD, KEY_TO_DECAY = 33, 34, 35, 36, 37, 38, 39, 40
INSTRUMENT, KEY_RANGE, VELOCITY_RANGE, ATTENUATION = 41, 43, 44, 48
COARSE_TUNE, FINE_TUNE, SAMPLE_ID, LOOP_MODE, SCALE_TUNING, EXCLUSIVE_CLASS, ROOT_KEY = 51, 52, 53, 54, 56, 57, 58

DEFAULTS: Mapping[int, int] = {
    FILTER_CUTOFF: 13500, DELAY: -12000, ATTACK: -12000, HOLD: -12000, DECAY: -12000, RELEASE: -12000,
    MOD_DELAY: -12000, MOD_ATTACK: -12000, MOD_HOLD: -12000, MOD_DECAY: -12000, MOD_RELEASE: -12000,
    SCALE_TUNING: 100, ROOT_KEY: -1,
}  # fmt: skip
# These of the instrument stand alone; a preset's value is not added to them (spec §8.5).
NOT_ADDED = frozenset({INSTRUMENT, KEY_RANGE, VELOCITY_RANGE, SAMPLE_ID, LOOP_MODE, EXCLUSIVE_CLASS, ROOT_KEY})

Range = tuple[int, int]
FULL: Range = (0, 127)


class SoundFontError(ValueError):
    """The file is no SoundFont, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Where one recording lies and how it is tuned; loop points count frames from its start."""

    name: str
    start: int
    end: int
    loop_start: int
    loop_end: int
    root_key: int
    correction_cents: int


@dataclass(frozen=True, slots=True)
class Zone:
    """One sample over a range of keys and velocities, with every generator resolved."""

    keys: Range
    velocities: Range
    sample: int
    generators: Mapping[int, int]

    def get(self, generator: int) -> int:
        """The generator's value, or the specification's default."""
        return self.generators.get(generator, DEFAULTS.get(generator, 0))


def riff_chunks(data: bytes) -> dict[str, bytes]:
    """The payload of every sub-chunk by its four letters.

    Raises:
        SoundFontError: this is no RIFF file of form `sfbk`.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise SoundFontError("this is not a SoundFont: it should begin with RIFF and sfbk; give an .sf3 file")
    chunks: dict[str, bytes] = {}
    at = 12
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        inner, end = at + 12, at + 8 + length
        while inner + 8 <= end:
            name, size = struct.unpack_from("<4sI", data, inner)
            chunks[name.decode("latin-1")] = data[inner + 8 : inner + 8 + size]
            inner += 8 + size
            inner += data[inner : inner + 1] == b"\0"  # some writers pad odd chunks, MuseScore does not
        at = end
    return chunks


class SoundFont:
    """Presets of one file by (bank, program).

    Raises:
        SoundFontError: the file is no SoundFont, is damaged, or its samples are not compressed.
    """

    def __init__(self, path: Path) -> None:
        try:
            chunks = riff_chunks(path.read_bytes())
            self.samples = [
                _sample(record) for record in list(struct.iter_unpack("<20sIIIIIBbHH", chunks["shdr"]))[:-1]
            ]
            self.presets = _presets(chunks)
            self._sound = chunks["smpl"]
        except (KeyError, IndexError, struct.error, SoundFontError) as error:
            raise SoundFontError(f"cannot read the sounds in {path.name}: {error}") from error

    def ogg(self, sample: int) -> bytes:
        """The recording as the Ogg Vorbis stream it is kept as."""
        return self._sound[self.samples[sample].start : self.samples[sample].end]


def _sample(record: tuple[bytes, int, int, int, int, int, int, int, int, int]) -> Sample:
    name, start, end, loop_start, loop_end, _rate, root, correction, _link, kind = record
    if not kind & VORBIS_FLAG:
        raise SoundFontError("its samples are not compressed; give an .sf3 file")
    return Sample(_text(name), start, end, loop_start, loop_end, root if root <= 127 else 60, correction)


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("latin-1").strip()


def _bags(bags: bytes, generators: bytes, first: int, last: int) -> Iterator[dict[int, int]]:
    """The generators of bags `first` to before `last`; ranges keep their two bytes, all others are signed."""
    for bag in range(first, last):
        (low,) = struct.unpack_from("<H", bags, bag * 4)
        (high,) = struct.unpack_from("<H", bags, bag * 4 + 4)
        yield dict(struct.iter_unpack("<Hh", generators[low * 4 : high * 4]))


def _range(generators: Mapping[int, int], which: int) -> Range:
    if which not in generators:
        return FULL
    packed = generators[which] & 0xFFFF
    return packed & 0xFF, packed >> 8


def _overlap(one: Range, other: Range) -> Range:
    return max(one[0], other[0]), min(one[1], other[1])


def _with_globals(zones: Iterator[dict[int, int]], last: int) -> Iterator[dict[int, int]]:
    """Each zone over the global one, which is the first and lacks the generator `last`."""
    common: dict[int, int] = {}
    for index, zone in enumerate(zones):
        if last in zone:
            yield {**common, **zone}
        elif index == 0:
            common = zone


def _presets(chunks: dict[str, bytes]) -> dict[tuple[int, int], tuple[Zone, ...]]:
    """The zones of every preset by (bank, program)."""
    starts = [start for _, start in struct.iter_unpack("<20sH", chunks["inst"])]
    instruments = [
        list(_with_globals(_bags(chunks["ibag"], chunks["igen"], first, last), SAMPLE_ID))
        for first, last in zip(starts, starts[1:], strict=False)
    ]
    headers = list(struct.iter_unpack("<20sHHHIII", chunks["phdr"]))
    zones = {}
    for header, following in zip(headers, headers[1:], strict=False):
        key = header[2], header[1]
        bags = _bags(chunks["pbag"], chunks["pgen"], header[3], following[3])
        zones[key] = tuple(
            zone
            for preset in _with_globals(bags, INSTRUMENT)
            for instrument in instruments[preset[INSTRUMENT]]
            if (zone := _resolve(preset, instrument)) is not None
        )
    return zones


def _resolve(preset: Mapping[int, int], instrument: Mapping[int, int]) -> Zone | None:
    """One zone of an instrument as one preset uses it; None where their ranges do not meet."""
    keys = _overlap(_range(preset, KEY_RANGE), _range(instrument, KEY_RANGE))
    velocities = _overlap(_range(preset, VELOCITY_RANGE), _range(instrument, VELOCITY_RANGE))
    if keys[0] > keys[1] or velocities[0] > velocities[1]:
        return None
    generators = dict(instrument)
    for generator, amount in preset.items():
        if generator not in NOT_ADDED:
            generators[generator] = instrument.get(generator, DEFAULTS.get(generator, 0)) + amount
    return Zone(keys, velocities, instrument[SAMPLE_ID], generators)
