"""Kaldi's training of an x-vector network, run_xvector.sh of egs/sre16 with sid/nnet3/xvector, with our programs alone.

From features of made-up speakers to the network, and to vectors of speakers that it has not heard.
"""

from pathlib import Path

import pytest

from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from tests.helpers.kaldi_recipes import (
    CUDA_IS_COMPILED,
    SMALL_XVECTORS,
    add_programs,
    change_scripts,
    copy_recipe,
    kaldi_checkout,
    run_recipe,
)
from tests.nnet3_compat.commands.nnet3bin.make_speaker_scripts import voice

SPEAKERS = {"train": range(24), "test": range(100, 108)}
UTTERANCES = {"train": 10, "test": 5}
# What so little data needs, on a CPU: fewer repetitions and jobs, smaller minibatches and layers.
SMALLER = {
    "local/nnet3/xvector/tuning/run_xvector_1a.sh": {
        "--nj 8": "--nj 2",
        "--num-repeats 35": "--num-repeats 12",
        **SMALL_XVECTORS,
    }
}
SCRIPT = """
set -eo pipefail
. ./path.sh
for data in train test; do
  utils/utt2spk_to_spk2utt.pl data/$data/utt2spk > data/$data/spk2utt
  sid/compute_vad_decision.sh --nj 2 --cmd run.pl --vad-config vad.conf data/$data exp/vad exp/vad
done
local/nnet3/xvector/prepare_feats_for_egs.sh --nj 2 --cmd run.pl data/train data/train_no_sil exp/train_no_sil
local/nnet3/xvector/run_xvector.sh --stage 4 --train-stage -1 --data data/train_no_sil \\
  --nnet-dir exp/xvector --egs-dir exp/xvector/egs
for data in train test; do
  sid/nnet3/xvector/extract_xvectors.sh --nj 2 --cmd run.pl exp/xvector data/$data exp/$data
done
ivector-mean scp:exp/train/xvector.scp exp/mean.vec
prepared="ivector-subtract-global-mean exp/mean.vec scp:exp/DATA/xvector.scp ark:- |"
prepared="$prepared ivector-normalize-length ark:- ark:- |"
ivector-compute-plda ark:data/train/spk2utt "ark:${prepared/DATA/train}" exp/plda
ivector-plda-scoring exp/plda "ark:${prepared/DATA/test}" "ark:${prepared/DATA/test}" trials exp/scores
awk '{print $3, (substr($1, 1, 4) == substr($2, 1, 4) ? "target" : "nontarget")}' exp/scores | compute-eer - > exp/eer
"""


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_run_xvector_sh(tmp_path: Path) -> None:
    others = ("egs/sre16/v1/local", "egs/sre08/v1/sid", "egs/sre08/v1/steps")
    recipe = copy_recipe("sre16/v2", kaldi_checkout(), tmp_path, others=others)
    add_programs(recipe, tmp_path / "without_gpu", CUDA_IS_COMPILED)
    change_scripts(recipe, SMALLER)
    (recipe / "cmd.sh").write_text("export train_cmd=run.pl\n")
    make_data(recipe)
    (recipe / "run_all.sh").write_text(SCRIPT)
    output = run_recipe(recipe, "run_all.sh")
    assert float((recipe / "exp/eer").read_text()) < 25.0, output[-2000:]
    assert {"final.raw", "nnet.config", "extract.config"} <= {path.name for path in (recipe / "exp/xvector").iterdir()}


def make_data(recipe: Path) -> None:
    """Two data directories of features, and trials of all pairs of utterances of the second."""
    for data, speakers in SPEAKERS.items():
        folder = recipe / "data" / data
        folder.mkdir(parents=True)
        table = {
            f"s{speaker:03}-{number}": voice(speaker, 500 + 23 * number + speaker)
            for speaker in speakers
            for number in range(UTTERANCES[data])
        }
        with TableWriter(f"ark,scp:{folder}/feats.ark,{folder}/feats.scp", FLOAT_MATRIX) as writer:
            for key, feats in table.items():
                writer.write(key, feats)
        for name, lines in {
            "utt2spk": [f"{key} {key[:4]}" for key in table],
            "wav.scp": [f"{key} {key}.wav" for key in table],
            "utt2num_frames": [f"{key} {len(feats)}" for key, feats in table.items()],
            "utt2dur": [f"{key} {len(feats) / 100}" for key, feats in table.items()],
            "frame_shift": ["0.01"],
        }.items():
            (folder / name).write_text("".join(line + "\n" for line in lines))
    (recipe / "trials").write_text("".join(f"{one} {other}\n" for one in table for other in table if one < other))
    (recipe / "vad.conf").write_text("--vad-energy-threshold=2\n--vad-energy-mean-scale=0.5\n")
