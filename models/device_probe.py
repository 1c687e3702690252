"""Run as a process: prints as JSON what torch can compute on. It loads no model."""

from __future__ import annotations

import json
import sys

import torch


def main() -> None:
    """Print the findings."""
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices.append("cuda")
    if torch.backends.mps.is_available():
        devices.append("mps")
    found = {"torch": torch.__version__, "threads": torch.get_num_threads(), "devices": devices}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
