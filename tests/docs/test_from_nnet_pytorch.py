"""docs/from_nnet_pytorch.md: the options that it names exist, and those that nnet_pytorch has are there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from steps_pytorch.training.run.program import known
from tests.helpers.places import ROOT

PAGE = (ROOT / "docs/from_nnet_pytorch.md").read_text()
PROGRAMS = re.compile(r"nnet-pytorch-[a-z-]+|[a-z_]+\.sh")
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")
# All options of its branch master: argparse's in nnet_pytorch/*.py, and those of its scripts.
THEIRS = """
datasets validation-datasets datasetname expdir num-targets idim priors-only model seed job objective subsample
delay-updates num-epochs batches-per-epoch grad-thresh optim lr weight-decay gpu resume init warmup decay fixed min-lr
utt-subset tdnn-hdim tdnn-num-layers tdnn-dropout tdnn-prefinal-dim resnet-hdim resnet-bottleneck resnet-layers depth
width blstm-hdim blstm-num-layers blstm-dropout blstm-prefinal-dim xent-reg l2-reg denom-graph leaky-hmm sgld-steps
sgld-buffer sgld-reinit-p sgld-stepsize sgld-noise ebm-weight xent-weight lfmmi-weight l2-energy sgld-warmup sgld-decay
sgld-thresh sgld-optim sgld-replay-correction sgld-weight-decay sgld-max-steps sgld-init-real-decay sgld-clip
sgld-init-val sgld-epsilon ebm-tgt ebm-type ebm-joint datadir modeldir dumpdir checkpoint prior-scale prior-floor
prior-name words-file trans-mdl hclg min-active max-active max-mem lattice-beam beam acoustic-scale post-decode-acwt
hdim num-layers prefinal-dim layers bottleneck num-pdfs xent l2 sgld-real-decay validation-spks perturb-spk debug
ivector-dim ivector-layers teachers ts-comparison-weight ts-margin ts-num-negatives mce-weight
batchsize modelname chunk-width left-context right-context target top-k num-steps perturb min-lmwt max-lmwt nj nj-init
nj-final
"""


def rows() -> Iterator[tuple[str, str, str]]:
    """(section, there, here) of each row of its tables."""
    section = ""
    for line in PAGE.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("| ") and not line.startswith("| there"):
            there, here = line.strip("| ").split(" | ")
            yield section, there, here


def options_of(program: str) -> set[str]:
    """Of a step, those at its top; of a program, those of its --help."""
    if program.endswith(".sh"):
        places = (ROOT / folder / program for folder in ("steps_pytorch", "utils"))
        text = next(path for path in places if path.is_file()).read_text()
        if other := re.search(r"^program=(nnet-pytorch-\S+)$", text, re.M):
            return options_of(other[1])
        top = re.findall(r"^([a-z_]+)=", text.partition("End configuration")[0], re.M)
        return {name.replace("_", "-") for name in top}
    made = subprocess.run(
        [Path(sys.executable).parent / program, "--help"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return set(re.findall(r"^  --([a-z0-9-]+)", made.stderr, re.M))


def test_every_option_of_theirs_is_there() -> None:
    named = {option for _, there, _ in rows() for option in OPTION.findall(there)}
    assert set(THEIRS.split()) - named == set()


@pytest.mark.slow
def test_options_named_here_exist() -> None:
    """Of the programs that a row names, else of those that its section does; within quotes, of parts of training."""
    training = set(re.findall(r"^  --([a-z0-9-]+)", known(), re.M)) | options_of("nnet-pytorch-train-model")
    usual = {
        "train.py": training,
        "train_async_parallel.sh": training,
        "decode.py": options_of("decode.sh") | options_of("score.sh"),
        "generate.py": options_of("nnet-pytorch-generate") | options_of("nnet-pytorch-decorrupt") | training,
        "Its programs": training,
    }
    cmvn = options_of("nnet-pytorch-apply-cmvn")
    for section, there, here in rows():
        programs = [name for name in PROGRAMS.findall(here) if name != "train.sh"]
        known_here = usual[section] | (cmvn if "cmvn-opts" in here else set())
        known_here = known_here.union(*(options_of(name) for name in programs if OPTION.search(here)))
        assert set(OPTION.findall(here)) <= known_here, there


def test_programs_named_here_exist() -> None:
    for name in PROGRAMS.findall(" ".join(here for *_, here in rows())):
        places = [ROOT / "steps_pytorch" / name, ROOT / "utils" / name, Path(sys.executable).parent / name]
        assert any(os.path.isfile(place) for place in places), name
