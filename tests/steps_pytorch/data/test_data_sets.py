"""Several data sets of a run, each with its own perturbations."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave
from steps_pytorch.data.data_sets import Data, DataSpec, TargetKind, open_data
from steps_pytorch.data.dataset import ChunkShape
from steps_pytorch.data.options import DataOptions
from steps_pytorch.group import Group
from tests.helpers.made_up_data import MadeUpData

RATE = 8000


@pytest.fixture
def speech(tmp_path: Path) -> MadeUpData:
    """Recordings of noise, and supervisions of lattices."""
    made = MadeUpData(tmp_path)
    random = np.random.default_rng(0)
    lines = []
    for name, frames in made.lengths.items():
        path = tmp_path / f"{name}.wav"
        with open_output(str(path)) as stream:
            write_wave(stream, Wave(RATE, np.round(1000 * random.normal(size=(1, 80 * (frames - 1) + 200)))))
        lines.append(f"{name} {path}\n")
    (made.data / "wav.scp").write_text("".join(lines))
    (tmp_path / "fbank.conf").write_text(f"--sample-frequency={RATE}\n--num-mel-bins=8\n--dither=0\n")
    return made


def opened(speech: MadeUpData, more: str, **options: str) -> Data:
    (speech.path / "more").write_text(more)
    config = f"{speech.path}/fbank.conf"
    fixed = {"more_data": f"{speech.path}/more", "chunk_width": "30", "minibatch_size": "4"}
    made = DataOptions(**{"fbank_config": config, **fixed, **options})
    first = DataSpec(str(speech.data), str(speech.path))
    return open_data(made, first, TargetKind(f"{speech.path}/normalization.fst"), 0)


def test_speeds_of_the_unlabeled_set_only(speech: MadeUpData) -> None:
    data = opened(
        speech, f"name=unlabeled data={speech.data} speeds=0.9,1.1 repeat=2 time-masks=1 gaussian_snr=10:30\n"
    )
    assert [s.speeds for s in data.train] == [(), (0.9, 1.1)]
    loader = data.loader(ChunkShape(frame_subsampling_factor=3), Group(), 0)
    lengths = data.train[1].lengths
    chosen = {data.train[plan.dataset].name: set() for plan in loader._batches()}
    for plan in loader._batches():
        chosen[data.train[plan.dataset].name] |= set(plan.speeds.tolist())
    assert chosen == {"train": {1.0}, "unlabeled": {0.9, 1.1}}
    batches = list(loader)
    assert {b.dataset for b in batches if b.is_labeled} == {"train"}
    # Slower speech is longer: there are frames beyond the end of an utterance at its own speed.
    assert any(
        first + 3 * b.num_outputs > lengths[name] + 3 for b in batches if not b.is_labeled for name, first in b.chunks
    )


def test_a_set_takes_back_what_the_run_says(speech: MadeUpData) -> None:
    data = opened(speech, f"name=clean data={speech.data} time_masks=0\n", time_masks=2)
    assert [not s._perturbations for s in data.train] == [False, True]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("speeds=9", "--speeds=9: expected numbers between 0.5 and 2"),
        ("time_masks=two", "data set line .*two"),
        ("speed=0.9", "data set line .*speed"),
        ("gaussian_snr=x", "--gaussian-snr=x: expected a number or a range"),
    ],
)
def test_what_is_wrong_is_named(speech: MadeUpData, words: str, message: str) -> None:
    with pytest.raises(KaldiError, match=message):
        opened(speech, f"name=unlabeled data={speech.data} {words}\n")


def test_cepstra_have_no_frequencies(speech: MadeUpData) -> None:
    with pytest.raises(KaldiError, match="--frequency-masks are for filterbanks"):
        opened(speech, "", mfcc_config="mfcc.conf", fbank_config="", frequency_masks=1)


def test_lattices_have_one_speed(speech: MadeUpData) -> None:
    """Supervision that is cut from lattices cannot be stretched: said with what to do instead."""
    with pytest.raises(KaldiError, match=r"data set more: the supervision of a lattice .*perturb_data_dir_speed_3way"):
        opened(speech, f"name=more data={speech.data} targets={speech.path} speeds=0.9,1.1\n")
