"""A SoundFont small enough to read in a test."""

from __future__ import annotations

import struct

STREAM = b"OggS and so on"


def chunk(name: bytes, payload: bytes) -> bytes:
    return name + struct.pack("<I", len(payload)) + payload


def generators(*pairs: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("<Hh", *pair) for pair in pairs)


def small_font(*local: tuple[int, int], sample_type: int = 0x11) -> bytes:
    """Program 5 and the drums share one instrument of one sample; a global zone tunes, the preset turns down."""
    instrument = generators((52, 7), (48, 10)) + generators(*local, (53, 0))
    preset = generators((48, 5), (41, 0))
    headers = [(b"Beep", 5, 0, 0), (b"Kit", 0, 128, 1), (b"EOP", 0, 0, 2)]
    sample = struct.pack("<20sIIIIIBbHH", b"Beep C#4 (L)", 0, len(STREAM), 10, 90, 22050, 69, -3, 0, sample_type)
    tables = [
        (b"phdr", b"".join(struct.pack("<20sHHHIII", *header, 0, 0, 0) for header in headers)),
        (b"pbag", struct.pack("<6H", 0, 0, 2, 0, 4, 0)),
        (b"pgen", preset * 2 + bytes(4)),
        (b"inst", struct.pack("<20sH", b"Beep", 0) + struct.pack("<20sH", b"EOI", 2)),
        (b"ibag", struct.pack("<6H", 0, 0, 2, 0, 3 + len(local), 0)),
        (b"igen", instrument + bytes(4)),
        (b"shdr", sample + bytes(46)),
    ]
    lists = [(b"sdta", chunk(b"smpl", STREAM)), (b"pdta", b"".join(chunk(*table) for table in tables))]
    return chunk(b"RIFF", b"sfbk" + b"".join(chunk(b"LIST", name + payload) for name, payload in lists))
