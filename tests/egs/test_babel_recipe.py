"""The recipe of BABEL's layout: lexicon and data as Kaldi's scripts make them, and a corpus made here, recognized."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.wave import read_wave
from tests.helpers.places import ROOT
from tests.helpers.sphere_files import sphere_bytes

RECIPE = ROOT / "egs/babel"
TINY = ROOT / "egs/tiny/data"
LEXICON = """kai\tk a i
kai\tk ai
mà\tm a _1 . k i _2
mao\tm a" # m o %
hi\th_i: a_F\tX_ i
zz\t
no
<hes>\t@ m
shu\tS u _1 _"
break\tb r
"""
# What egs/babel/s5d/local/prepare_lexicon.pl of Kaldi made of LEXICON; it marks syllables in lexicon.txt by tabs.
KALDIS_DICT = {
    "lexicon.txt": """<hes> @ m
<noise> <sss>
<silence> SIL
<unk> <oov>
<v-noise> <vns>
break b r
hi X i
hi hi:_F a_F
kai k a i
kai k ai
mao m a" m_% o_%
mà m_1 a_1 k_2 i_2
shu S_1_" u_1_"
""",
    "extra_questions.txt": """@ S_1_" X a a" a_1 a_F ai b hi:_F i i_2 k k_2 m m_% m_1 o_% r u_1_"
S_1_" a_1 m_1 u_1_"
S_1_" u_1_"
a_F hi:_F
i_2 k_2
m_% o_%
<oov> <sss> <vns> SIL
""",
    "nonsilence_phones.txt": '@\nS_1_"\nX\na a_1 a_F\na"\nai\nb\nhi:_F\ni i_2\nk k_2\nm m_% m_1\no_%\nr\nu_1_"\n',
    "silence_phones.txt": "<oov>\n<sss>\n<vns>\nSIL\n",
    "optional_silence.txt": "SIL\n",
}
TRANSCRIPT = """[0.0]
<no-speech>
[1.55]
kai hi- <lipsmack> mao (()) <click> -*mà
[3.07]
<foreign> <laugh> <no-speech>
[4.5]
<sta> unknownword <hes> ~ kai
[7.25]

[8.1]
hi
[9]
"""
CALLER = "BABEL_OP3_404_10019_20141101_191932_inLine"
OTHER = "BABEL_OP3_404_10019_20141101_191932_outLine"
READ = "BABEL_BP_101_37210_20111102_170037_O1_scripted"
WITHOUT_AUDIO = "BABEL_BP_101_37210_20111102_170038_O1_scripted"
# What prepare_acoustic_training_data.pl made of CALLER, with that lexicon as vocabulary and the fragment markers -*~.
KALDIS_DATA = {
    "text": """10019_A_20141101_191932_000155 kai hi <v-noise> mao <unk> <noise> mà
10019_A_20141101_191932_000450 <unk> <hes> kai
10019_A_20141101_191932_000810 hi
""",
    "segments": f"""10019_A_20141101_191932_000155 {CALLER} 1.55 3.07
10019_A_20141101_191932_000450 {CALLER} 4.5 7.25
10019_A_20141101_191932_000810 {CALLER} 8.1 9
""",
}


def run(*command: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", OMP_NUM_THREADS="1")
    words = list(map(str, command))
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=580, cwd=folder)


def local(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, RECIPE / "local" / script, *arguments)


def write_recording(folder: Path, name: str, transcript: str, samples: np.ndarray | None) -> None:
    for part in ("audio", "transcription"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / f"transcription/{name}.txt").write_text(transcript)
    if samples is not None:
        data = sphere_bytes(samples.astype("<i2").tobytes(), (len(samples), 1), "pcm", "01", rate=8000)
        (folder / f"audio/{name}.sph").write_bytes(data)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder of BABEL's with three recordings, and lexicon.txt."""
    silence = np.zeros(72000)
    write_recording(tmp_path / "training", CALLER, TRANSCRIPT, silence)
    write_recording(tmp_path / "training", OTHER, TRANSCRIPT, silence)
    write_recording(tmp_path / "training", READ, "[0.5]\nkai kai\n[2.345]\n", silence)
    write_recording(tmp_path / "training", WITHOUT_AUDIO, "[0.5]\nkai kai\n[2.345]\n", None)
    (tmp_path / "lexicon.txt").write_text(LEXICON)
    return tmp_path


def test_dictionary_is_kaldis(made: Path) -> None:
    result = local("prepare_lexicon.py", made / "lexicon.txt", made / "dict")
    assert result.returncode == 0
    assert "lexicon.txt:6: no pronunciation; left out" in result.stderr
    for name, want in KALDIS_DICT.items():
        assert sorted((made / "dict" / name).read_text().splitlines()) == sorted(want.splitlines()), name
    assert run("nnet-pytorch-validate-dict-dir", made / "dict").returncode == 0


def test_romanized_words_and_other_phones(made: Path) -> None:
    (made / "romanized.txt").write_text("r1\tkai1\tk a _1\tk i\nr2\tx\tk a . i _3\nr3\tr3\tk\n")
    (made / "training/transcription" / f"{READ}.txt").write_text("[0]\nr1\n[1]\nr2 r1\n[2]\n")
    options = ["--romanized", "--phonemap", "i=i j;k=q", "--words-of", made / "training/transcription"]
    assert local("prepare_lexicon.py", *options, made / "romanized.txt", made / "dict").returncode == 0
    assert (made / "dict/lexicon.txt").read_text().splitlines()[-3:] == ["r1 q i j", "r1 q_1 a_1", "r2 q a i_3 j_3"]
    assert (made / "dict/extra_questions.txt").read_text().splitlines()[1:3] == ["a_1 q_1", "i_3 j_3"]
    (made / "empty").mkdir()
    result = local("prepare_lexicon.py", "--words-of", made / "empty", made / "romanized.txt", made / "none")
    assert result.returncode == 1 and "has no words of" in result.stderr and not (made / "none").exists()


def test_data_are_kaldis(made: Path) -> None:
    local("prepare_lexicon.py", made / "lexicon.txt", made / "dict")
    options = ["--vocabulary", made / "dict/lexicon.txt", "--fragment-markers=-*~"]
    result = local("prepare_data.py", *options, made / "training", made / "data")
    assert result.returncode == 0, result.stderr
    assert f"there is no audio/{WITHOUT_AUDIO}.sph or .wav" in result.stderr
    assert "7 utterances of 3 speakers in 3 recordings; 6 without words and 1 recordings" in result.stderr
    for name, want in KALDIS_DATA.items():
        other = want.replace("_A_", "_B_").replace(CALLER, OTHER)
        text = (made / "data" / name).read_text()
        assert text.startswith(want + other + "37210_A_20111102_170037_O1_000050 ")
    assert (made / "data/oov_counts").read_text() == "(())\t2\n<foreign>\t2\nunknownword\t2\n"
    assert run("utils/validate_data_dir.sh", "--no-feats", made / "data", folder=RECIPE).returncode == 0

    (made / "list").write_text(f"{READ}\n")
    assert local("prepare_data.py", "--list", made / "list", made / "training", made / "read").returncode == 0
    assert (made / "read/spk2utt").read_text() == "37210_A 37210_A_20111102_170037_O1_000050\n"
    assert local("prepare_data.py", "--whole", made / "training", made / "whole").returncode == 0
    assert len((made / "whole/text").read_text().splitlines()) == 11


@pytest.mark.parametrize(
    ("transcript", "reason"),
    [
        ("[2.0]\nkai\n[1.0]\n", "an utterance from 2 to 1: mend it"),
        ("[0]\n<laugh>\n[1]\n", "no utterances that can be used"),
    ],
)
def test_bad_transcripts(transcript: str, reason: str, tmp_path: Path) -> None:
    write_recording(tmp_path, READ, transcript, np.zeros(8000))
    result = local("prepare_data.py", tmp_path, tmp_path / "data")
    assert result.returncode == 1 and reason in result.stderr and not (tmp_path / "data").exists()


def test_missing_files_are_named(made: Path) -> None:
    for script, words in (
        ("prepare_lexicon.py", [made / "none", made / "out"]),
        ("prepare_data.py", ["--list", made / "none", made / "training", made / "out"]),
    ):
        result = local(script, *words)
        assert result.returncode == 1 and f"{script}: cannot read {made}/none" in result.stderr


def test_recipe_without_a_language(tmp_path: Path) -> None:
    result = run(RECIPE / "run.sh", "--exp", tmp_path / "exp")
    assert result.returncode == 1 and "which language? --lang-conf" in result.stderr
    (tmp_path / "bad.conf").write_text("lexicon_file=nowhere\n")
    result = run(RECIPE / "run.sh", "--exp", tmp_path / "exp", "--lang-conf", tmp_path / "bad.conf")
    assert result.returncode == 1 and "bad.conf does not set train_data_dir" in result.stderr
    (tmp_path / "bad.conf").write_text(f"lexicon_file=nowhere\ntrain_data_dir={tmp_path}/none\ndev10h_data_dir=x\n")
    result = run(RECIPE / "run.sh", "--exp", tmp_path / "exp", "--lang-conf", tmp_path / "bad.conf")
    assert result.returncode == 1 and f"there is no folder {tmp_path}/none/transcription" in result.stderr


def test_what_is_no_word_is_not_scored() -> None:
    text = "utt-1 <silence> <noise> a <hes> b <unk>\nutt-2 <v-noise>\nutt-3 a <sta> b<hes> c\n"
    made = subprocess.run([RECIPE / "local/wer_output_filter"], input=text, capture_output=True, text=True, check=True)
    assert made.stdout == "utt-1 a b\nutt-2\nutt-3 a <sta> b<hes> c\n"


SMALL = {
    "gmm-opts": "--num-iters 4 --max-iter-inc 3",
    "mono-utterances": "8",
    "mono-gauss": "60",
    "tri1": "40 100",
    "tri2": "50 120",
    "tri3": "50 120",
    "lda-dim": "20",
    "scoring-opts": "--min-lmwt 9 --max-lmwt 10 --word-ins-penalty 0.0",
    "nj": "1",
    "last-stage": "4",
}


def write_calls(folder: Path) -> None:
    """training/ and dev/: the strings of egs/tiny one after the other, as the two sides of a call."""
    wavs = dict(line.split() for line in (TINY / "wav.scp").read_text().splitlines())
    texts = dict(line.split(maxsplit=1) for line in (TINY / "text").read_text().splitlines())
    utterances = sorted(texts)
    for part, first, last in (("training", 0, 12), ("dev", 12, len(utterances))):
        middle = (first + last + 1) // 2
        for side, chosen in (("inLine", utterances[first:middle]), ("outLine", utterances[middle:last])):
            lines, pieces, at = ["[0.000]", "<no-speech>"], [np.zeros(4000)], 0.5
            for utterance in chosen:
                with open_input(str(TINY / wavs[utterance])) as stream:
                    wave = read_wave(stream)
                assert wave.sample_frequency == 8000
                lines += [f"[{at:.3f}]", f"<breath> {texts[utterance]} (())" if at == 0.5 else texts[utterance]]
                pieces.append(wave.data[0])
                at += len(wave.data[0]) / 8000
            name = f"BABEL_OP3_404_{10000 + first}_20141101_191932_{side}"
            transcript = "".join(f"{line}\n" for line in [*lines, f"[{at:.3f}]"])
            write_recording(folder / part, name, transcript, np.concatenate(pieces))


@pytest.mark.slow
def test_from_sphere_files_to_scores(tmp_path: Path) -> None:
    """As far as the stages are not those of LibriSpeech's recipes anyhow: GMMs, with SAT, and what they recognize."""
    write_calls(tmp_path)
    words = [line.split(maxsplit=1) for line in (ROOT / "egs/fsdd/local/lexicon.txt").read_text().splitlines()]
    (tmp_path / "lexicon").write_text("".join(f"{word}\t{said}\n" for word, said in words if word[0].isalpha()))
    conf = (
        f". conf/common.fullLP\ntrain_data_dir={tmp_path}/training\ntrain_data_list=\nlexicon_file={tmp_path}/lexicon\n"
    )
    (tmp_path / "lang.conf").write_text(conf + f"dev10h_data_dir={tmp_path}/dev\ndev10h_data_list=\n")
    options = SMALL | {"lang-conf": f"{tmp_path}/lang.conf", "exp": f"{tmp_path}/exp"}
    result = run(RECIPE / "run.sh", *(f"--{name}={value}" for name, value in options.items()))
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    rates = [float(line.split()[1]) for line in result.stdout.splitlines() if line.startswith("%WER")]
    assert len(rates) == 2 and rates[1] < 50  # without and with fMLLR
    assert "== Stage 5" not in result.stdout
    reference = (tmp_path / "exp/tri3/decode_dev10h/scoring_kaldi/test_filt.txt").read_text()
    assert "<" not in reference and "<v-noise>" in (tmp_path / "exp/data/dev10h/text").read_text()
