"""Corpora on disk to packed pieces: find, read in parallel, split by group, keep. It augments nothing.

A corpus is a folder with one `.tar.xz` archive (with an `index.tsv` naming each file's group), or any folder of MIDI
files, each file its own group. What is read once is kept beside the run as plain arrays.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
import tarfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from models.data.piece import Piece, piece_of
from models.music.midi_file import MidiFileError, read_score
from models.music.score import Meter

log = logging.getLogger(__name__)

MIDI_SUFFIXES = (".mid", ".midi")
VALIDATION_SHARE = 33  # one group in so many
ARRAYS = ("notes", "classes", "kinds", "starts")


@dataclass(frozen=True, slots=True)
class Source:
    """One corpus of a run."""

    name: str
    """Folder name under one of the data folders."""
    weight: float = 1.0
    """How often each of its notes is shown, relative to the others."""
    folders: tuple[str, ...] = ()
    """Only these folders inside it; empty = all."""


def is_validation(group: str) -> bool:
    """The split: by group, fixed for good."""
    return (
        int(hashlib.sha1(f"continuo-validation|{group}".encode(), usedforsecurity=False).hexdigest(), 16)
        % (VALIDATION_SHARE)
        == 0
    )


def find_corpus(name: str, data_dirs: list[Path]) -> Path:
    """The folder of a corpus.

    Raises:
        FileNotFoundError: naming where was looked.
    """
    for folder in data_dirs:
        if (folder / name).is_dir():
            return folder / name
    looked = ", ".join(str(folder) for folder in data_dirs)
    raise FileNotFoundError(f"corpus {name!r} is not under {looked}: give its parent folder with --data")


def _archived_files(archive: Path) -> Iterator[tuple[str, str, bytes]]:
    groups: dict[str, str] = {}
    contents: dict[str, bytes] = {}
    with tarfile.open(archive, "r:xz") as tar:
        for member in tar:
            handle = tar.extractfile(member) if member.isfile() else None
            if handle is None:
                continue
            if member.name == "index.tsv":
                rows = csv.DictReader(io.StringIO(handle.read().decode()), delimiter="\t")
                groups = {row["path"]: row["group"] for row in rows}
            elif member.name.lower().endswith(MIDI_SUFFIXES):
                contents[member.name] = handle.read()
    for path, data in sorted(contents.items()):
        yield path, groups.get(path, path), data


def corpus_files(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """(path inside the corpus, group, bytes) of every MIDI file."""
    for archive in sorted(folder.glob("*.tar.xz")):
        yield from _archived_files(archive)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in MIDI_SUFFIXES:
            name = path.relative_to(folder).as_posix()
            yield name, f"{folder.name}/{name}", path.read_bytes()


def _read_piece(job: tuple[str, str, bytes]) -> Piece | str:
    path, group, data = job
    try:
        return piece_of(read_score(data), group)
    except (MidiFileError, ValueError) as error:
        return f"{path}: {error}"


def read_corpus(source: Source, folder: Path, workers: int) -> list[Piece]:
    """Every readable piece of a corpus; what is broken is left out and logged."""
    jobs = [job for job in corpus_files(folder) if not source.folders or job[0].split("/")[0] in source.folders]
    pieces: list[Piece] = []
    with ProcessPoolExecutor(max_workers=workers) as pool:
        for result in pool.map(_read_piece, jobs, chunksize=8):
            if isinstance(result, str):
                log.warning("left out %s/%s", source.name, result)
            else:
                pieces.append(result)
    return pieces


def save_pieces(pieces: list[Piece], path: Path) -> None:
    """Keep pieces as one `.npz` of joined arrays and their lengths."""
    arrays: dict[str, np.ndarray] = {}
    for name in ARRAYS:
        columns = [getattr(piece, name) for piece in pieces]
        arrays[name] = np.concatenate(columns)
        arrays[f"{name}_lengths"] = np.array([len(column) for column in columns])
    rows = [[p.group, p.meter.numerator, p.meter.denominator, p.bpm] for p in pieces]
    arrays["rows"] = np.frombuffer(json.dumps(rows).encode(), dtype=np.uint8)
    np.savez(path, **arrays)


def load_pieces(path: Path) -> list[Piece]:
    """What `save_pieces` kept."""
    with np.load(path, allow_pickle=False) as kept:
        rows = json.loads(kept["rows"].tobytes())
        columns = {name: np.split(kept[name], np.cumsum(kept[f"{name}_lengths"])[:-1]) for name in ARRAYS}
    return [
        Piece(group, *(columns[name][at] for name in ARRAYS), Meter(0, numerator, denominator), bpm)
        for at, (group, numerator, denominator, bpm) in enumerate(rows)
    ]


def cached_corpus(source: Source, data_dirs: list[Path], cache: Path, workers: int = 2) -> list[Piece]:
    """`read_corpus`, or what an earlier run kept of it."""
    key = hashlib.sha256(repr([getattr(source, f.name) for f in fields(source) if f.name != "weight"]).encode())
    path = cache / f"{source.name}-{key.hexdigest()[:8]}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        save_pieces(read_corpus(source, find_corpus(source.name, data_dirs), workers), path)
    return load_pieces(path)
