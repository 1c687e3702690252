"""Names of devices to what torch computes on. It moves nothing."""

from __future__ import annotations

import torch


class DeviceError(ValueError):
    """A device this machine does not have."""


def choose_device(wanted: str) -> torch.device:
    """The device asked for, such as cpu, cuda, cuda:1 or mps; `auto` takes a GPU of CUDA's where there is one.

    Raises:
        DeviceError: this machine has no such device.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = ["cpu"]
    if gpus:
        there += ["cuda", *(f"cuda:{gpu}" for gpu in range(gpus))]
    if torch.backends.mps.is_available():
        there.append("mps")
    if wanted == "auto":
        return torch.device("cuda" if gpus else "cpu")
    if wanted not in there:
        raise DeviceError(f"device {wanted!r} is not on this machine: use auto, or one of {', '.join(there)}")
    return torch.device(wanted)
