"""rnnlm-sentence-probs against what Kaldi's program wrote for the sentences in tiny/."""

from pathlib import Path

import pytest

from kaldi_bridge.command import run
from kaldi_bridge.io.text import words
from tests.helpers.twins import twin

TINY = Path(__file__).parent / "tiny"
SYMBOLS = ["--bos-symbol=8", "--eos-symbol=9"]


@pytest.mark.parametrize(("normalize", "kept"), [("true", "normalized"), ("false", "unnormalized")])
def test_as_kaldi(normalize: str, kept: str, capfd: pytest.CaptureFixture) -> None:
    files = [str(TINY / name) for name in ("final.raw", "word_embedding.mat", "sentences")]
    assert run(twin("rnnlm-sentence-probs"), [*SYMBOLS, f"--normalize-probs={normalize}", *files]) == 0
    lines = capfd.readouterr().out.splitlines()
    for line, expected in zip(lines, (TINY / kept).read_text().splitlines(), strict=True):
        (name, *ours), (same, *kaldis) = words(line), words(expected)
        assert name == same
        assert list(map(float, ours)) == pytest.approx(list(map(float, kaldis)), abs=1e-4)
