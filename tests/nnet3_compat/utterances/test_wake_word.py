"""Wake words: what Kaldi's online2-wav-nnet3-wake-word-decoder-faster printed and wrote, in wake_word.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.twins import twin

CASES = json.loads(Path(__file__).with_name("wake_word.json").read_text())
CMVN = ["--cmn-window=100", "--speaker-frames=80", "--global-frames=50", "--norm-vars=true"]


@pytest.fixture
def settings(reference: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Options of a model of the reference's, whose folder is the working directory."""
    monkeypatch.chdir(reference / "fsdd")
    (tmp_path / "spk2utt").write_text("theo theo-000 theo-nowhere theo-001 theo-002\n")
    (tmp_path / "mfcc.conf").write_text(Path("conf/mfcc_hires.conf").read_text() + "--dither=0\n")
    (tmp_path / "cmvn.conf").write_text("\n".join(CMVN) + "\n")
    return [
        f"--mfcc-config={tmp_path}/mfcc.conf",
        f"--cmvn-config={tmp_path}/cmvn.conf",
        "--global-cmvn-stats=ivector_extractor/global_cmvn.stats",
        "--acoustic-scale=1.0",
        "--frame-subsampling-factor=3",
        "--beam=15.0",
    ]


def decode(folder: Path, options: list[str]) -> int:
    files = [f"ark:{folder}/spk2utt", "scp:data/test/wav.scp", "lang/words.txt"]
    tables = [f"ark,t:{folder}/words", f"ark,t:{folder}/alignments"]
    program = twin("online2-wav-nnet3-wake-word-decoder-faster")
    return program.run([*options, "tdnnf_cmvn/final.mdl", "graph/HCLG.fst", *files, *tables])


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case["options"]))
def test_as_kaldi(case: dict[str, Any], settings: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The same words, printed as they are settled, and transition-ids, up to the wake word."""
    assert decode(tmp_path, [*settings, *case["options"]]) == 0
    printed, log = capfd.readouterr()
    assert printed == case["printed"]
    assert (tmp_path / "words").read_text() == case["words"]
    assert (tmp_path / "alignments").read_text() == case["alignments"]
    assert "Did not find audio for utterance theo-nowhere" in log
    assert "Decoded 3 utterances, 1 with errors." in log


def test_options_that_make_no_sense(settings: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for bad in ("--beam=-1", "--frame-subsampling-factor=0", "--max-active=0"):
        assert decode(tmp_path, [*settings, bad]) == 255
        assert "ERROR" in capfd.readouterr().err
        assert not (tmp_path / "words").exists()
