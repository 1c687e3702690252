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
import multiprocessing
import tarfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.data.piece import Piece, piece_of
from models.music.midi_file import MidiFileError, read_score
from models.music.score import Meter

log = logging.getLogger(__name__)

MIDI_SUFFIXES = (".mid", ".midi")
VALIDATION_SHARE = 33  # one group in so many
FEW_FILES = 64  # read faster here than other processes start


@dataclass(frozen=True, slots=True)
class Source:
    """One corpus of a run."""

    name: str
    """Folder name under one of the data folders."""
    weight: float = 1.0
    """How often each of its notes is shown, relative to the others."""
    folders: tuple[str, ...] = ()
    """Only these folders inside it; empty = all."""
    origin: str = ""
    """Where it comes from and under which licence, for the card of what is trained on it."""


def is_validation(group: str) -> bool:
    """The split: by group, fixed for good."""
    digest = hashlib.sha1(f"continuo-validation|{group}".encode(), usedforsecurity=False).hexdigest()
    return int(digest, 16) % VALIDATION_SHARE == 0


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


def _read_pieces(jobs: list[tuple[str, str, bytes]], workers: int) -> Iterator[Piece | str]:
    if workers == 1 or len(jobs) <= FEW_FILES:
        yield from map(_read_piece, jobs)
        return
    # Spawned, because a fork would copy torch's threads in whatever state they are.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_read_piece, jobs, chunksize=8)


def read_corpus(source: Source, folder: Path, workers: int) -> list[Piece]:
    """Every readable piece of a corpus; what is broken is left out and logged.

    Raises:
        FileNotFoundError: there is no MIDI file, or none that can be read.
    """
    jobs = [job for job in corpus_files(folder) if not source.folders or job[0].split("/")[0] in source.folders]
    pieces: list[Piece] = []
    for result in _read_pieces(jobs, workers):
        if isinstance(result, str):
            log.warning("left out %s/%s", source.name, result)
        else:
            pieces.append(result)
    if not pieces:
        raise FileNotFoundError(f"corpus {source.name!r} in {folder} has no readable MIDI file: check its folders")
    return pieces


def save_pieces(pieces: list[Piece], path: Path) -> None:
    """Keep pieces as one `.npz` of joined arrays and their lengths; the file is whole at every moment."""
    columns: dict[str, list[np.ndarray]] = {
        "notes": [piece.notes for piece in pieces],
        "classes": [piece.classes for piece in pieces],
        "kinds": [piece.kinds for piece in pieces],
        "starts": [piece.starts for piece in pieces],
        "recalled": [piece.recalled for piece in pieces],
    }
    joined = {name: np.concatenate(arrays) for name, arrays in columns.items()}
    lengths = {f"{name}_lengths": np.array([len(array) for array in arrays]) for name, arrays in columns.items()}
    rows = [[p.group, p.meter.numerator, p.meter.denominator, p.bpm] for p in pieces]
    text = np.frombuffer(json.dumps(rows).encode(), dtype=np.uint8)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, allow_pickle=False, rows=text, **joined, **lengths)
    partial.replace(path)


def load_pieces(path: Path) -> list[Piece]:
    """What `save_pieces` kept."""
    with np.load(path, allow_pickle=False) as kept:
        rows = json.loads(kept["rows"].tobytes())

        def column(name: str) -> list[np.ndarray]:
            return np.split(kept[name], np.cumsum(kept[f"{name}_lengths"])[:-1])

        columns = [column(name) for name in ("notes", "classes", "kinds", "starts", "recalled")]
    return [
        Piece(group, notes, classes, kinds, starts, recalled, Meter(0, numerator, denominator), bpm)
        for (group, numerator, denominator, bpm), notes, classes, kinds, starts, recalled in zip(
            rows, *columns, strict=True
        )
    ]


def cached_corpus(source: Source, folder: Path, cache: Path, workers: int = 2) -> list[Piece]:
    """`read_corpus`, or what an earlier run kept of it in `cache`."""
    key = hashlib.sha256(repr([source.name, source.folders]).encode()).hexdigest()[:8]
    path = cache / f"{source.name}-{key}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        save_pieces(read_corpus(source, folder, workers), path)
    return load_pieces(path)
