"""Cuts a small SoundFont out of a large one; this made `band.sf3`. Run: python -m models.sounds.subset IN.sf3 OUT.sf3.

Samples are copied byte for byte, nothing is encoded again. Modulators are left out: `soundfont` does not read them.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable
from pathlib import Path

from models.sounds.soundfont import DRUM_BANK, INSTRUMENT, KEY_RANGE, SAMPLE_ID, riff_chunks

# A band: every family of General MIDI keeps a voice, the families that lead keep several.
PROGRAMS = (
    0, 1, 3, 4, 7, 8, 9, 11, 12, 14, 16, 20, 22, 24, 25, 27, 30, 32, 33, 38, 39, 40, 44, 46, 47, 48, 49, 50, 51, 53,
    55, 56, 57, 58, 59, 62, 63, 65, 68, 71, 73, 75, 76, 78, 80, 81, 82, 83, 86, 87, 88, 89, 90, 94, 95, 96, 97, 98,
    104, 106, 107, 108, 112, 113, 114, 115, 116, 117, 118, 119, 122,
)  # fmt: skip
KITS = (0,)
DRUM_KEYS = range(35, 82)  # the percussion map of General MIDI; keys beyond it are extras of this bank

Generators = list[tuple[int, int]]


class Table:
    """Records of a SoundFont (presets or instruments) with the zones each one owns."""

    def __init__(self, headers: list[bytes], bags: bytes, generators: bytes, bag_field: int) -> None:
        self.headers = headers
        self._bags = bags
        self._generators = generators
        self._bag_field = bag_field

    def zones(self, index: int) -> list[Generators]:
        """Generator lists of record `index`, in file order."""
        first, last = (struct.unpack_from("<H", self.headers[at], self._bag_field)[0] for at in (index, index + 1))
        return [self._zone(bag) for bag in range(first, last)]

    def _zone(self, bag: int) -> Generators:
        low, high = (struct.unpack_from("<H", self._bags, at * 4)[0] for at in (bag, bag + 1))
        return list(struct.iter_unpack("<Hh", self._generators[low * 4 : high * 4]))


class Packer:
    """Collects records and their zones into the three chunks that hold them."""

    def __init__(self, bag_field: int) -> None:
        self.headers, self.bags, self.generators = bytearray(), bytearray(), bytearray()
        self._bag_field = bag_field

    def add(self, header: bytes, zones: Iterable[Generators]) -> None:
        """Append one record; the terminal record is one without zones."""
        changed = bytearray(header)
        struct.pack_into("<H", changed, self._bag_field, len(self.bags) // 4)
        self.headers += changed
        for zone in zones:
            self.bags += struct.pack("<HH", len(self.generators) // 4, 0)
            for generator in zone:
                self.generators += struct.pack("<Hh", *generator)

    def close(self, terminal: bytes) -> tuple[bytes, bytes, bytes]:
        """Headers, bags and generators with their terminal records."""
        self.add(terminal, [])
        self.bags += struct.pack("<HH", len(self.generators) // 4, 0)
        self.generators += bytes(4)
        return bytes(self.headers), bytes(self.bags), bytes(self.generators)


class SampleStore:
    """Copies the samples that are used, each once, and numbers them anew."""

    def __init__(self, headers: list[bytes], sound: bytes) -> None:
        self._old_headers = headers
        self._old_sound = sound
        self._new: dict[int, int] = {}
        self.headers, self.sound = bytearray(), bytearray()

    def keep(self, sample: int) -> int:
        """The new number of a sample."""
        if sample not in self._new:
            self._new[sample] = len(self._new)
            header = bytearray(self._old_headers[sample])
            start, end = struct.unpack_from("<II", header, 20)
            struct.pack_into("<II", header, 20, len(self.sound), len(self.sound) + end - start)
            self.sound += self._old_sound[start:end]
            self.headers += header
        return self._new[sample]


def subset(data: bytes, presets: set[tuple[int, int]]) -> bytes:
    """The SoundFont `data` with only the presets (bank, program) of `presets` and what these use."""
    chunks = riff_chunks(data)
    old_presets = Table(_records(chunks["phdr"], 38), chunks["pbag"], chunks["pgen"], 24)
    old_instruments = Table(_records(chunks["inst"], 22), chunks["ibag"], chunks["igen"], 20)
    store = SampleStore(_records(chunks["shdr"], 46), chunks["smpl"])
    new_presets, new_instruments = Packer(24), Packer(20)
    numbers: dict[tuple[int, bool], int] = {}
    for index, header in enumerate(old_presets.headers[:-1]):
        program, bank = struct.unpack_from("<HH", header, 20)
        if (bank, program) not in presets:
            continue
        zones = []
        for zone in old_presets.zones(index):
            kept = dict(zone)
            if INSTRUMENT in kept:
                which = kept[INSTRUMENT], bank == DRUM_BANK
                if which not in numbers:
                    numbers[which] = len(numbers)
                    instrument_zones = _kept_zones(old_instruments.zones(which[0]), store, is_drums=which[1])
                    new_instruments.add(old_instruments.headers[which[0]], instrument_zones)
                kept[INSTRUMENT] = numbers[which]
            zones.append(list(kept.items()))
        new_presets.add(header, zones)
    return _assemble(
        chunks,
        new_presets.close(b"EOP".ljust(38, b"\0")),
        new_instruments.close(b"EOI".ljust(22, b"\0")),
        store,
    )


def _kept_zones(zones: list[Generators], store: SampleStore, *, is_drums: bool) -> list[Generators]:
    kept = []
    for zone in zones:
        generators = dict(zone)
        packed = generators.get(KEY_RANGE, 127 << 8) & 0xFFFF
        if is_drums and (packed >> 8 < DRUM_KEYS[0] or packed & 0xFF > DRUM_KEYS[-1]):
            continue
        if SAMPLE_ID in generators:
            generators[SAMPLE_ID] = store.keep(generators[SAMPLE_ID])
        kept.append(list(generators.items()))
    return kept


def _records(chunk: bytes, size: int) -> list[bytes]:
    return [chunk[at : at + size] for at in range(0, len(chunk), size)]


def _chunk(name: bytes, payload: bytes) -> bytes:
    payload += bytes(len(payload) % 2)
    return name + struct.pack("<I", len(payload)) + payload


def _assemble(
    source: dict[str, bytes],
    presets: tuple[bytes, bytes, bytes],
    instruments: tuple[bytes, bytes, bytes],
    store: SampleStore,
) -> bytes:
    info = b"".join(_chunk(name.encode(), source[name]) for name in ("ifil", "isng", "INAM", "IENG", "ICOP", "ICMT"))
    tables = [
        (b"phdr", presets[0]), (b"pbag", presets[1]), (b"pmod", bytes(10)), (b"pgen", presets[2]),
        (b"inst", instruments[0]), (b"ibag", instruments[1]), (b"imod", bytes(10)), (b"igen", instruments[2]),
        (b"shdr", bytes(store.headers) + b"EOS".ljust(46, b"\0")),
    ]  # fmt: skip
    lists = [
        (b"INFO", info),
        (b"sdta", _chunk(b"smpl", bytes(store.sound))),
        (b"pdta", b"".join(_chunk(name, payload) for name, payload in tables)),
    ]
    return _chunk(b"RIFF", b"sfbk" + b"".join(_chunk(b"LIST", name + payload) for name, payload in lists))


def main() -> None:
    """Cut the bundled band out of the SoundFont named first, into the file named second."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    presets = {(0, program) for program in PROGRAMS} | {(DRUM_BANK, kit) for kit in KITS}
    target.write_bytes(subset(source.read_bytes(), presets))


if __name__ == "__main__":
    main()
