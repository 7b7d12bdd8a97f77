"""nnet3-chain-get-egs without a normalization FST: Kaldi's bytes.

examples/ has features of three utterances that chunks of 12 frames fill, and of one that is too short, random
supervisions, weights (those of one utterance end a frame early) and i-vectors; Kaldi's program made kaldi.cegs.
"""

from pathlib import Path

import pytest

from tests.helpers.twins import twin

FOLDER = Path(__file__).parent / "examples"
OPTIONS = (
    "--left-context=2 --right-context=1 --num-frames=12 --frame-subsampling-factor=3 --srand=3 --long-key=true "
    "--deriv-weights-rspecifier=ark:weights.ark --online-ivectors=ark:ivectors.ark --online-ivector-period=10"
)


def test_examples_are_kaldis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    made = tmp_path / "made.cegs"
    tables = ["ark:feats.ark", "ark:supervisions.ark", f"ark:{made}"]
    assert twin("nnet3-chain-get-egs").run([*OPTIONS.split(), *tables]) == 0
    assert made.read_bytes() == (FOLDER / "kaldi.cegs").read_bytes()
