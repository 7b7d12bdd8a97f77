"""Names of files, and what model directories say, may hold anything that a shell knows: nothing of it is executed.

Every step runs in a directory whose name has spaces, quotes, an apostrophe, a command in $( ) and one in backquotes, a
semicolon, an ampersand and letters that are not ASCII; the commands would make a file EXECUTED.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.io.text_files import read_rows
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, WAVE
from tests.helpers.places import ROOT

TINY, DIGITS = ROOT / "egs/tiny", ROOT / "egs/fsdd"
HOSTILE = """it's "a" $(touch EXECUTED) `touch EXECUTED`; ü & b"""
MARK = "EXECUTED"
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a script of the project in ``tmp_path``; its output. Afterwards nothing may have been executed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}

    def call(script: str, *arguments: object, status: int = 0) -> str:
        program = ROOT / script if "/" in script else script
        done = subprocess.run(
            [str(program), *map(str, arguments)], cwd=tmp_path, env=environment, capture_output=True, timeout=500
        )
        said = (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
        assert done.returncode == status, said
        assert not list(tmp_path.rglob(MARK)), said
        return said

    return call


def make_data(folder: Path, count: int | None = None) -> Path:
    """Digits of egs/tiny, in recordings with names of this kind. Returns the data directory."""
    data = folder / "data"
    data.mkdir(parents=True)
    lines = {}
    for utterance, wav in list(read_rows(TINY / "data/wav.scp").items())[:count]:
        lines[utterance] = folder / f"{utterance} $(touch {MARK}).wav"
        shutil.copyfile(TINY / "data" / wav, lines[utterance])
    (data / "wav.scp").write_text("".join(f"{u} {path}\n" for u, path in lines.items()))
    for name in ("text", "utt2spk"):
        rows = read_rows(TINY / "data" / name)
        (data / name).write_text("".join(f"{u} {rows[u]}\n" for u in lines))
    (data / "spk2utt").write_text(f"en-us-f3 {' '.join(u for u in lines if u.startswith('en-us-f3'))}\n")
    if count is None:
        with (data / "spk2utt").open("a") as spk2utt:
            spk2utt.write(f"en-us-m3 {' '.join(u for u in lines if u.startswith('en-us-m3'))}\n")
    for kind in ("mfcc", "mfcc_hires"):
        shutil.copyfile(DIGITS / f"conf/{kind}.conf", folder / f"{kind}.conf")
    return data


@pytest.fixture
def model(tmp_path: Path) -> Path:
    shutil.copytree(TINY / "model", tmp_path / HOSTILE / "exp", copy_function=shutil.copyfile)
    shutil.copytree(TINY / "graph", tmp_path / HOSTILE / "graph", copy_function=shutil.copyfile)
    return tmp_path / HOSTILE / "exp"


def test_recordings_at_other_speeds(run: Run, tmp_path: Path) -> None:
    """What wav.scp says is executed, by design, and gives the recordings."""
    data = make_data(tmp_path / HOSTILE, 2)
    run("utils/perturb_data_dir_speed.sh", "1.1", data, data.parent / "fast")
    run("utils/perturb_data_dir_volume.sh", data.parent / "fast")
    with SequentialReader(f"scp:{data.parent}/fast/wav.scp", WAVE) as reader:
        assert sum(wave.data.shape[1] > 1000 for _, wave in reader) == 2
    assert not list(tmp_path.rglob(MARK)) and not Path(MARK).exists()


@pytest.mark.slow
def test_features_and_decoding(run: Run, model: Path, tmp_path: Path) -> None:
    """Fewer utterances than jobs, too."""
    folder = model.parent
    data = make_data(folder, 2)
    said = run("steps_pytorch/make_feats.sh", "--mfcc-config", folder / "mfcc_hires.conf", data)
    assert "has only 2 utterances: running 2 jobs, not 4" in said
    run("steps_pytorch/compute_cmvn_stats.sh", data)
    scoring = ["--scoring-opts", "--min-lmwt 10 --max-lmwt 10 --word-ins-penalty 0.0"]
    said = run(
        "steps_pytorch/decode.sh", "--nj", 9, "--acwt", "1.0", *scoring, folder / "graph", data, model / "decode"
    )
    assert "has only 2 utterances: running 2 jobs, not 9" in said
    assert (model / "decode/num_jobs").read_text() == "2\n"
    assert "%WER 0.00" in (model / "decode/scoring_kaldi/best_wer").read_text()


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "cmvn_opts",
            "--norm-means=true; touch EXECUTED;",
            "cmvn_opts: expected options, --name=value, not '--norm-means",
        ),
        ("cmvn_opts", "--norm-means=$(touch EXECUTED)", "cmvn_opts: expected options"),
        ("cmvn_opts", "--norm-means=true | touch EXECUTED", "cmvn_opts: expected options, --name=value, not '|'"),
        (
            "frame_subsampling_factor",
            "3;touch${IFS}EXECUTED",
            "frame_subsampling_factor: expected a whole number, not ",
        ),
        ("frame_subsampling_factor", "a[$(touch EXECUTED)]", "frame_subsampling_factor: expected a whole number, not "),
    ],
)
def test_what_a_model_directory_says(run: Run, model: Path, tmp_path: Path, file: str, text: str, said: str) -> None:
    """The directory of a stranger, with no record of its input."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("feats.scp", "utt2spk", "cmvn.scp", "text"):
        (data / name).write_text("u1 x\n")
    (model / "input.json").unlink()
    (model / "cmvn_opts").write_text("--norm-means=false\n")
    (model / file).write_text(f"{text}\n")
    for step in ("decode.sh", "decode_online.sh"):
        (data / "wav.scp").write_text("u1 x.wav\n")
        assert said in run(f"steps_pytorch/{step}", model.parent / "graph", data, model / "decode", status=1)


def test_a_model_without_its_normalization(run: Run, model: Path, tmp_path: Path) -> None:
    """Refused where the directory says what the input was; else a warning is given (here, features are missing)."""
    data = tmp_path / "data"
    data.mkdir()
    with TableWriter(f"ark,scp:{data}/feats.ark,{data}/feats.scp", FLOAT_MATRIX) as writer:
        writer.write("u1", np.zeros((50, 40), np.float32))
    for name in ("utt2spk", "text"):
        (data / name).write_text("u1 x\n")
    (model / "cmvn_opts").unlink()
    decode = ["steps_pytorch/decode.sh", "--nj", 1, model.parent / "graph", data, model / "decode"]
    assert "features were normalized by '--norm-means=true --norm-vars=true'" in run(*decode, status=1)
    (model / "input.json").unlink()
    (data / "feats.scp").write_text("u1 nothing.ark:1\n")
    assert "features are not normalized" in run(*decode, status=1)


def test_other_features_are_refused(run: Run, model: Path, tmp_path: Path) -> None:
    data = make_data(tmp_path, 2)
    (tmp_path / "other.conf").write_text((tmp_path / "mfcc_hires.conf").read_text() + "--low-freq=100\n")
    run("steps_pytorch/make_feats.sh", "--nj", 1, "--mfcc-config", tmp_path / "other.conf", data)
    run("steps_pytorch/compute_cmvn_stats.sh", data)
    said = run("steps_pytorch/decode.sh", model.parent / "graph", data, model / "decode", status=1)
    assert "low-freq 40 and 100" in said
    online = ["--mfcc-config", tmp_path / "other.conf", model.parent / "graph", data, model / "decode_online"]
    (model / "cmvn_opts").write_text("--norm-means=false\n")
    assert "low-freq 40 and 100" in run("steps_pytorch/decode_online.sh", *online, status=1)


# Every step and helper, in the order of a recipe and in parts; "{}" stands for the directory.
RECIPE = """# data
utils/validate_data_dir.sh --no-feats {}/data
utils/perturb_data_dir_speed_3way.sh {}/data {}/data_sp
utils/perturb_data_dir_speed_3way.sh --write-audio true --always-include-prefix true {}/data {}/data_spa
utils/perturb_data_dir_volume.sh {}/data_sp
utils/get_utt2dur.sh --nj 2 --read-entire-file true {}/data_sp
utils/copy_data_dir.sh {}/data {}/hires
utils/copy_data_dir.sh {}/data {}/filterbanks
steps_pytorch/make_feats.sh --nj 2 --mfcc-config {}/mfcc.conf {}/data
steps_pytorch/make_feats.sh --nj 2 --mfcc-config {}/mfcc_hires.conf {}/hires {}/logs {}/features
steps_pytorch/make_feats.sh --nj 20 --type fbank --fbank-config {}/fbank.conf {}/filterbanks
steps_pytorch/compute_cmvn_stats.sh {}/data
steps_pytorch/compute_cmvn_stats.sh {}/hires
utils/fix_data_dir.sh {}/hires
utils/get_utt2num_frames.sh {}/data_spa
utils/subset_data_dir.sh --first {}/data 5 {}/data_5
utils/split_data.sh {}/data 2
utils/modify_speaker_info.sh --utts-per-spk-max 2 {}/hires {}/hires_max2
utils/combine_data.sh {}/data_all {}/data {}/data_sp
# gmm
steps_pytorch/prepare_lang.sh {}/dict <UNK> {}/lang_tmp {}/lang
steps_pytorch/format_lm.sh --word-loop=true {}/lang {}/digits {}/dict/lexicon.txt {}/lang
steps_pytorch/prepare_chain_lang.sh {}/lang {}/lang_chain
steps_pytorch/train_mono.sh --nj 2 --totgauss 60 FEW {}/data {}/lang {}/mono
steps_pytorch/align_si.sh --nj 2 --boost-silence 1.2 {}/data {}/lang {}/mono {}/mono_ali
steps_pytorch/align_si.sh --nj 2 --use-graphs true {}/data {}/lang {}/mono {}/mono_ali
steps_pytorch/train_deltas.sh FEW 60 100 {}/data {}/lang {}/mono_ali {}/tri
steps_pytorch/align_lats.sh --nj 2 --generate-ali-from-lats true {}/data {}/lang {}/tri {}/lats
# adapted
steps_pytorch/train_lda_mllt.sh FEWER MLLT 60 100 {}/data {}/lang {}/mono_ali {}/lda
steps_pytorch/train_sat.sh FEWER --fmllr-iters 2 60 100 {}/data {}/lang {}/lda {}/sat
steps_pytorch/align_fmllr.sh --nj 9 {}/data {}/lang {}/sat {}/sat_ali
steps_pytorch/align_fmllr_lats.sh --nj 2 --generate-ali-from-lats true {}/data {}/lang {}/sat {}/sat_lats
steps_pytorch/get_prons.sh {}/data {}/lang {}/sat_ali
utils/dict_dir_add_pronprobs.sh {}/dict {}/sat_ali/pron_counts_nowb.txt {}/dict_prons
steps_pytorch/mkgraph.sh {}/lang {}/sat {}/sat/graph
steps_pytorch/decode_fmllr.sh --nj 40 --scoring-opts SCORING {}/sat/graph {}/data {}/sat/decode
# graphs
steps_pytorch/mkgraph.sh {}/lang {}/tri {}/tri/graph
steps_pytorch/decode_gmm.sh --nj 40 --scoring-opts SCORING {}/tri/graph {}/data {}/tri/decode
steps_pytorch/build_tree.sh --frame-subsampling-factor 3 --context-opts CONTEXT 40 {}/data {}/lang_chain {}/lats {}/tree
steps_pytorch/make_den_fst.sh --lm-opts --num-extra-lm-states=20 {}/tree {}/den
steps_pytorch/mkgraph.sh --self-loop-scale=1.0 {}/lang_chain {}/tree {}/graph
# targets
steps_pytorch/make_memmap.sh --nj 2 {}/hires {}/store
steps_pytorch/make_memmap.sh --nj 2 --mfcc-config {}/mfcc_hires.conf {}/hires {}/store_of_recordings
steps_pytorch/make_supervisions.sh {}/lats {}/tree {}/supervision
steps_pytorch/make_supervisions.sh {}/mono_ali {}/tree {}/supervision_of_alignments
steps_pytorch/make_pdfs.sh {}/mono_ali {}/pdfs
steps_pytorch/prepare_e2e.sh --nj 2 --type biphone --tie true --num-extra-lm-states 20 {}/hires {}/lang_chain {}/e2e
# training
steps_pytorch/train.sh CHAIN --lm-opts --num-extra-lm-states=20 --cmvn-opts --norm-vars=true {}/hires {}/lats {}/chain
steps_pytorch/train.sh CHAIN --store {}/store --online-cmvn true {}/hires {}/supervision {}/online
# discriminative
steps_pytorch/make_denlats.sh --nj 2 SCALES {}/hires {}/lang_chain {}/chain {}/denlats
steps_pytorch/make_denlats.sh --lat-dir {}/denlats --ali-dir {}/denlats {}/hires {}/lang_chain {}/chain {}/copied
steps_pytorch/train.sh TRAIN SMBR --store {}/store {}/hires {}/copied {}/smbr
# jobs
steps_pytorch/train.sh XENT --num-jobs-initial 1 --num-jobs-final 2 --store {}/store {}/hires {}/mono_ali {}/jobs
steps_pytorch/train.sh XENT --mfcc-config {}/mfcc_hires.conf {}/hires {}/pdfs {}/xent
steps_pytorch/average.sh --last=1 {}/chain mean
# decoding
steps_pytorch/decode.sh --nj 2 --acwt 1.0 --scoring-opts SCORING {}/graph {}/hires {}/chain/decode
steps_pytorch/decode.sh --num-threads 2 --post-decode-acwt 10 --skip-scoring true {}/graph {}/hires {}/online/decode
steps_pytorch/score.sh --min-lmwt 10 --max-lmwt 10 {}/hires {}/graph {}/online/decode
# online
steps_pytorch/decode_online.sh --nj 9 ONLINE {}/graph {}/hires {}/online/decode_online
steps_pytorch/decode_online.sh --nj 2 --per-utt true ONLINE {}/graph {}/hires {}/online/decode_each
steps_pytorch/make_supervisions.sh --frame-subsampling-factor 1 {}/chain/decode {}/tree {}/supervision_of_decoding
# finetuning
steps_pytorch/align_nnet_lats.sh --nj 2 --generate-ali-from-lats true {}/hires {}/lang_chain {}/chain {}/nnet_lats
steps_pytorch/finetune.sh FINETUNE --graph {}/tiny/graph {}/tiny/model {}/hires {}/finetuned
"""
WORDS = {
    "FEW": ["--num-iters", "5", "--realign-iters", "1 3", "--max-iter-inc", "3", "--boost-silence", "1.2"],
    "FEWER": ["--num-iters", "3", "--realign-iters", "1", "--max-iter-inc", "2"],
    "MLLT": ["--mllt-iters", "2", "--dim", "20", "--splice-opts", "--left-context=1 --right-context=1"],
    "CONTEXT": ["--context-width=2 --central-position=1"],
    "SCORING": ["--min-lmwt 10 --max-lmwt 10 --word-ins-penalty 0.0"],
    "ONLINE": ["--mfcc-config", "{}/mfcc_hires.conf", "--do-endpointing", "true", "--skip-scoring", "true"],
    "TRAIN": [
        "--model",
        "tdnn",
        "--optimizer",
        "adam",
        "--num-epochs",
        "1",
        "--minibatch-size",
        "8",
        "--average-last",
        "1",
        "--num-workers",
        "0",
    ],
}
WORDS["FINETUNE"] = [
    "--nj", "2", "--num-epochs", "1", "--minibatch-size", "8", "--average-last", "1", "--num-workers", "0",
    "--frozen", "tdnn1.* tdnn2.*", "--lm-opts", "--num-extra-lm-states=20",
]  # fmt: skip
WORDS["CHAIN"] = [
    *WORDS["TRAIN"], "--tree-dir", "{}/tree", "--chunk-width", "90,60", "--alignment-subsampling-factor", "3",
]  # fmt: skip
WORDS["SCALES"] = ["--acwt", "1.0", "--self-loop-scale", "1.0", "--beam", "8", "--lattice-beam", "3"]
WORDS["SMBR"] = [
    "--objective", "smbr", "--objective-opts", "--acoustic-scale=1.0 --one-silence-class=true --silence-phones=1:2",
    "--frame-subsampling-factor", "3", "--chunk-width", "90,60", "--init-model", "{}/chain/1.pt",
]  # fmt: skip
WORDS["XENT"] = [*WORDS["TRAIN"], "--objective", "cross-entropy"]
ELSEWHERE = {
    "extract_ivectors.sh",  # test_ivector_steps.py
    "segment_long_utterances.sh",  # test_segment_long_utterances.py
    "rescore.sh", "build_const_arpa.sh",  # test_rescore.py, with spaces in names
    "train_ivector_extractor.sh",  # test_extractor_step.py
    "generate.sh", "decorrupt.sh", "diarize.sh", "make_speaker_vectors.sh",  # which only start a program
    "perturb_data_dir_speed.sh", "parse_options.sh",
}  # fmt: skip


PARTS = dict(part.split("\n", 1) for part in RECIPE.split("# ")[1:])


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The directory, with data and a dictionary, and the parts that were run in it."""
    folder = tmp_path_factory.mktemp("recipe") / HOSTILE
    make_data(folder)
    (folder / "fbank.conf").write_text("--sample-frequency=8000\n--num-mel-bins=20\n")
    dictionary = folder / "dict"
    dictionary.mkdir()
    lexicon = (DIGITS / "local/lexicon.txt").read_text()
    phones = {phone for line in lexicon.splitlines() for phone in line.split()[1:]} - {"SIL", "SPN"}
    (dictionary / "lexicon.txt").write_text(lexicon)
    (dictionary / "silence_phones.txt").write_text("SIL\nSPN\n")
    (dictionary / "optional_silence.txt").write_text("SIL\n")
    (dictionary / "nonsilence_phones.txt").write_text("".join(f"{phone}\n" for phone in sorted(phones)))
    (dictionary / "extra_questions.txt").write_text("")
    words = sorted({line.split()[0] for line in lexicon.splitlines() if line[0].islower()})
    (folder / "digits").write_text("".join(f"{word}\n" for word in words))
    for part in ("model", "graph"):
        shutil.copytree(TINY / part, folder / "tiny" / part, copy_function=shutil.copyfile)
    return folder, []


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_every_step(run: Run, recipe: tuple[Path, list[str]], part: str, tmp_path: Path) -> None:
    """All of a recipe, with recordings of such names too; a part needs those before it."""
    folder, done = recipe
    for name in list(PARTS)[len(done) : list(PARTS).index(part) + 1]:
        for line in PARTS[name].strip().splitlines():
            script, *arguments = (piece for word in line.split() for piece in WORDS.get(word, [word]))
            said = run(script, *(argument.replace("{}", str(folder)) for argument in arguments))
            if "decode_online.sh --nj 9" in line or "align_fmllr.sh --nj 9" in line:
                assert "has only 2 speakers: running 2 jobs, not 9" in said
        done.append(name)
    assert not list(folder.parent.rglob(MARK))
    records = {"training": "chain/input.json", "gmm": "tri/input.json"}
    assert part not in records or (folder / records[part]).is_file()


def test_no_step_is_forgotten() -> None:
    called = {Path(line.split()[0]).name for part in PARTS.values() for line in part.strip().splitlines()}
    there = {path.name for place in ("steps_pytorch", "utils") for path in (ROOT / place).glob("*.sh")}
    assert there - called == ELSEWHERE


def test_kaldis_ways_to_run_jobs(tmp_path: Path) -> None:
    """A script that leaves words without white space to bash and puts others into double quotes, as run.pl does."""
    runner = tmp_path / "like_run.pl"
    runner.write_text(
        f"#!{sys.executable}\n"
        "import re, subprocess, sys\n"
        "log, *words = sys.argv[1:]\n"
        "def quoted(word):\n"
        '    if re.fullmatch(r"\\S+", word): return word\n'
        """    return f"'{word}'" if '"' in word else f'"{word}"'\n"""
        'sys.exit(subprocess.call(["bash", "-c", " ".join(map(quoted, words)) + f" > {log}"]))\n'
    )
    runner.chmod(0o755)
    step = tmp_path / "step.sh"
    step.write_text(
        f"set -euo pipefail\ncmd={runner}\nhelp_message=\n. {ROOT}/steps_pytorch/lib/step.sh > /dev/null\n"
        'run_jobs "$1" printf "%s\\n" "${@:2}" "|" cat\n'
    )
    words = [
        HOSTILE,
        "$(touch EXECUTED)",
        "a;touch${IFS}EXECUTED",
        "`touch EXECUTED`",
        "tab\there `touch EXECUTED`",
        "\\ x",
    ]
    command = ["bash", str(step), "a.log", *words]
    for locale in ("C", "C.UTF-8"):
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "LC_ALL": locale}
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "a.log").read_text() == "".join(f"{word}\n" for word in words)
        assert not (tmp_path / MARK).exists()
    bad = subprocess.run(["bash", str(step), f"{HOSTILE}.log", "x"], cwd=tmp_path, capture_output=True, text=True)
    assert bad.returncode == 1 and "cannot write a log of the name" in bad.stderr
