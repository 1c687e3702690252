"""No viewpoint may see what is still to come."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.past import Past
from models.evaluation.viewpoints import VIEWS
from models.tokens.vocabulary import FIELDS, SIZES


def random_piece(events: int) -> np.ndarray:
    draw = np.random.default_rng(7)
    few = (2, 4, 3, 8, 3, 3)
    return np.stack([draw.integers(0, size, events) for size in few], axis=1)


def test_every_field_has_viewpoints_with_names_of_their_own() -> None:
    past = Past(random_piece(5))
    for views in VIEWS:
        names = [view.name for view in views(past)]
        assert len(names) == len(set(names)) > 1
    assert len(VIEWS) == len(FIELDS) == len(SIZES)


@pytest.mark.parametrize("field", range(len(FIELDS)), ids=FIELDS)
def test_a_viewpoint_is_blind_to_the_field_it_guesses_and_to_all_after_it(field: int) -> None:
    piece = random_piece(60)
    views = list(VIEWS[field](Past(piece)))
    for event in (0, 1, 20, 59):
        changed = piece.copy()
        changed[event, field:] += 1
        changed[event + 1 :] = random_piece(90)[event + 31 :][: 59 - event]
        for view, other in zip(views, VIEWS[field](Past(changed)), strict=True):
            seen = [feature[: event + 1] for feature in (*view.features, view.reference)]
            seen_then = [feature[: event + 1] for feature in (*other.features, other.reference)]
            assert all((now == then).all() for now, then in zip(seen, seen_then, strict=True)), view.name
