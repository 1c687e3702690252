"""Hypothesis strategies made from the wire's table: any valid message of any address."""

from __future__ import annotations

from hypothesis import strategies as st

from bridge.wire_table import NOTE_ARGUMENTS, NOTES_PER_DATAGRAM, Address, Argument, Kind, Value
from models.music.score import Note

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


def six_digits(number: float) -> float:
    """As a person writes it: what a 32-bit float keeps."""
    return float(f"{number:.6g}")


def values_of(argument: Argument) -> st.SearchStrategy[Value]:
    """Any value the table allows."""
    if argument.kind is Kind.TEXT:
        return TEXTS
    if argument.kind is Kind.ANY:
        return st.one_of(
            TEXTS,
            st.integers(-(2**31), 2**31 - 1),
            st.integers(-(10**6), 10**6).map(lambda n: n / 1000),
        )
    if argument.kind is Kind.FLOAT:
        return st.floats(argument.low, argument.high).map(six_digits)
    if argument.choices:
        return st.sampled_from(argument.choices)
    return st.integers(int(argument.low), int(argument.high))


def notes() -> st.SearchStrategy[Note]:
    """Any note the wire can carry."""
    onset, duration, pitch, velocity, part = (st.integers(int(a.low), int(a.high)) for a in NOTE_ARGUMENTS)
    return st.builds(Note, onset, part, pitch, duration, velocity)


def contents_of(address: Address) -> st.SearchStrategy[tuple[list[Value], list[Note]]]:
    """Values and notes for one message of that address."""
    values = st.tuples(*(values_of(argument) for argument in address.arguments)).map(list)
    return st.tuples(values, st.lists(notes(), max_size=NOTES_PER_DATAGRAM if address.has_notes else 0))
