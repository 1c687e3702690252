"""Corpora from folders and archives, split for good, read once."""

from __future__ import annotations

import io
import logging
import tarfile
from pathlib import Path

import numpy as np
import pytest

from models.data import corpus
from models.data.corpus import (
    Source,
    cached_corpus,
    find_corpus,
    is_validation,
    load_pieces,
    read_corpus,
    save_pieces,
)
from models.data.piece import Piece, piece_of
from models.music.midi_file import read_score, write_score
from models.music.score import Meter
from tests.models.tiny import random_score


def fill(folder: Path, count: int) -> Path:
    """A folder of MIDI files in two folders."""
    for at in range(count):
        path = folder / ("even" if at % 2 == 0 else "odd") / f"{at:02d}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_score(random_score(at, bars=3), path)
    return folder


def archive(folder: Path, index: str | None) -> Path:
    """A folder with one archive: two versions of a work, another piece, a broken one, and something else."""
    folder.mkdir()
    contents = {"b/broken.mid": b"MThd nonsense", "LICENSE": b"free"}
    for seed, name in enumerate(("b/three.midi", "a/one.mid", "a/two.MID")):
        write_score(random_score(seed, bars=3), folder / "written")
        contents[name] = (folder / "written").read_bytes()
    (folder / "written").unlink()
    if index is not None:
        contents["index.tsv"] = index.encode()
    with tarfile.open(folder / "corpus.tar.xz", "w:xz") as tar:
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return folder


def assert_same(one: list[Piece], other: list[Piece]) -> None:
    """Equal in every array."""
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        assert (mine.group, mine.meter, mine.bpm) == (theirs.group, theirs.meter, theirs.bpm)
        for name in ("notes", "classes", "kinds", "starts"):
            assert np.array_equal(getattr(mine, name), getattr(theirs, name))


def test_a_folder_is_read_file_by_file_each_its_own_group(tmp_path: Path) -> None:
    folder = fill(tmp_path / "music", 3)
    pieces = read_corpus(Source("music"), folder, workers=1)
    assert [piece.group for piece in pieces] == ["music/even/00.mid", "music/even/02.mid", "music/odd/01.mid"]
    assert_same(pieces[:1], [piece_of(read_score(folder / "even" / "00.mid"), "music/even/00.mid")])


def test_only_the_folders_asked_for_are_read(tmp_path: Path) -> None:
    pieces = read_corpus(Source("music", folders=("odd",)), fill(tmp_path / "music", 4), workers=1)
    assert [piece.group for piece in pieces] == ["music/odd/01.mid", "music/odd/03.mid"]


def test_an_archive_is_read_with_its_groups_and_a_broken_file_left_out_with_its_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index = "path\tgroup\na/one.mid\twork\na/two.MID\twork\n"
    with caplog.at_level(logging.WARNING):
        pieces = read_corpus(Source("packed"), archive(tmp_path / "packed", index), workers=1)
    assert [piece.group for piece in pieces] == ["work", "work", "b/three.midi"]
    (record,) = caplog.records
    assert record.getMessage().startswith("left out packed/b/broken.mid: ")
    assert len(record.getMessage()) > len("left out packed/b/broken.mid: ")


def test_an_archive_without_an_index_groups_by_file(tmp_path: Path) -> None:
    pieces = read_corpus(Source("packed"), archive(tmp_path / "packed", None), workers=1)
    assert [piece.group for piece in pieces] == ["a/one.mid", "a/two.MID", "b/three.midi"]


def test_other_processes_read_what_this_one_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "music", 4)
    here = read_corpus(Source("music"), folder, workers=1)
    monkeypatch.setattr(corpus, "FEW_FILES", 0)
    assert_same(read_corpus(Source("music"), folder, workers=2), here)


def test_a_folder_without_music_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no music")
    with pytest.raises(FileNotFoundError, match="corpus 'empty' in .* has no readable MIDI file"):
        read_corpus(Source("empty"), tmp_path, workers=1)


def test_what_is_kept_is_what_was_read(tmp_path: Path) -> None:
    meters = (Meter(0, 3, 4),)
    pieces = [piece_of(random_score(seed, meters=meters), f"group {seed}") for seed in range(3)]
    save_pieces(pieces, tmp_path / "kept.npz")
    assert_same(load_pieces(tmp_path / "kept.npz"), pieces)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.npz"]


def test_a_second_run_reads_what_the_first_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "music", 3)
    first = cached_corpus(Source("music"), folder, tmp_path / "cache")
    monkeypatch.setattr(corpus, "read_corpus", None)
    assert_same(cached_corpus(Source("music", weight=3.0), folder, tmp_path / "cache"), first)


def test_other_folders_of_a_corpus_are_kept_apart(tmp_path: Path) -> None:
    folder = fill(tmp_path / "music", 4)
    everything = cached_corpus(Source("music"), folder, tmp_path / "cache")
    assert len(cached_corpus(Source("music", folders=("odd",)), folder, tmp_path / "cache")) < len(everything)


def test_a_corpus_is_found_in_the_first_data_folder_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two" / "music").mkdir(parents=True)
    assert find_corpus("music", [tmp_path / "one", tmp_path / "two"]) == tmp_path / "two" / "music"
    with pytest.raises(FileNotFoundError, match="corpus 'songs' is not under .*one, .*two: give its parent folder"):
        find_corpus("songs", [tmp_path / "one", tmp_path / "two"])


def test_the_split_is_fixed_for_good() -> None:
    assert [number for number in range(200) if is_validation(f"work {number}")] == [34, 146, 182]


def test_about_one_group_in_thirty_three_is_held_out() -> None:
    assert 240 < sum(is_validation(f"group {number}") for number in range(10_000)) < 370
