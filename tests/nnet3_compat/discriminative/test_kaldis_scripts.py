"""Kaldi's steps for discriminative training, unmodified, on our programs, from a chain model to one of sMBR."""

import re
import shutil
from pathlib import Path

import pytest

from kaldi_bridge.command import run
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.model.model_file import read_model
from tests.helpers.kaldi_recipes import copy_recipe, kaldi_checkout, run_recipe
from tests.helpers.twins import twin

EVERY = 13  # of the utterances of speakers that the model does not know, who leave something to learn
SCALES = "--transition-scale=1.0 --acoustic-scale=1.0 --self-loop-scale=1.0"
SCRIPT = f"""
. ./path.sh
set -e
utils/utt2spk_to_spk2utt.pl data/utt2spk >data/spk2utt
steps/nnet3/align.sh --nj 2 --use-gpu false --scale-opts '{SCALES}' data lang model ali
steps/nnet3/make_denlats.sh --nj 2 --acwt 1.0 --self-loop-scale 1.0 data lang model denlats
steps/nnet3/get_egs_discriminative.sh --acwt 1.0 --frame-subsampling-factor 3 --adjust-priors false \
  --left-context 29 --right-context 29 --frames-per-eg 60,42,30,21 --frames-overlap-per-eg 9 --num-utts-subset 3 \
  data lang ali denlats model/final.mdl degs
steps/nnet3/train_discriminative.sh --use-gpu false --criterion smbr --acoustic-scale 1.0 --one-silence-class true \
  --num-jobs-nnet 1 --num-epochs 1 --effective-lrate 0.0001 --minibatch-size 1:8 degs smbr
"""


@pytest.mark.slow
def test_kaldis_scripts(reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The objective rises on what is trained on, and the model is one of Kaldi's."""
    fsdd, recipe = reference / "fsdd", copy_recipe("yesno/s5", kaldi_checkout(), tmp_path)
    data, model = recipe / "data", recipe / "model"
    data.mkdir()
    model.mkdir()
    source = fsdd / "data/test_hires"
    wanted = [line.split()[0] for line in (source / "utt2spk").read_text().splitlines()][::EVERY]
    speakers = {line.split()[1] for line in (source / "utt2spk").read_text().splitlines() if line.split()[0] in wanted}
    for name in ("feats.scp", "text", "utt2spk", "cmvn.scp"):
        lines = (source / name).read_text().splitlines()
        kept = [line for line in lines if line.split()[0] in (speakers if name == "cmvn.scp" else wanted)]
        (data / name).write_text("".join(f"{line}\n".replace(" data/", f" {fsdd}/data/") for line in kept))
    shutil.copytree(fsdd / "lang", recipe / "lang")
    for file in ("chain_tree/tree", "tdnnf_cmvn/final.mdl", "tdnnf_cmvn/cmvn_opts", "lang/phones.txt"):
        shutil.copy(fsdd / file, model)
    (model / "frame_subsampling_factor").write_text("3\n")
    (recipe / "train.sh").write_text(SCRIPT)
    assert "Done" in run_recipe(recipe, "train.sh")
    with SequentialReader(f"ark:gunzip -c {recipe}/denlats/lat.*.gz |", COMPACT_LATTICE) as lattices:
        assert len([key for key, _ in lattices]) == len(wanted)
    objectives = []
    for network in (model / "final.mdl", recipe / "smbr/final.mdl"):
        silence = (recipe / "degs/info/silence.csl").read_text().strip()
        options = ["--acoustic-scale=1.0", "--one-silence-class=true", f"--silence-phones={silence}"]
        capfd.readouterr()
        assert (
            run(twin("nnet3-discriminative-compute-objf"), [*options, str(network), f"ark:{recipe}/degs/degs.1.ark"])
            == 0
        )
        objectives += re.findall(r"smbr objective for 'output' is (\S+)", capfd.readouterr().err)
    assert float(objectives[1]) > float(objectives[0])
    assert read_model(str(recipe / "smbr/final.mdl")).num_pdfs == read_model(str(model / "final.mdl")).num_pdfs
    assert (recipe / "smbr/epoch1.mdl").exists()
