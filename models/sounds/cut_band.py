"""Cuts the band out of a SoundFont: python -m models.sounds.cut_band FluidR3Mono_GM.sf3 models/sounds/band.

It leaves one SFZ instrument per program and one for the drums (format: https://sfzformat.com), beside the samples these
use. Samples are copied byte for byte, nothing is encoded again. Oscillators and modulators are left out.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from models.sounds.band import DRUMS, SAMPLES, SUFFIX
from models.sounds.soundfont import (
    ATTACK,
    ATTENUATION,
    COARSE_TUNE,
    DECAY,
    DELAY,
    DRUM_BANK,
    ENVELOPE_TO_FILTER,
    ENVELOPE_TO_PITCH,
    EXCLUSIVE_CLASS,
    FILTER_CUTOFF,
    FILTER_Q,
    FINE_TUNE,
    FULL,
    HOLD,
    KEY_TO_DECAY,
    KEY_TO_HOLD,
    LOOP_END_OFFSET,
    LOOP_MODE,
    LOOP_START_OFFSET,
    MOD_ATTACK,
    MOD_DECAY,
    MOD_DELAY,
    MOD_HOLD,
    MOD_RELEASE,
    MOD_SUSTAIN,
    PAN,
    RELEASE,
    ROOT_KEY,
    SCALE_TUNING,
    START_OFFSET,
    SUSTAIN,
    Sample,
    SoundFont,
    Zone,
)

# A band: every family of General MIDI keeps a voice, the families that lead keep several.
PROGRAMS = (
    0, 1, 3, 4, 7, 8, 9, 11, 12, 14, 16, 20, 22, 24, 25, 27, 30, 32, 33, 38, 39, 40, 44, 46, 47, 48, 49, 50, 51, 53,
    55, 56, 57, 58, 59, 62, 63, 65, 68, 71, 73, 75, 76, 78, 80, 81, 82, 83, 86, 87, 88, 89, 90, 94, 95, 96, 97, 98,
    104, 106, 107, 108, 112, 113, 114, 115, 116, 117, 118, 119, 122,
)  # fmt: skip
DRUM_KEYS = (35, 81)  # the percussion map of General MIDI; keys beyond it are extras of this bank

LOOPS = {1: "loop_continuous", 3: "loop_sustain"}
OPEN_FILTER_HZ = 16000.0
SHORTEST_RELEASE_S = 0.012  # anything quicker clicks
EMU_ATTENUATION = 0.4  # the hardware these banks were tuned on turned attenuation down less than the specification says
SFZ_FALL = 0.78  # a decay lasts until 100 dB are lost in a SoundFont, until 78 dB are lost in sfizz
ROOM = "<effect> bus=main type=fverb reverb_type=mid_room reverb_dry=100 reverb_wet=12"

Opcodes = dict[str, str | int | float]
# What sfizz assumes where an instrument is silent.
DEFAULTS: Opcodes = {
    "lokey": 0, "hikey": 127, "lovel": 0, "hivel": 127, "offset": 0, "pitch_keycenter": 60, "pitch_keytrack": 100,
    "tune": 0, "transpose": 0, "volume": 0.0, "pan": 0.0, "ampeg_delay": 0.0, "ampeg_attack": 0.0, "ampeg_hold": 0.0,
    "ampeg_sustain": 100.0, "resonance": 0.0, "group": 0, "off_by": 0,
}  # fmt: skip


def cut_band(font: SoundFont, target: Path, programs: Iterable[int] = PROGRAMS) -> None:
    """Write instruments for these programs and the drums, and the samples of both, into the folder `target`."""
    (target / SAMPLES).mkdir(parents=True, exist_ok=True)
    names: dict[int, str] = {}
    wanted = {f"{program:03}": to_every_key(font.presets[0, program]) for program in programs}
    wanted[DRUMS] = drum_zones(font.presets[DRUM_BANK, 0])
    for instrument, zones in wanted.items():
        for number in sorted({zone.sample for zone in zones} - names.keys()):
            names[number] = _file_name(number, font.samples[number])
            (target / SAMPLES / names[number]).write_bytes(font.ogg(number))
        regions = [_opcodes(zone, font.samples[zone.sample], names[zone.sample]) for zone in zones]
        (target / f"{instrument}{SUFFIX}").write_text(_sfz(regions), encoding="ascii", newline="\n")


def to_every_key(zones: Iterable[Zone]) -> tuple[Zone, ...]:
    """The zones, the lowest and the highest of them stretched to the ends of the keyboard: no note is silent."""
    zones = tuple(zones)
    lowest, highest = min(zone.keys[0] for zone in zones), max(zone.keys[1] for zone in zones)
    ends = {lowest: FULL[0]}, {highest: FULL[1]}
    return tuple(
        replace(zone, keys=(ends[0].get(zone.keys[0], zone.keys[0]), ends[1].get(zone.keys[1], zone.keys[1])))
        for zone in zones
    )


def drum_zones(zones: Iterable[Zone]) -> tuple[Zone, ...]:
    """Those of a drum kit that hold a key of General MIDI's percussion map."""
    lowest, highest = DRUM_KEYS
    return tuple(zone for zone in zones if zone.keys[0] <= highest and zone.keys[1] >= lowest)


def _file_name(number: int, sample: Sample) -> str:
    """A name that is one on every file system; the number keeps it unique."""
    return f"{re.sub('[^a-z0-9]+', '-', sample.name.lower()).strip('-')}-{number}.ogg"


def _sfz(regions: list[Opcodes]) -> str:
    """The text of an instrument; what all regions share stands once, on top."""
    shared = {name: value for name, value in regions[0].items() if all(each.get(name) == value for each in regions)}
    lines = [
        f"<control> hint_ram_based=1 default_path={SAMPLES}/",  # read whole, or long samples come late now and then
        f"<global> {_text(shared)}",
        *(
            f"<region> {_text({name: value for name, value in region.items() if name not in shared})}"
            for region in regions
        ),
        ROOM,
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _text(opcodes: Opcodes) -> str:
    return " ".join(f"{name}={value}" for name, value in opcodes.items())


def _opcodes(zone: Zone, sample: Sample, file_name: str) -> Opcodes:
    """The zone as SFZ says it, without what goes without saying."""
    root_key = zone.get(ROOT_KEY) if zone.get(ROOT_KEY) >= 0 else sample.root_key
    opcodes: Opcodes = {
        "sample": file_name,
        "lokey": zone.keys[0],
        "hikey": zone.keys[1],
        "lovel": zone.velocities[0],
        "hivel": zone.velocities[1],
        "offset": zone.get(START_OFFSET),
        "pitch_keycenter": root_key,
        "pitch_keytrack": zone.get(SCALE_TUNING),
        "tune": zone.get(FINE_TUNE) + sample.correction_cents,
        "transpose": zone.get(COARSE_TUNE),
        "volume": round(-zone.get(ATTENUATION) / 10.0 * EMU_ATTENUATION, 2),
        "pan": min(100.0, max(-100.0, zone.get(PAN) / 5.0)),
        "group": zone.get(EXCLUSIVE_CLASS),
        "off_by": zone.get(EXCLUSIVE_CLASS),
        **_loop(zone, sample),
        **_envelope(zone),
        **_filter(zone),
        **_bend(zone),
    }
    return {name: value for name, value in opcodes.items() if DEFAULTS.get(name) != value}


def _loop(zone: Zone, sample: Sample) -> Opcodes:
    if zone.get(LOOP_MODE) not in LOOPS:
        return {"loop_mode": "no_loop"}
    return {
        "loop_mode": LOOPS[zone.get(LOOP_MODE)],
        "loop_start": sample.loop_start + zone.get(LOOP_START_OFFSET),
        "loop_end": sample.loop_end + zone.get(LOOP_END_OFFSET) - 1,  # here the last frame of the loop, there the next
    }


def _envelope(zone: Zone) -> Opcodes:
    """The volume envelope; where it depends on the key, as it is in the middle of the zone's keys."""
    key = 0.0 if zone.keys == FULL else 60 - (zone.keys[0] + zone.keys[1]) / 2
    return {
        "ampeg_delay": _seconds(zone.get(DELAY)),
        "ampeg_attack": _seconds(zone.get(ATTACK)),
        "ampeg_hold": _seconds(zone.get(HOLD) + key * zone.get(KEY_TO_HOLD)),
        "ampeg_decay": round(SFZ_FALL * _seconds(zone.get(DECAY) + key * zone.get(KEY_TO_DECAY)), 3),
        "ampeg_sustain": round(100.0 * 10.0 ** (-max(0, zone.get(SUSTAIN)) / 200.0), 3),
        "ampeg_release": round(SFZ_FALL * max(SHORTEST_RELEASE_S, _seconds(zone.get(RELEASE))), 3),
    }


def _seconds(timecents: float) -> float:
    """SoundFont time to seconds; -12000 (1 ms) and less mean at once."""
    return 0.0 if timecents <= -12000 else round(2.0 ** (timecents / 1200.0), 3)


def _filter(zone: Zone) -> Opcodes:
    cutoff_hz = 8.176 * 2.0 ** (zone.get(FILTER_CUTOFF) / 1200.0)
    opcodes: Opcodes = {
        "fil_type": "lpf_2p",
        "cutoff": round(cutoff_hz),
        "resonance": max(0.0, zone.get(FILTER_Q) / 10.0),
    }
    if depth_cents := zone.get(ENVELOPE_TO_FILTER):
        return {**opcodes, **_second_envelope(zone, "fileg", depth_cents)}
    return opcodes if cutoff_hz < OPEN_FILTER_HZ else {}


def _bend(zone: Zone) -> Opcodes:
    depth_cents = zone.get(ENVELOPE_TO_PITCH)
    return _second_envelope(zone, "pitcheg", depth_cents) if depth_cents else {}


def _second_envelope(zone: Zone, name: str, depth_cents: int) -> Opcodes:
    """The envelope that moves filter and pitch."""
    return {
        f"{name}_depth": depth_cents,
        f"{name}_delay": _seconds(zone.get(MOD_DELAY)),
        f"{name}_attack": _seconds(zone.get(MOD_ATTACK)),
        f"{name}_hold": _seconds(zone.get(MOD_HOLD)),
        f"{name}_decay": _seconds(zone.get(MOD_DECAY)),
        f"{name}_sustain": max(0.0, 100.0 - zone.get(MOD_SUSTAIN) / 10.0),
        f"{name}_release": _seconds(zone.get(MOD_RELEASE)),
    }


def main() -> None:
    """Cut the SoundFont named first into the folder named second."""
    cut_band(SoundFont(Path(sys.argv[1])), Path(sys.argv[2]))


if __name__ == "__main__":
    main()
