"""TDNN, ResNet, WideResNet, BLSTM, conformers, wav2vec 2.0: contexts, any chunk width, second branches, decoding with
Kaldi's graphs."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.command import run
from kaldi_bridge.commands.bin.latgen_faster_mapped import main as latgen
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.commands.nnet3bin.nnet3_compute import main as compute
from steps_pytorch.models.encoder import EncoderModel
from steps_pytorch.models.normalization import normalization
from steps_pytorch.models.registry import build_model
from steps_pytorch.registry import Dimensions

DIM, PDFS = 12, 7

# Model, options, frame subsampling factor, context to each side.
EXACT = [
    ("tdnn", "--hidden-dim=8 --prefinal-dim=4", 3, 21),
    ("tdnn", "--hidden-dim=8 --time-strides='0 1 2' --norm=layer", 2, 3),
    ("tdnn", "--hidden-dim=32 --time-strides='1 2' --norm=none", 1, 3),
    ("resnet", "--first-dim=8 --bottleneck-dim=6 --layers='8:2:1 10:1:3 10:2:1'", 3, 2 + 2 + 3 + 6),
    ("resnet", "--first-dim=8 --bottleneck-dim=6 --layers='8:1:1 10:1:2' --norm=layer", 2, 2 + 1 + 2),
    ("wide-resnet", "--depth=10 --width=1", 4, 1 + 2 + 2 + 4),
    ("wide-resnet", "--depth=16 --width=1 --time-strides='1 3 1' --norm=layer", 3, 1 + 4 + 2 + 6 + 12),
    ("wide-resnet", "--depth=10 --width=1 --norm=batch --prefinal-dim=5", 4, 9),
]
WAV2VEC2 = (
    "--conv-layers='4:4:2 6:3:3' --dim=8 --num-layers=2 --num-heads=2 --ffn-dim=8 "
    "--position-kernel=6 --position-groups=2"
)
CHUNKED = [
    ("resnet", "--first-dim=8 --bottleneck-dim=6 --layers='8:1:1 10:1:3' --left-context=9 --right-context=5", 3, 0),
    ("wide-resnet", "--depth=10 --width=1 --left-context=8 --right-context=5", 4, 0),
    ("tdnn", "--hidden-dim=8 --time-strides='0 1 2' --norm=instance", 2, 0),
    ("resnet", "--first-dim=8 --bottleneck-dim=6 --layers='8:1:1 10:1:2' --norm=instance", 2, 0),
    ("wide-resnet", "--depth=10 --width=1 --norm=instance", 4, 0),
    ("blstm", "--hidden-dim=8 --num-layers=2 --left-context=10 --right-context=7", 3, 0),
    ("conformer", "--dim=8 --num-layers=2 --num-heads=2 --ffn-dim=8 --kernel-size=3 --left-context=10", 3, 0),
    ("conformer", "--dim=8 --num-layers=1 --num-heads=1 --ffn-dim=8 --kernel-size=5 --convolution-first=true", 1, 0),
    ("wav2vec2", f"{WAV2VEC2} --left-context=10 --right-context=7", 3, 0),
    ("wav2vec2", f"{WAV2VEC2} --conv-norm=layer --layer-norm-first=true --conv-bias=true --layer-drop=0.5", 1, 0),
]


def build(name: str, options: str, factor: int, ivector_dim: int = 0, num_pdfs: int = PDFS) -> EncoderModel:
    torch.manual_seed(0)
    model = build_model(name, shlex.split(options), Dimensions(DIM, num_pdfs, ivector_dim, factor, xent=True))
    assert isinstance(model, EncoderModel)
    with torch.no_grad():
        model(torch.randn(4, model.frames_in(6), DIM), torch.randn(4, ivector_dim) if ivector_dim else None)
    return model.eval()


@pytest.mark.parametrize(("name", "options", "factor", "context"), EXACT)
def test_contexts_are_exact(name: str, options: str, factor: int, context: int) -> None:
    """An output depends on all frames in its context and on no others; chunks give what the whole utterance gives."""
    model = build(name, options, factor)
    assert (model.left_context, model.right_context) == (context, context)
    frames = torch.randn(2, model.frames_in(9), DIM, requires_grad=True)
    whole = model(frames).output
    assert whole.shape == (2, 9, PDFS)
    (gradient,) = torch.autograd.grad(whole[0, 4].square().sum(), frames)
    seen = gradient[0].abs().sum(1).nonzero().flatten()
    assert (int(seen.min()), int(seen.max())) == (4 * factor, 4 * factor + 2 * context)
    assert not gradient[1].any()
    for first, outputs in ((0, 1), (2, 3), (5, 4)):
        chunk = frames[:, first * factor :][:, : model.frames_in(outputs)]
        torch.testing.assert_close(model(chunk).output, whole[:, first : first + outputs], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "options", "factor", "context"), EXACT + CHUNKED)
def test_archives_compute_the_same_for_any_width(
    name: str, options: str, factor: int, context: int, tmp_path: Path
) -> None:
    model = build(name, options, factor)
    archive = model.to_archive()
    assert archive.description.chunk_invariant == bool(context)
    for outputs in (1, 2, 7):
        features = torch.randn(3, model.frames_in(outputs), DIM)
        want = model(features)
        assert want.output.shape == (3, outputs, PDFS)
        assert want.xent is None
        # A few more frames do not make one more output.
        for more in range(factor):
            longer = torch.cat([features, torch.zeros(3, more, DIM)], 1)
            assert model(longer).output.shape[1] == model.num_outputs(longer.shape[1]) == outputs
        torch.testing.assert_close(archive(features), want.output, rtol=1e-4, atol=1e-5)
    model.train()
    model.to_archive()
    assert model.training and model.encoder.training
    made = model(torch.randn(2, model.frames_in(3), DIM))
    assert made.xent is not None
    torch.testing.assert_close(made.xent.exp().sum(-1), torch.ones(2, 3))


def test_instance_norm_is_pytorchs() -> None:
    norm, theirs = normalization("instance", 6, axes=1), torch.nn.InstanceNorm1d(6, affine=True)
    x = torch.randn(3, 6, 11)
    torch.testing.assert_close(norm(x), theirs(x))
    x = torch.randn(3, 6, 11, 4)
    torch.testing.assert_close(normalization("instance", 6, axes=2)(x), torch.nn.InstanceNorm2d(6, affine=True)(x))


def test_ivectors_shift_the_features(tmp_path: Path) -> None:
    model = build("tdnn", "--hidden-dim=8 --time-strides='0 1'", 3, ivector_dim=5)
    features, ivectors = torch.randn(2, model.frames_in(3), DIM), torch.randn(2, 5)
    moved = model(features, ivectors).output
    assert model.speaker is not None
    with torch.no_grad():
        shift = model.speaker(ivectors)
        model.speaker.weight.zero_()
        model.speaker.bias.zero_()
    torch.testing.assert_close(model(features + shift.unsqueeze(1), ivectors).output, moved)
    torch.testing.assert_close(model.to_archive()(features, ivectors), model(features, ivectors).output)


@pytest.mark.parametrize(
    ("name", "options", "factor", "reason"),
    [
        ("wide-resnet", "--depth=11", 4, "6 n"),
        ("wide-resnet", "--depth=10 --width=1", 3, "every 4 frames.*every 3"),
        ("wide-resnet", "--time-strides='2 2'", 4, "three numbers"),
        ("wide-resnet", "--depth=10 --left-context=10 --right-context=5", 4, "multiple of 4"),
        ("wide-resnet", "--depth=10 --norm=group", 4, "norm=group must be one of none, batch, layer, instance"),
        ("resnet", "--layers='8:1'", 3, "channels:blocks:stride"),
        ("tdnn", "--time-strides='1 x'", 3, "whole numbers"),
        ("blstm", "--hidden-dim=7", 3, "even"),
    ],
)
def test_options_that_make_no_network(name: str, options: str, factor: int, reason: str) -> None:
    with pytest.raises(KaldiError, match=reason):
        build(name, options, factor)


DECODED = [
    ("tdnn", "--hidden-dim=16 --time-strides='0 1 3'"),
    ("resnet", "--first-dim=8 --bottleneck-dim=6 --layers='8:1:1 10:1:3' --left-context=3 --right-context=2"),
    ("wide-resnet", "--depth=10 --width=1 --time-strides='1 3 1'"),
    ("blstm", "--hidden-dim=8 --num-layers=1"),
    ("conformer", "--dim=8 --num-layers=1 --num-heads=2 --ffn-dim=8 --kernel-size=3"),
    ("wav2vec2", WAV2VEC2),
]


def with_outputs(name: str, options: str, fsdd: Path, folder: Path) -> EncoderModel:
    """The model as <folder>/final.mdl; what nnet-pytorch-compute makes of noise in narrow chunks, and in wide ones."""
    mdl = str(fsdd / "chain_tree" / "final.mdl")
    num_pdfs = read_transition_model(mdl).num_pdfs
    model = build(name, options, 3, num_pdfs=num_pdfs)
    model.to_archive(transition_model=mdl).save(f"{folder}/final.mdl")
    features = np.random.default_rng(0).standard_normal((50, DIM), np.float32)
    with TableWriter(f"ark:{folder}/feats.ark", FLOAT_MATRIX) as writer:
        writer.write("utt", features)
    for chunk in (21, 150):
        words = ["--frame-subsampling-factor=3", f"--frames-per-chunk={chunk}", "--print-args=false"]
        tables = [f"{folder}/final.mdl", f"ark:{folder}/feats.ark", f"ark:{folder}/{chunk}.ark"]
        assert run(compute, [*words, *tables]) == 0
    return model


@pytest.mark.parametrize(("name", "options"), DECODED)
def test_decodes_with_kaldis_graph(
    name: str, options: str, reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """nnet-pytorch-compute | nnet-pytorch-latgen-faster-mapped, with narrow and wide chunks."""
    model = with_outputs(name, options, reference / "fsdd", tmp_path)
    narrow, wide = (dict(SequentialReader(f"ark:{tmp_path}/{n}.ark", FLOAT_MATRIX))["utt"] for n in (21, 150))
    assert narrow.shape == wide.shape == (17, model.num_pdfs)
    assert np.allclose(narrow, wide, atol=1e-4) == model.encoder.chunk_invariant
    graph = str(reference / "fsdd/graph/HCLG.fst")
    files = [f"{tmp_path}/final.mdl", graph, f"ark:{tmp_path}/21.ark", "ark:/dev/null"]
    assert run(latgen, ["--allow-partial=true", *files]) == 0
    assert "Done 1 utterances, failed for 0" in capfd.readouterr().err


@pytest.mark.skipif("KALDI_ROOT" not in os.environ, reason="needs KALDI_ROOT, Kaldi's programs")
@pytest.mark.parametrize(("name", "options"), DECODED)
def test_kaldis_decoder_takes_our_models(name: str, options: str, reference: Path, tmp_path: Path) -> None:
    """Kaldi's latgen-faster-mapped reads our .mdl, and finds the words that ours finds."""
    with_outputs(name, options, reference / "fsdd", tmp_path)
    program = Path(os.environ["KALDI_ROOT"]) / "src/bin/latgen-faster-mapped"
    files = [f"{tmp_path}/final.mdl", str(reference / "fsdd/graph/HCLG.fst"), f"ark:{tmp_path}/21.ark", "ark:/dev/null"]
    found = {}
    for who in ("kaldi", "ours"):
        arguments = ["--allow-partial=true", "--acoustic-scale=1.0", *files, f"ark,t:{tmp_path}/{who}"]
        if who == "ours":
            assert run(latgen, arguments) == 0
        else:
            subprocess.run([str(program), *arguments], check=True, capture_output=True)
        found[who] = (tmp_path / who).read_text().split()
    assert found["ours"] == found["kaldi"] and found["ours"][0] == "utt"
