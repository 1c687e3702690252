"""Windows to one batch of tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from models.data.windows import Window
from models.zoo.flagship.likelihood import Batch

PER_EVENT = ("tokens", "bar", "bar_grid", "place", "counts", "echo", "hits")


def collate(windows: Sequence[Window], length: int) -> Batch:
    """Pad at the end to `length` events, always the same so that compiled code fits; padding does not count."""
    columns = {}
    for name in Batch.__slots__:
        arrays = [getattr(window, name) for window in windows]
        if name in PER_EVENT:
            arrays = [np.pad(a, [(0, length - len(a))] + [(0, 0)] * (a.ndim - 1)) for a in arrays]
        columns[name] = torch.from_numpy(np.stack(arrays))
    return Batch(**columns)
