"""The judge of what we write for Kaldi is Kaldi's own runtime, in the vosk wheel."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.model_file import read_model, write_model
from nnet3_compat.network.network import Network
from tests.helpers.vosk_runtime import decode

pytest.importorskip("vosk")


def with_model(folder: Path, original: Path, model: AmNnet) -> Path:
    """Kaldi's folder for vosk, with another final.mdl."""
    (folder / "am").mkdir(parents=True)
    for part in ("conf", "graph", "ivector"):
        (folder / part).symlink_to(original / part)
    write_model(str(folder / "am" / "final.mdl"), model)
    return folder


@pytest.mark.slow
def test_vosk_decodes_with_our_models_as_with_kaldis(reference: Path, corpus: Path, tmp_path: Path) -> None:
    original = reference / "fsdd" / "vosk"
    model = read_model(str(original / "am" / "final.mdl"))

    # Kaldi -> PyTorch -> Kaldi: not a bit changes.
    network = Network.from_nnet(model.nnet)
    for p in network.parameters():
        p.data = p.data.clone() * 1.0
    same = with_model(tmp_path / "same", original, AmNnet(model.transition_model, network.to_nnet(), model.priors))
    assert (same / "am/final.mdl").read_bytes() == (original / "am/final.mdl").read_bytes()

    # A change that Kaldi must see in every score and in no word: one constant for all outputs of a frame.
    with torch.no_grad():
        network.get_parameter("components.output_affine.bias_params").add_(3.0)
    other = with_model(tmp_path / "other", original, AmNnet(model.transition_model, network.to_nnet(), model.priors))
    assert (other / "am/final.mdl").read_bytes() != (original / "am/final.mdl").read_bytes()

    kaldi, ours, shifted = (decode(folder, corpus) for folder in (original, same, other))
    assert ours == kaldi
    # Single precision may turn a tie: at most one utterance in a hundred.
    assert sum(shifted[key] != text for key, text in kaldi.items()) <= len(kaldi) // 100

    lines = (original / "transcripts.txt").read_text().splitlines()
    want = {line.partition(" ")[0]: line.partition(" ")[2] for line in lines}
    assert want.keys() == ours.keys()
    # Another machine dithers with other numbers: a few near ties go the other way (one of 205 where this was written).
    assert sum(ours[key] != text for key, text in want.items()) <= 4
