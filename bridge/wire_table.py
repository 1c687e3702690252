"""Every address of the wire in one table: parsing, building, errors and the reference read it. It acts on nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from models.music.constants import MAX_PARTS, MAX_PITCH, MAX_PROGRAM, MAX_VELOCITY, PPQ

Value = int | float | str

PROTO = 1
PREFIX = "/continuo/"
MAX_DATAGRAM_BYTES = 1024
NOTES_PER_DATAGRAM = 32
INTS_PER_NOTE = 5
MAX_INT = 2**31 - 1
MAX_TICK = 1_000_000_000  # two of them still add up to an int32
MAX_CLIP_NOTES = 100_000
MAX_DATAGRAMS = 16_384  # of one clip or take
MAX_BARS = 64
MAX_TEXT_BYTES = 480  # error text: with address and tags it stays below MAX_DATAGRAM_BYTES
HEADER_INDEX = -1  # in clip/need: the begin and the parts, which carry no index
DENOMINATORS = (1, 2, 4, 8, 16, 32, 64, 128)


class Direction(Enum):
    """Who sends a message."""

    TO_DAEMON = "client to daemon"
    TO_CLIENT = "daemon to client"


class State(IntEnum):
    """What the daemon is doing, as `pong` and `status` tell it."""

    LOADING = 0
    READY = 1
    GENERATING = 2
    PLAYING = 3
    FAULT = 4


class Kind(Enum):
    """Type of one argument; `ANY` is a number or a text, as a control's value."""

    INT = "int"
    FLOAT = "float"
    TEXT = "text"
    ANY = "int, float or text"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: numbers lie in `low..high`, both included; `choices` narrows further."""

    name: str
    kind: Kind = Kind.INT
    low: float = 0
    high: float = MAX_INT
    unit: str = ""
    choices: tuple[int, ...] = ()

    @property
    def expected(self) -> str:
        """What a person should send, as a phrase."""
        if self.kind is Kind.TEXT:
            return "a text"
        if self.kind is Kind.ANY:
            return "a number or a text"
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        kind = "a whole number" if self.kind is Kind.INT else "a number"
        return f"{kind} from {self.low:,} to {self.high:,}" + (f" {self.unit}" if self.unit else "")


@dataclass(frozen=True, slots=True)
class Address:
    """One message: `name` is the address without `/continuo/`."""

    name: str
    direction: Direction
    arguments: tuple[Argument, ...]
    meaning: str
    has_notes: bool = False
    """Up to `NOTES_PER_DATAGRAM` groups of `NOTE_ARGUMENTS` follow the arguments."""

    @property
    def path(self) -> str:
        """The OSC address."""
        return PREFIX + self.name


ID = Argument("id")
REQ = Argument("req")
BARS = Argument("bars", low=1, high=MAX_BARS, unit="bars")
PARTS = Argument("parts", high=2**MAX_PARTS - 1, unit="bit mask")
NUM = Argument("num", low=1, high=99, unit="beats a bar")
DEN = Argument("den", low=1, high=DENOMINATORS[-1], choices=DENOMINATORS)
TEMPO = Argument("tempo", Kind.FLOAT, low=10, high=1000, unit="quarter notes a minute")
COUNT = Argument("count", high=MAX_CLIP_NOTES, unit="notes")
INDEX = Argument("index", high=MAX_DATAGRAMS - 1)
DATAGRAMS = Argument("datagrams", high=MAX_DATAGRAMS)
AT_TICK = Argument("at_tick", low=-1, high=MAX_TICK, unit="ticks")
STATE = Argument("state", high=max(State))
LATE = Argument("late", unit="notes")
PART = Argument("part", high=MAX_PARTS - 1)
NAME = Argument("name", Kind.TEXT)
VALUE = Argument("value", Kind.ANY)
NOTE_ARGUMENTS = (
    Argument("onset_tick", high=MAX_TICK, unit="ticks"),
    Argument("duration_ticks", low=1, high=MAX_TICK, unit="ticks"),
    Argument("pitch", high=MAX_PITCH),
    Argument("velocity", low=1, high=MAX_VELOCITY),
    PART,
)


def _to_daemon(name: str, *arguments: Argument, meaning: str, has_notes: bool = False) -> Address:
    return Address(name, Direction.TO_DAEMON, (ID, *arguments), meaning, has_notes)


def _to_client(name: str, *arguments: Argument, meaning: str, has_notes: bool = False) -> Address:
    return Address(name, Direction.TO_CLIENT, (ID, *arguments), meaning, has_notes)


TABLE: tuple[Address, ...] = (
    _to_daemon(
        "hello",
        Argument("reply_port", low=1, high=65_535),
        Argument("proto", low=1),
        NAME,
        meaning=f"who you are and where you listen; proto is {PROTO}. Answer `welcome`. Every 2 s it is the heartbeat",
    ),
    _to_daemon("ping", Argument("n", low=-MAX_INT - 1), meaning="answer `pong`"),
    _to_daemon(
        "transport",
        Argument("playing", high=1),
        Argument("song_tick", low=-MAX_TICK, high=MAX_TICK, unit="ticks"),
        TEMPO,
        NUM,
        DEN,
        meaning="where the host is, sent on change and every beat. Answer `status`",
    ),
    _to_daemon(
        "scale",
        Argument("root", high=11),
        Argument("mask", high=2**12 - 1),
        meaning="allowed pitch classes, bit 0 = root; mask 0 = no limit. Answer `value` for scale_root and scale_mask",
    ),
    _to_daemon(
        "clip/begin",
        REQ,
        COUNT,
        Argument("length_ticks", high=MAX_TICK, unit="ticks"),
        NUM,
        DEN,
        TEMPO,
        meaning="a clip of `count` notes follows; its start is tick 0, on a bar line",
    ),
    _to_daemon(
        "clip/part",
        REQ,
        PART,
        Argument("drums", high=1),
        Argument("program", low=-1, high=MAX_PROGRAM),
        NAME,
        meaning="one per part, before its notes; program -1 = nobody said",
    ),
    _to_daemon(
        "clip/notes",
        REQ,
        INDEX,
        has_notes=True,
        meaning="index counts datagrams from 0. Onsets at or past `length_ticks` are the known future of a part "
        "that will not be generated",
    ),
    _to_daemon(
        "clip/end",
        REQ,
        DATAGRAMS,
        meaning="`datagrams` of notes were sent. Answer `clip/ready`, or `clip/need` for each gap",
    ),
    _to_daemon(
        "generate",
        REQ,
        Argument("clip_req"),
        BARS,
        PARTS,
        Argument("seed", low=-1),
        AT_TICK,
        meaning="continue a clip in the parts of the mask (0 = all); seed -1 = the daemon picks; at_tick = song tick "
        "where it starts to sound, -1 = the next bar line while playing, at once when stopped. Answer `take/begin`",
    ),
    _to_daemon("cancel", REQ, meaning="stop generating and sounding `req`. Answer `take/end`"),
    _to_daemon("take/need", REQ, INDEX, meaning="resend one datagram of a take. Answer `take/notes`"),
    _to_daemon("set", NAME, VALUE, meaning="one control. Answer `value`"),
    _to_daemon("get", NAME, meaning="answer `value`; name `*` lists all with ranges"),
    _to_daemon("panic", meaning="everything silent now. Answer `status`"),
    _to_daemon("bye", meaning="leave. Answer `status`"),
    _to_client(
        "welcome",
        Argument("proto", low=1),
        Argument("version", Kind.TEXT),
        Argument("model", Kind.TEXT),
        Argument("device", Kind.TEXT),
        Argument("ppq", low=1),
        Argument("notes_per_datagram", low=1),
        meaning=f"the daemon is here; ppq is {PPQ}, notes_per_datagram {NOTES_PER_DATAGRAM}",
    ),
    _to_client(
        "pong",
        Argument("n", low=-MAX_INT - 1),
        STATE,
        meaning="state 0 loading, 1 ready, 2 generating, 3 playing, 4 fault",
    ),
    _to_client(
        "clip/need",
        REQ,
        Argument("index", low=HEADER_INDEX, high=MAX_DATAGRAMS - 1),
        meaning=f"send this datagram again; {HEADER_INDEX} = `clip/begin` and every `clip/part`",
    ),
    _to_client(
        "clip/ready",
        REQ,
        COUNT,
        meaning="the clip is whole, `count` notes are held, prefill has begun",
    ),
    _to_client(
        "take/begin",
        REQ,
        BARS,
        PARTS,
        Argument("seed"),
        AT_TICK,
        meaning="generation has begun; tick 0 of the take is song tick `at_tick` (-1: stopped transport)",
    ),
    _to_client(
        "take/notes",
        REQ,
        INDEX,
        has_notes=True,
        meaning="in onset order, sent as they are made, well before they sound; onset relative to the take's start",
    ),
    _to_client(
        "take/end",
        REQ,
        DATAGRAMS,
        Argument("count", unit="notes"),
        LATE,
        meaning="whole; `late` notes missed their time at the MIDI port",
    ),
    _to_client(
        "status",
        STATE,
        Argument("horizon_tick", low=-MAX_TICK, high=MAX_TICK, unit="ticks"),
        Argument("p95_late_us", unit="microseconds"),
        LATE,
        Argument("dropped", unit="notes"),
        meaning="once a beat while something sounds, and as an answer",
    ),
    _to_client(
        "value",
        NAME,
        VALUE,
        Argument("low", Kind.ANY),
        Argument("high", Kind.ANY),
        meaning="answer to get and to set; out of range is an error. For a text, `low` lists the choices",
    ),
    _to_client(
        "error",
        Argument("address", Kind.TEXT),
        Argument("code", low=1, high=9),
        Argument("text", Kind.TEXT),
        meaning="1 malformed, 2 unknown address, 3 wrong argument, 4 out of range, 5 no such clip or take, 6 busy, "
        "7 model fault, 8 MIDI fault, 9 unsupported by this model",
    ),
)

BY_PATH: dict[str, Address] = {address.path: address for address in TABLE}
BY_NAME: dict[str, Address] = {address.name: address for address in TABLE}
