"""The wire's messages as plain data: parse and build by the table. It opens no socket and knows no session."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from bridge.errors import ErrorCode, ProtocolError
from bridge.wire_table import (
    BY_NAME,
    BY_PATH,
    INTS_PER_NOTE,
    MAX_INT,
    NOTE_ARGUMENTS,
    NOTES_PER_DATAGRAM,
    PREFIX,
    TABLE,
    Address,
    Argument,
    Direction,
    Kind,
    Value,
)
from models.music.score import Note

Sender = tuple[str, int]
_SHOWN_CHARACTERS = 40  # of a wrong value, in an error's sentence


@dataclass(frozen=True, slots=True)
class Message:
    """One valid message: `name` is the address without `/continuo/`; every value has its table's type and range."""

    name: str
    values: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[Note, ...] = ()

    @property
    def client_id(self) -> int:
        """The client's own number; 0 is the anonymous client."""
        return self.integer("id")

    @property
    def path(self) -> str:
        """The OSC address."""
        return PREFIX + self.name

    def integer(self, name: str) -> int:
        """Value of an int argument."""
        value = self.values[name]
        assert isinstance(value, int)
        return value

    def number(self, name: str) -> float:
        """Value of a float argument."""
        value = self.values[name]
        assert isinstance(value, int | float)
        return float(value)

    def text(self, name: str) -> str:
        """Value of a text argument."""
        value = self.values[name]
        assert isinstance(value, str)
        return value


@dataclass(frozen=True, slots=True)
class Received:
    """A valid message and where it came from."""

    message: Message
    sender: Sender


@dataclass(frozen=True, slots=True)
class Refused:
    """A datagram that could not be understood and deserves an answer."""

    address: str
    """As far as it could be read; may be empty."""
    code: ErrorCode
    text: str
    client_id: int | None
    sender: Sender


def parse(address: str, args: Sequence[object], direction: Direction = Direction.TO_DAEMON) -> Message:
    """Check one OSC message against the table and convert its arguments to the table's types.

    Raises:
        ProtocolError: with the code and the sentence that answer it.
    """
    spec = BY_PATH.get(address)
    if spec is None:
        raise ProtocolError(ErrorCode.UNKNOWN_ADDRESS, _unknown_sentence(address))
    if spec.direction is not direction:
        raise ProtocolError(
            ErrorCode.UNKNOWN_ADDRESS,
            f"{address} goes from {spec.direction.value}, not the other way; use the addresses of the table "
            f"“{direction.value}”",
        )
    fixed = len(spec.arguments)
    _check_count(spec, len(args))
    values = {argument.name: _coerce(spec, argument, raw) for argument, raw in zip(spec.arguments, args, strict=False)}
    return Message(spec.name, MappingProxyType(values), _parse_notes(spec, args[fixed:]))


def build(message: str, /, *values: Value, notes: Sequence[Note] = (), **named: Value) -> tuple[str, list[Value]]:
    """Address and arguments of one message, by position, by name or both; ints fit 32 bits, floats are floats.

    Raises:
        ProtocolError: a value the table refuses.
    """
    spec = BY_NAME[message]
    rest = [argument.name for argument in spec.arguments[len(values) :]]
    if unknown := named.keys() - set(rest):
        raise ProtocolError(ErrorCode.WRONG_ARGUMENT, f"{spec.path} has no free argument {sorted(unknown)}")
    if missing := [name for name in rest if name not in named]:
        raise ProtocolError(ErrorCode.WRONG_ARGUMENT, f"{spec.path} lacks {', '.join(missing)}; pass every argument")
    given = [*values, *(named[name] for name in rest)]
    flat = [n for note in notes for n in (note.onset_tick, note.duration_ticks, note.pitch, note.velocity, note.part)]
    checked = parse(spec.path, [*given, *flat], spec.direction)
    return spec.path, [*checked.values.values(), *flat]


def reference_markdown() -> str:
    """The whole table as Markdown: both directions, then each argument's type, range and unit."""
    lines: list[str] = []
    for direction in Direction:
        lines += [f"### {direction.value.capitalize()}", "", "| address | arguments | meaning |", "| --- | --- | --- |"]
        for spec in TABLE:
            if spec.direction is direction:
                names = " ".join(argument.name for argument in spec.arguments)
                lines.append(f"| `{spec.path}` | {names}{_notes_phrase(spec)} | {spec.meaning} |")
        lines.append("")
    lines += ["### Arguments", "", "| argument | type | range | in |", "| --- | --- | --- | --- |"]
    places: dict[Argument, list[str]] = {}
    for spec in TABLE:
        for argument in spec.arguments + (NOTE_ARGUMENTS if spec.has_notes else ()):
            places.setdefault(argument, []).append(spec.name)
    for argument, names_in in places.items():
        where = "every message" if len(names_in) == len(TABLE) else ", ".join(f"`{name}`" for name in names_in)
        lines.append(f"| {argument.name} | {argument.kind.value} | {_range_phrase(argument)} | {where} |")
    return "\n".join(lines) + "\n"


def _notes_phrase(spec: Address) -> str:
    if not spec.has_notes:
        return ""
    names = " ".join(argument.name for argument in NOTE_ARGUMENTS)
    return f", then up to {NOTES_PER_DATAGRAM} x ({names})"


def _range_phrase(argument: Argument) -> str:
    if argument.kind in (Kind.TEXT, Kind.ANY):
        return ""
    if argument.choices:
        return ", ".join(map(str, argument.choices))
    return f"{argument.low}..{argument.high} {argument.unit}".rstrip()


def _check_count(spec: Address, count: int) -> None:
    """Refuse too few or too many arguments."""
    fixed = len(spec.arguments)
    names = " ".join(argument.name for argument in spec.arguments)
    if count < fixed or (count > fixed and not spec.has_notes):
        raise ProtocolError(
            ErrorCode.WRONG_ARGUMENT,
            f"{spec.path} takes {fixed} arguments, not {count}; send exactly: {names}",
        )
    groups, left_over = divmod(count - fixed, INTS_PER_NOTE)
    if left_over or groups > NOTES_PER_DATAGRAM:
        raise ProtocolError(
            ErrorCode.WRONG_ARGUMENT,
            f"{spec.path} holds {count - fixed} numbers after {names}, not up to {NOTES_PER_DATAGRAM} whole notes of "
            f"{INTS_PER_NOTE}; send fewer notes a datagram, each with onset, duration, pitch, velocity and part",
        )


def _parse_notes(spec: Address, flat: Sequence[object]) -> tuple[Note, ...]:
    notes = []
    for start in range(0, len(flat), INTS_PER_NOTE):
        onset, duration, pitch, velocity, part = (
            _whole(spec, argument, raw)
            for argument, raw in zip(NOTE_ARGUMENTS, flat[start : start + INTS_PER_NOTE], strict=True)
        )
        notes.append(Note(onset, part, pitch, duration, velocity))
    return tuple(notes)


def _coerce(spec: Address, argument: Argument, raw: object) -> Value:
    """The value in the table's type."""
    if argument.kind is Kind.INT:
        return _whole(spec, argument, raw)
    if isinstance(raw, str):
        if argument.kind is Kind.FLOAT or "\0" in raw:
            raise _wrong(spec, argument, raw)
        return raw
    if argument.kind is Kind.TEXT or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise _wrong(spec, argument, raw)
    if argument.kind is Kind.ANY:
        return _any_number(spec, argument, raw)
    typed = _as_typed(raw)
    if not argument.low <= typed <= argument.high:
        raise _out_of_range(spec, argument, raw)
    return typed


def _any_number(spec: Address, argument: Argument, raw: float) -> int | float:
    """A number of a kind only the control knows: whatever fits 32 bits."""
    if not -MAX_INT - 1 <= raw <= MAX_INT:
        raise _out_of_range(spec, argument, raw)
    return int(raw) if isinstance(raw, int) else _as_typed(raw)


def _as_typed(raw: float) -> float:
    """The number a person typed: a 32-bit 0.9 arrives as 0.89999998, outside a range that starts at 0.9."""
    return float(f"{raw:.7g}")


def _whole(spec: Address, argument: Argument, raw: object) -> int:
    """A whole number in range; the hot path, once for every number of every note."""
    if type(raw) is not int:
        if not isinstance(raw, int | float) or raw != raw // 1:  # NaN and infinities are unequal here
            raise _wrong(spec, argument, raw)
        raw = int(raw)
    if not argument.low <= raw <= argument.high or (argument.choices and raw not in argument.choices):
        raise _out_of_range(spec, argument, raw)
    return raw


def _wrong(spec: Address, argument: Argument, raw: object) -> ProtocolError:
    return ProtocolError(
        ErrorCode.WRONG_ARGUMENT,
        f"{spec.path}: {argument.name} came as {_shown(raw)}; send {argument.expected}",
    )


def _out_of_range(spec: Address, argument: Argument, raw: float) -> ProtocolError:
    return ProtocolError(
        ErrorCode.OUT_OF_RANGE,
        f"{spec.path}: {argument.name} came as {_shown(raw)}; send {argument.expected}",
    )


def _unknown_sentence(address: str) -> str:
    guess = PREFIX + address.lower().removeprefix(PREFIX).strip("/")
    cure = f"did you mean {guess}?" if guess in BY_PATH else "send one of the addresses in the README's table"
    return f"there is no address {_shown(address)}; {cure}"


def _shown(raw: object) -> str:
    """A wrong value, short and printable."""
    text = raw if isinstance(raw, str) else repr(raw)
    printable = "".join(character if character.isprintable() else "?" for character in text[: _SHOWN_CHARACTERS + 1])
    short = printable if len(text) <= _SHOWN_CHARACTERS else printable[:_SHOWN_CHARACTERS] + "…"
    return f"“{short}”" if isinstance(raw, str) else short
