"""Memory-mapped stores: what was written is read, by numpy too; faults are found and named; interrupted jobs go on."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features import frame_store
from kaldi_bridge.features.frame_store import FrameStore
from kaldi_bridge.features.frame_store_building import StoreJob, finish_store
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX


def entries(features):
    return [(utterance, lambda rows=rows: rows) for utterance, rows in features.items()]


@pytest.fixture
def features() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {f"utt{i}": random.normal(size=(5 + i, 3)).astype(np.float32) for i in range(10)}


def make_store(directory: Path, features, dtype="float32", part_bytes=200) -> FrameStore:
    names = list(features)
    for job, mine in ((1, names[:4]), (2, names[4:])):
        StoreJob(directory, job, "source", dtype, part_bytes).build(entries({u: features[u] for u in mine}))
    finish_store(directory, 2)
    return FrameStore(directory)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 0), ("float16", 2e-3)])
def test_what_was_written_is_read(tmp_path, features, dtype, tolerance):
    store = make_store(tmp_path, features, dtype)
    assert store.lengths == {utterance: len(rows) for utterance, rows in features.items()}
    assert store.dim == 3
    for utterance, rows in features.items():
        np.testing.assert_allclose(store.rows(utterance, 0, len(rows)), rows, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(store.rows(utterance, 2, 3), rows[2:5], rtol=tolerance, atol=tolerance)


def test_plain_numpy_reads_it(tmp_path, features):
    make_store(tmp_path, features)
    files = sorted(tmp_path.glob("frames.*.npy"))
    assert len(files) > 2  # parts of bounded size
    rows = np.concatenate([np.load(file, mmap_mode="r") for file in files])
    np.testing.assert_array_equal(rows, np.concatenate(list(features.values())))


def test_bad_utterances_are_left_out_and_counted(tmp_path, features):
    features["utt2"] = np.zeros((4, 2), np.float32)
    features["utt3"] = np.zeros((0, 3), np.float32)
    features["utt5"] = np.full((4, 3), np.nan, np.float32)
    features["utt6"] = np.full((4, 3), 1e6, np.float32)  # beyond float16

    def unreadable():
        raise KaldiError("cannot be read")

    items = entries(features)
    items[7] = ("utt7", unreadable)
    job = StoreJob(tmp_path, 1, "source", "float16")
    assert job.build(items).bad == 5
    assert finish_store(tmp_path, 1) == (5, 5)
    assert list(FrameStore(tmp_path).lengths) == ["utt0", "utt1", "utt4", "utt8", "utt9"]


def test_an_interrupted_job_goes_on(tmp_path, features):
    loaded = []

    def recorded(items, stop_at):
        for utterance, load in items:
            if utterance == stop_at:
                raise KeyboardInterrupt
            yield utterance, lambda u=utterance, load=load: (loaded.append(u), load())[1]

    with pytest.raises(KeyboardInterrupt):
        StoreJob(tmp_path, 1, "source", "float32", 200).build(recorded(entries(features), "utt8"))
    with pytest.raises(KaldiError, match="not finished"):
        FrameStore(tmp_path)
    with pytest.raises(KaldiError, match="job 1"):
        finish_store(tmp_path, 1)
    before = len(loaded)
    StoreJob(tmp_path, 1, "source", "float32", 200).build(recorded(entries(features), None))
    assert before < len(loaded) < before + len(features)  # what was written is not loaded again
    finish_store(tmp_path, 1)
    store = FrameStore(tmp_path)
    for utterance, rows in features.items():
        np.testing.assert_array_equal(store.rows(utterance, 0, len(rows)), rows)


def test_other_data_begin_again(tmp_path, features):
    make_store(tmp_path, features)
    features["utt1"] = features["utt1"] + 1
    StoreJob(tmp_path, 1, "another source", "float32").build(entries(features))
    finish_store(tmp_path, 1)
    np.testing.assert_array_equal(FrameStore(tmp_path).rows("utt1", 0, 6), features["utt1"])
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "frames.1.1.npy", "job.1.json", "store.json", "utterances.1.1",
    ]  # fmt: skip


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4])


def swap_lines(path: Path) -> None:
    path.write_text("\n".join(reversed(path.read_text().split("\n"))))


def change_dim(path: Path) -> None:
    index = json.loads(path.read_text())
    index["store"]["columns"] = 4
    path.write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("frames.1.1.npy", truncate),
        ("frames.2.1.npy", Path.unlink),
        ("utterances.1.1", swap_lines),
        ("utterances.2.1", Path.unlink),
        ("store.json", change_dim),
        ("store.json", truncate),
    ],
)
def test_a_corrupt_store_is_named(tmp_path, features, file, damage):
    make_store(tmp_path, features)
    damage(tmp_path / file)
    with pytest.raises(KaldiError, match=f"corrupt store.*{file}"):
        FrameStore(tmp_path)


def test_missing_things_are_named(tmp_path, features):
    with pytest.raises(KaldiError, match="no such store"):
        FrameStore(tmp_path / "none")
    store = make_store(tmp_path, features)
    with pytest.raises(KaldiError, match="nobody"):
        store.rows("nobody", 0, 1)
    with pytest.raises(KaldiError, match="utt1 has 6 frames"):
        store.rows("utt1", 0, 7)


def test_jobs_of_different_dimensions_make_no_store(tmp_path):
    StoreJob(tmp_path, 1, "a", "float32").build(entries({"a": np.zeros((2, 3))}))
    StoreJob(tmp_path, 2, "b", "float32").build(entries({"b": np.zeros((2, 4))}))
    with pytest.raises(KaldiError, match="3 in job 1, 4 in job 2"):
        finish_store(tmp_path, 2)


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    """No more than 64 KB may be written to a file: what a full disk does, without one."""
    with TableWriter(f"ark,scp:{tmp_path}/feats.ark,{tmp_path}/feats.scp", FLOAT_MATRIX) as writer:
        for i in range(20):
            writer.write(f"utt{i:02d}", np.zeros((100, 40), np.float32))
    program = f"{Path(sys.executable).parent}/nnet-pytorch-store-frames"
    limited = f"ulimit -f 64; exec {program} --part-megabytes=1 scp:{tmp_path}/feats.scp {tmp_path}/store"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True)
    assert done.returncode != 0
    assert f"cannot write {tmp_path}/store/frames.1.1.npy: File too large" in done.stderr
    assert list((tmp_path / "store").iterdir()) == []
    again = subprocess.run([program, f"scp:{tmp_path}/feats.scp", f"{tmp_path}/store"], capture_output=True, text=True)
    assert again.returncode == 0, again.stderr


RESIDENT = """
import sys
from kaldi_bridge.features import frame_store
frame_store.RESIDENT_BYTES = 4 << 20
store = frame_store.FrameStore(sys.argv[1])
def resident():
    lines = open("/proc/self/status").read().split("\\n")
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile")) << 10
before = resident()
most = 0
for utterance, length in store.lengths.items():
    store.rows(utterance, 0, length)
    most = max(most, resident() - before)
print(most)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_resident_memory_is_bounded(tmp_path):
    """Reading 40 MB through a mapping: less than 12 MB of it stay in memory, as it is mapped anew after each 4 MB."""
    rows = np.zeros((1000, 256), np.float32)
    job = StoreJob(tmp_path, 1, "source", "float32", 20 << 20)
    job.build(entries({f"utt{i}": rows for i in range(40)}))
    finish_store(tmp_path, 1)
    done = subprocess.run([sys.executable, "-c", RESIDENT, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 12 << 20
    assert frame_store.RESIDENT_BYTES == 1 << 28
