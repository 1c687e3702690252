"""One voice: a zone of a SoundFont played at one pitch, as one channel of floats. It knows no score and no stereo."""

from __future__ import annotations

import math

import numpy as np

from models.sounds.soundfont import (
    ATTACK,
    ATTENUATION,
    COARSE_TUNE,
    DECAY,
    DELAY,
    END_OFFSET,
    FILTER_CUTOFF,
    FILTER_Q,
    FINE_TUNE,
    HOLD,
    KEY_TO_DECAY,
    KEY_TO_HOLD,
    LOOP_END_OFFSET,
    LOOP_MODE,
    LOOP_START_OFFSET,
    RELEASE,
    ROOT_KEY,
    SCALE_TUNING,
    START_OFFSET,
    SUSTAIN,
    FloatArray,
    SoundFont,
    Zone,
)

SILENCE_DB = 96.0
LONGEST_RELEASE_S = 3.0
SHORTEST_RELEASE_S = 0.012  # anything quicker clicks
EMU_ATTENUATION = 0.4  # the hardware these banks were tuned on turned attenuation down less than the specification says
OPEN_FILTER_HZ = 16000.0


def play(
    font: SoundFont, zone: Zone, pitch: int, velocity: int, duration_s: float, sample_rate: int, cut_s: float = math.inf
) -> FloatArray:
    """The voice from its onset to the end of its release, or to `cut_s`, when another of its class silences it."""
    release_s = min(LONGEST_RELEASE_S, max(SHORTEST_RELEASE_S, _seconds(zone.get(RELEASE))))
    count = round(min(duration_s + release_s, cut_s + SHORTEST_RELEASE_S) * sample_rate)
    wave = _resample(font, zone, pitch, count, sample_rate)
    time_s = np.arange(len(wave), dtype=np.float32) / np.float32(sample_rate)
    fallen_db = _ramp(time_s, duration_s, release_s)
    if math.isfinite(cut_s):
        fallen_db += _ramp(time_s, cut_s, SHORTEST_RELEASE_S)
    wave *= _envelope(zone, pitch, time_s, fallen_db)
    cutoff_hz = 8.176 * 2.0 ** (zone.get(FILTER_CUTOFF) / 1200.0)
    if cutoff_hz < OPEN_FILTER_HZ:
        wave = _low_pass(wave, cutoff_hz, zone.get(FILTER_Q) / 10.0, sample_rate)
    attenuation_db = zone.get(ATTENUATION) / 10.0 * EMU_ATTENUATION
    wave *= np.float32((velocity / 127.0) ** 2 * 10.0 ** (-attenuation_db / 20.0))
    return wave


def _seconds(timecents: float) -> float:
    """SoundFont time to seconds; -12000 (1 ms) and less mean at once."""
    return 0.0 if timecents <= -12000 else float(2.0 ** (timecents / 1200.0))


def _ramp(time_s: FloatArray, from_s: float, length_s: float) -> FloatArray:
    """Decibels lost by a fall to silence that begins at `from_s` and takes `length_s`."""
    ramp: FloatArray = np.maximum(0.0, time_s - np.float32(from_s)) * np.float32(SILENCE_DB / length_s)
    return ramp


def _ratio(font: SoundFont, zone: Zone, pitch: int, sample_rate: int) -> float:
    """Frames of the recording per frame of output."""
    sample = font.samples[zone.sample]
    root = zone.get(ROOT_KEY) if zone.get(ROOT_KEY) >= 0 else sample.root_key
    tuning = zone.get(COARSE_TUNE) * 100 + zone.get(FINE_TUNE) + sample.correction_cents
    cents = (pitch - root) * zone.get(SCALE_TUNING) + tuning
    return float(2.0 ** (cents / 1200.0)) * sample.sample_rate / sample_rate


def _resample(font: SoundFont, zone: Zone, pitch: int, count: int, sample_rate: int) -> FloatArray:
    """`count` frames at the wanted pitch, looped where the zone says so; fewer where the recording ends first."""
    sample = font.samples[zone.sample]
    frames = font.frames(zone.sample)
    ratio = _ratio(font, zone, pitch, sample_rate)
    start = zone.get(START_OFFSET)
    loop_start = sample.loop_start + zone.get(LOOP_START_OFFSET)
    loop_end = min(sample.loop_end + zone.get(LOOP_END_OFFSET), len(frames) - 1)
    is_looped = zone.get(LOOP_MODE) in (1, 3) and loop_end - loop_start > 1
    if not is_looped:
        last = len(frames) + zone.get(END_OFFSET) - 2
        count = max(0, min(count, int((last - start) / ratio)))
    at = start + np.arange(count, dtype=np.float64) * ratio
    if is_looped:
        beyond = at >= loop_end
        at[beyond] = loop_start + (at[beyond] - loop_start) % (loop_end - loop_start)
    return _hermite(frames, at)


def _hermite(frames: FloatArray, at: np.ndarray[tuple[int], np.dtype[np.float64]]) -> FloatArray:
    """The recording between its frames, by cubic Hermite through the four nearest."""
    whole = at.astype(np.int64)
    between = (at - whole).astype(np.float32)
    padded = np.concatenate([frames[:1], frames, np.zeros(3, np.float32)])
    before, here, after, later = (padded[whole + step] for step in range(4))
    slope = (after - before) * np.float32(0.5)
    bend = before - 2.5 * here + 2.0 * after - 0.5 * later
    twist = 0.5 * (later - before) + 1.5 * (here - after)
    wave: FloatArray = (((twist * between + bend) * between + slope) * between + here).astype(np.float32)
    return wave


def _envelope(zone: Zone, pitch: int, time_s: FloatArray, fallen_db: FloatArray) -> FloatArray:
    """The volume envelope: a straight attack, then a decay in decibels (specification §8.1.3) beside `fallen_db`."""
    key = 60 - pitch
    delay, attack = _seconds(zone.get(DELAY)), max(0.001, _seconds(zone.get(ATTACK)))
    hold = _seconds(zone.get(HOLD) + key * zone.get(KEY_TO_HOLD))
    decay = max(0.001, _seconds(zone.get(DECAY) + key * zone.get(KEY_TO_DECAY)))
    rise = np.clip((time_s - np.float32(delay)) / np.float32(attack), 0.0, 1.0)
    sustain_db = min(SILENCE_DB, max(0, zone.get(SUSTAIN)) / 10.0)
    decayed_db = np.clip((time_s - np.float32(delay + attack + hold)) * np.float32(100.0 / decay), 0.0, sustain_db)
    envelope: FloatArray = (rise * np.exp2((decayed_db + fallen_db) / np.float32(-6.0206))).astype(np.float32)
    return envelope


def _low_pass(wave: FloatArray, cutoff_hz: float, resonance_db: float, sample_rate: int) -> FloatArray:
    """A resonant filter of two poles, applied to the spectrum."""
    if len(wave) == 0:
        return wave
    size = 1 << (len(wave) - 1).bit_length()
    x = np.fft.rfftfreq(size, 1.0 / sample_rate) / cutoff_hz
    quality = 10.0 ** ((resonance_db - 3.01) / 20.0)
    response = 1.0 / (1.0 - x**2 + 1j * x / quality)
    filtered: FloatArray = np.fft.irfft(np.fft.rfft(wave, size) * response, size)[: len(wave)].astype(np.float32)
    return filtered
