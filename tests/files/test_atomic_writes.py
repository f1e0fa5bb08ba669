"""A save that fails leaves what was there, and nothing else."""

import errno
import os
import threading

import numpy as np
import pytest

import diaphane as dia
from diaphane.files import FileError

from .conftest import make

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def failing(error):
    def fail(*args, **kwargs):
        raise error

    return fail


@pytest.fixture
def saved(tmp_path):
    network, state, x = make("dense")
    path = dia.save(tmp_path / "model.safetensors", network, state)
    return network, state, x, path


@pytest.mark.parametrize("moment", ["fsync", "replace", "fdopen", "open"])
@pytest.mark.parametrize("exists", [True, False], ids=["over an old file", "anew"])
def test_where_the_disk_is_full_the_old_file_stays_and_nothing_is_left(saved, monkeypatch, moment, exists):
    network, state, x, path = saved
    before = path.read_bytes()
    if not exists:
        path.unlink()
    other = state.replace({v: a + 1 for v, a in state.items()})
    monkeypatch.setattr(os, moment, failing(FULL))
    with pytest.raises(FileError, match=r"cannot write .*model\.safetensors: No space left on device"):
        dia.save(path, network, other)
    monkeypatch.undo()
    assert list(path.parent.iterdir()) == ([path] if exists else [])
    if exists:
        assert path.read_bytes() == before
        again, values = dia.load(path)
        np.testing.assert_array_equal(again.predict(values, x), network.predict(state, x))


@pytest.mark.parametrize("moment", ["fsync", "replace"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, SystemExit])
def test_an_interruption_in_the_middle_passes_on_and_leaves_the_old_file(saved, monkeypatch, moment, error):
    network, state, _, path = saved
    before = path.read_bytes()
    monkeypatch.setattr(os, moment, failing(error()))
    with pytest.raises(error):
        dia.save(path, network, state)
    monkeypatch.undo()
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


def test_the_bytes_are_on_the_disk_before_the_name_changes(saved, monkeypatch):
    network, state, _, path = saved
    calls = []
    for name in ("fsync", "replace"):
        original = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *args, name=name, original=original: (calls.append(name), original(*args))[1]
        )
    dia.save(path, network, state)
    assert calls[:2] == ["fsync", "replace"]


def test_a_folder_that_is_not_there_or_is_a_file_is_named(saved, tmp_path):
    network, state, _, path = saved
    for target in (tmp_path / "missing" / "m", path / "m"):
        with pytest.raises(FileError, match=r"cannot write .*choose another folder"):
            dia.save(target, network, state)
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_may_not_be_written_to_is_named(saved, monkeypatch):
    network, state, _, path = saved
    monkeypatch.setattr(os, "open", failing(PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(FileError, match=r"model\.safetensors: Permission denied; choose another folder"):
        dia.save(path, network, state)


def test_a_folder_in_the_files_place_is_left_alone(saved, tmp_path):
    network, state, _, path = saved
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match="folder"):
        dia.save(tmp_path / "folder", network, state)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "folder", path]


def test_what_cannot_be_written_down_is_refused_before_the_file_is_touched(saved):
    network, state, _, path = saved
    before = path.read_bytes()
    for extra in ({"a": np.nan}, {"a": object()}, {"a": {1, 2}}):
        with pytest.raises((TypeError, ValueError)):
            dia.save(path, network, state, extra)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_readers_beside_a_writer_see_one_whole_model_or_the_other(saved):
    network, state, x, path = saved
    other = state.replace({v: a + 1 for v, a in state.items()})
    allowed = [network.predict(s, x).tobytes() for s in (state, other)]
    failures = []

    def write():
        try:
            for i in range(30):
                dia.save(path, network, (state, other)[i % 2])
        except Exception as error:
            failures.append(error)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for thread in writers:
        thread.start()
    while any(thread.is_alive() for thread in writers):
        again, values = dia.load(path)
        assert again.predict(values, x).tobytes() in allowed
    assert not failures
    assert list(path.parent.iterdir()) == [path]
