"""The baseline every network must beat: a variable-order Markov model of the flagship's events, in bits per field.

Prediction by partial matching (Cleary and Witten, 1984; escape method C: Moffat, 1990) with multiple viewpoints and a
long-term and a short-term memory (Conklin and Witten, 1995; IDyOM: Pearce, 2005). One departure: the guesses are mixed
by a small softmax gate where IDyOM weighs them by entropy; it is fitted on pieces that the counts have not seen, and
takes 6.1 bits a note to 4.3 where equal weights would stop. Escapes fitted on such pieces brought nothing more (tried).
It generates nothing.

Letters: K orders, T events, E experts (a viewpoint with one of the two memories).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.context_counts import Counts, CountTable, KeyArray, context_keys, running_counts
from models.evaluation.past import IntArray, Past
from models.evaluation.viewpoints import BAR_VIEWS, VIEWS, View
from models.tokens.vocabulary import FIELDS, SIZES

FloatArray = NDArray[np.float64]

NO_EVENTS = np.zeros((0, len(FIELDS)), dtype=np.int64)
TUNING_SHARE = 10  # one piece in so many is kept from the counts for fitting the gates
TUNING_EVENTS = 60_000
RECENT = 16  # events over which an expert's latest success is averaged
GATE_STEPS = 800
GATE_BATCH = 256  # small enough that the product below stays on one core
GATE_RATE = 0.03


def blend(counts: Counts, size: int) -> tuple[FloatArray, FloatArray]:
    """Probability of the values counted, and how sure the longest known context is, both (T,).

    Method C, interpolated: of each order's probability, total / (total + distinct) goes by its counts, and the rest
    escapes to the order below; under order 0 all `size` values are equally likely.
    """
    probability = np.full(counts.total.shape[1], 1.0 / size)
    sureness = np.zeros_like(probability)
    for hits, total, distinct in zip(*counts, strict=True):
        trust = total / np.maximum(1, total + distinct)
        probability = trust * (hits / np.maximum(1, total)) + (1.0 - trust) * probability
        sureness = np.where(total > 0, trust, sureness)
    return probability, sureness


@dataclass(slots=True)
class Gate:
    """Weights of the experts, from how sure each is now and how well it did lately."""

    weights: FloatArray
    """(2 E + 1, E)."""

    @classmethod
    def level(cls, experts: int) -> Gate:
        """All experts alike."""
        return cls(np.zeros((2 * experts + 1, experts)))

    @property
    def experts(self) -> int:
        """How many it weighs."""
        return self.weights.shape[1]

    @staticmethod
    def clues(probability: FloatArray, sureness: FloatArray) -> FloatArray:
        """What the gate goes by, (T, 2 E + 1), from (E, T) guesses; a clue never knows its own event's outcome."""
        bounded = sureness.clip(0.001, 0.999)
        logs = np.concatenate([np.zeros((len(probability), 1)), np.cumsum(np.log2(probability), axis=1)], axis=1)
        events = np.arange(probability.shape[1])
        first = np.maximum(0, events - RECENT)
        recent = (logs[:, events] - logs[:, first]) / np.maximum(1, events - first)
        return np.concatenate([np.log(bounded / (1 - bounded)) / 4, recent / 2, np.ones((1, len(events)))]).T

    def mix(self, probability: FloatArray, clues: FloatArray) -> FloatArray:
        """(T,) the weighted mean of the experts' probabilities."""
        return (self._shares(clues) * probability.T).sum(axis=1)

    def _shares(self, clues: FloatArray) -> FloatArray:
        scores = clues @ self.weights
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def fit(self, probability: FloatArray, clues: FloatArray) -> None:
        """Follow the gradient of the mean log probability (Adam, Kingma and Ba, 2015)."""
        draw = np.random.default_rng(0)
        mean, square = np.zeros_like(self.weights), np.zeros_like(self.weights)
        for step in range(1, GATE_STEPS + 1):
            batch = draw.integers(0, len(clues), GATE_BATCH)
            shares = self._shares(clues[batch])
            joint = shares * probability.T[batch]
            slope = clues[batch].T @ (joint / joint.sum(axis=1, keepdims=True) - shares) / GATE_BATCH
            mean = 0.9 * mean + 0.1 * slope
            square = 0.999 * square + 0.001 * slope**2
            rate = GATE_RATE * (1.0 - (step - 1) / GATE_STEPS)
            self.weights += rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)


@dataclass(frozen=True, slots=True)
class Listening:
    """What a listener goes by."""

    order: int = 8
    """At most so many features of a context."""
    by_bars: bool = True
    """Whether it compares with whole bars ago; otherwise only with the events before, as Markov models do."""

    def views(self, index: int, past: Past) -> Iterator[View]:
        """The viewpoints of one field that it takes."""
        return (view for view in VIEWS[index](past) if self.by_bars or view.name not in BAR_VIEWS)


@dataclass(slots=True)
class _FieldModel:
    """Everything known about one field; a list has one entry a viewpoint."""

    tables: list[list[CountTable]]
    """Long-term counts of every order."""
    gates: tuple[Gate, Gate]
    """Over the long-term experts alone, and over all."""

    @classmethod
    def count(cls, index: int, pieces: Sequence[IntArray], listening: Listening) -> _FieldModel:
        """Count every context of a field in some pieces; the experts are all alike still."""
        chunks = [_keys_and_values(Past(piece), index, listening) for piece in pieces or [NO_EVENTS]]
        tables = []
        for views in zip(*chunks, strict=True):
            values = np.concatenate([values for _, values in views])
            contexts = zip(*(keys for keys, _ in views), strict=True)
            tables.append([CountTable(np.concatenate(columns), values) for columns in contexts])
        return cls(tables, (Gate.level(len(tables)), Gate.level(2 * len(tables))))


class MarkovModel:
    """Bits per field of pieces, each an int array (T, 6) of the flagship's events.

    Untrained it knows a piece by itself alone, and listens to all experts alike.
    """

    def __init__(self, order: int = 8, by_bars: bool = True) -> None:
        """See `Listening`."""
        self._listening = Listening(order, by_bars)
        self._models = [_FieldModel.count(index, [], self._listening) for index in range(len(FIELDS))]

    @property
    def bytes(self) -> int:
        """Memory the counts hold."""
        return sum(table.bytes for model in self._models for tables in model.tables for table in tables)

    def train(self, pieces: Iterable[IntArray], tuning_pieces: Iterable[IntArray] | None = None) -> None:
        """Count contexts in `pieces`; fit the gates on `tuning_pieces`, by default the last tenth of `pieces`.

        Versions of one work should not stand on both sides: order the pieces by work. Without tuning pieces (fewer
        than ten pieces in all) nothing is fitted.
        """
        counted = [piece for piece in pieces if len(piece)]
        if tuning_pieces is None:
            kept = len(counted) - len(counted) // TUNING_SHARE
            counted, tuning = counted[:kept], counted[kept:]
        else:
            tuning = [piece for piece in tuning_pieces if len(piece)]
        for index in range(len(FIELDS)):
            self._models[index] = _FieldModel.count(index, counted, self._listening)
            _tune(self._models[index], index, tuning, self._listening)

    def bits(self, piece: IntArray, adapt: bool = True) -> FloatArray:
        """(T, 6): minus the binary logarithm of the probability of each field, given all before it.

        Args:
            adapt: learn from the piece while it goes on; otherwise the corpus alone decides.
        """
        if not len(piece):
            return np.zeros((0, len(FIELDS)))
        past = Past(piece)
        return np.stack([self.field_bits(past, index, adapt) for index in range(len(FIELDS))], axis=1)

    def field_bits(self, past: Past, index: int, adapt: bool = True) -> FloatArray:
        """(T,): one column of `bits`."""
        model = self._models[index]
        probability, sureness = _guesses(model, index, past, self._listening, adapt)
        return -np.log2(model.gates[adapt].mix(probability, Gate.clues(probability, sureness)))


def _keys_and_values(past: Past, index: int, listening: Listening) -> list[tuple[KeyArray, IntArray]]:
    """Per viewpoint: context keys (K, T), and the values counted after them (T,)."""
    return [
        (
            context_keys(view.features[: listening.order], len(past.zero)),
            (past.fields[index] - view.reference) % SIZES[index],
        )
        for view in listening.views(index, past)
    ]


def _guesses(
    model: _FieldModel, index: int, past: Past, listening: Listening, adapt: bool
) -> tuple[FloatArray, FloatArray]:
    """(E, T) probabilities and surenesses of every event's field; long-term experts first."""
    views = _keys_and_values(past, index, listening)
    memories = [_look_up(tables, *view) for tables, view in zip(model.tables, views, strict=True)]
    if adapt:
        memories += [running_counts(*view) for view in views]
    blends = [blend(counts, SIZES[index]) for counts in memories]
    return np.stack([probability for probability, _ in blends]), np.stack([sureness for _, sureness in blends])


def _look_up(tables: Sequence[CountTable], keys: KeyArray, values: IntArray) -> Counts:
    """Long-term counts of every order, each (K, T)."""
    rows = [table.look_up(contexts, values) for table, contexts in zip(tables, keys, strict=True)]
    return Counts(*(np.stack(columns) for columns in zip(*rows, strict=True)))


def _tune(model: _FieldModel, index: int, pieces: Sequence[IntArray], listening: Listening) -> None:
    """Fit the gates on pieces the tables have not seen."""
    guesses, events = [], 0
    for piece in pieces:
        if events < TUNING_EVENTS:
            guesses.append(_guesses(model, index, Past(piece), listening, adapt=True))
            events += len(piece)
    for gate in model.gates if guesses else ():
        heard = [(probability[: gate.experts], sureness[: gate.experts]) for probability, sureness in guesses]
        clues = np.concatenate([Gate.clues(*guess) for guess in heard])
        gate.fit(np.concatenate([probability for probability, _ in heard], axis=1), clues)
