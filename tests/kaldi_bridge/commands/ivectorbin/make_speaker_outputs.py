"""Makes speaker_outputs.json: what Kaldi's own programs (f40076610) make of the small inputs below.

    python -m tests.kaldi_bridge.commands.ivectorbin.make_speaker_outputs FOLDER-OF-KALDIS-PROGRAMS

OUT is the output, always text. Where there is none, it is what the program prints.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR, ObjectHolder

OUTPUTS = Path(__file__).with_name("speaker_outputs.json")

PLDA = "ivector-compute-plda --binary=false"
SCORE = "ivector-plda-scoring"
DENSE = "ivector-plda-scoring-dense"
CLUSTER = "agglomerative-cluster"
COMMANDS = (
    f"""
compute-vad ark:feats.ark ark,t:OUT
compute-vad --vad-energy-threshold=2 --vad-energy-mean-scale=0.1 --vad-frames-context=2 ark:feats.ark ark,t:OUT
compute-vad --vad-frames-context=3 --vad-proportion-threshold=0.12 --vad-energy-mean-scale=0 ark:feats.ark ark,t:OUT
compute-vad --omit-unvoiced-utts=true --vad-energy-threshold=9 ark:feats.ark ark,t:OUT
compute-vad --vad-energy-threshold=1000 ark:feats.ark ark,t:OUT
compute-vad --vad-proportion-threshold=1 ark:feats.ark ark,t:OUT
select-voiced-frames ark:feats.ark ark:vad.ark ark,t:OUT
select-voiced-frames ark:feats.ark ark:bad-vad.ark ark,t:OUT
select-voiced-frames ark:feats.ark ark:/dev/null ark,t:OUT
merge-vads ark:vad.ark ark:vad.ark ark,t:OUT
merge-vads --map=pairs ark:vad.ark ark:labels.ark ark,t:OUT
merge-vads ark:vad.ark ark:labels.ark ark,t:OUT
compute-vad-from-frame-likes ark:likes1.ark ark:likes2.ark ark:likes3.ark ark,t:OUT
compute-vad-from-frame-likes --map=map --priors=0.2,0.5,0.3 ark:likes1.ark ark:likes2.ark ark:likes3.ark ark,t:OUT
compute-vad-from-frame-likes --priors=0.2,0.5 ark:likes1.ark ark:likes2.ark ark:likes3.ark ark,t:OUT
compute-vad-from-frame-likes --map=pairs ark:likes1.ark ark:likes2.ark ark,t:OUT
compute-eer scores
compute-eer few-scores
compute-eer one-sided
compute-eer bad-scores
compute-eer /dev/null
ivector-subtract-global-mean ark:ivectors.ark ark,t:OUT
ivector-subtract-global-mean --subtract-mean=false ark:ivectors.ark ark,t:OUT
ivector-subtract-global-mean mean.vec ark:ivectors.ark ark,t:OUT
ivector-subtract-global-mean ark:/dev/null ark,t:OUT
ivector-transform linear.mat ark:ivectors.ark ark,t:OUT
ivector-transform affine.mat ark:ivectors.ark ark,t:OUT
ivector-transform wrong.mat ark:ivectors.ark ark,t:OUT
ivector-compute-dot-products trials ark:speakers.ark ark:tests.ark OUT
ivector-compute-dot-products bad-trials ark:speakers.ark ark:tests.ark OUT
ivector-compute-lda --binary=false --dim=3 ark:ivectors.ark ark:utt2spk OUT
ivector-compute-lda --binary=false --dim=2 --total-covariance-factor=0.3 ark:ivectors.ark ark:utt2spk OUT
ivector-compute-lda --binary=false --dim=4 --total-covariance-factor=1 --covariance-floor=0.2 ark:ivectors.ark \
ark:utt2spk OUT
ivector-compute-lda --dim=9 ark:ivectors.ark ark:utt2spk OUT
ivector-compute-lda --dim=2 ark:tests.ark ark:/dev/null OUT
{PLDA} ark:spk2utt ark:ivectors.ark OUT
{PLDA} --num-em-iters=2 ark:spk2utt ark:ivectors.ark OUT
{PLDA} ark:single-spk2utt ark:ivectors.ark OUT
{PLDA} ark:few-spk2utt ark:ivectors.ark OUT
ivector-copy-plda --binary=false plda OUT
ivector-copy-plda --binary=false --smoothing=0.4 plda OUT
ivector-copy-plda --smoothing=2 plda OUT
ivector-copy-plda mean.vec OUT
ivector-adapt-plda --binary=false plda ark:tests.ark OUT
ivector-adapt-plda --binary=false --mean-diff-scale=0.1 --within-covar-scale=0.75 --between-covar-scale=0.25 plda \
ark:tests.ark OUT
ivector-adapt-plda plda ark:/dev/null OUT
{SCORE} plda ark:speakers.ark ark:tests.ark trials OUT
{SCORE} --num-utts=ark:num_utts plda ark:speakers.ark ark:tests.ark trials OUT
{SCORE} --normalize-length=false --num-utts=ark:num_utts plda ark:speakers.ark ark:tests.ark trials OUT
{SCORE} --simple-length-normalization=true plda ark:speakers.ark ark:tests.ark trials OUT
{SCORE} plda ark:speakers.ark ark:tests.ark bad-trials OUT
{SCORE} plda ark:speakers.ark ark:tests.ark /dev/null OUT
{SCORE} plda ark:/dev/null ark:tests.ark trials OUT
{SCORE} plda ark:twice.ark ark:tests.ark trials OUT
{DENSE} plda ark:reco2utt ark:ivectors.ark ark,t:OUT
{DENSE} --target-energy=0.9 plda ark:reco2utt ark:ivectors.ark ark,t:OUT
{DENSE} --target-energy=1 --normalize-length=false plda ark:reco2utt ark:ivectors.ark ark,t:OUT
{DENSE} --target-energy=0 --simple-length-normalization=true plda ark:reco2utt ark:ivectors.ark ark,t:OUT
{DENSE} plda ark:reco2utt ark:tests.ark ark,t:OUT
{CLUSTER} ark:alike.ark ark:reco2seg ark,t:OUT
{CLUSTER} --threshold=0.5 ark:alike.ark ark:reco2seg ark,t:OUT
{CLUSTER} --threshold=-0.5 --first-pass-max-utterances=7 ark:alike.ark ark:reco2seg ark,t:OUT
{CLUSTER} --threshold=0.3 --read-costs=true ark:alike.ark ark:reco2seg ark,t:OUT
{CLUSTER} --reco2num-spk-rspecifier=ark:reco2num ark:alike.ark ark:reco2seg ark,t:OUT
{CLUSTER} --reco2num-spk-rspecifier=ark:reco2num --first-pass-max-utterances=40 ark:many.ark ark:reco2seg ark,t:OUT
{CLUSTER} --reco2num-spk-rspecifier=ark:reco2num --max-spk-fraction=0.4 ark:alike.ark ark:reco2seg ark,t:OUT
{CLUSTER} --reco2num-spk-rspecifier=ark:reco2num --max-spk-fraction=0.2 ark:alike.ark ark:reco2seg ark,t:OUT
logistic-regression-train --binary=false ark:ivectors.ark ark:classes OUT
logistic-regression-train --binary=false --max-steps=5 --normalizer=0.1 ark:ivectors.ark ark:classes OUT
logistic-regression-train --binary=false --mix-up=11 --power=0.5 --max-steps=8 ark:ivectors.ark ark:classes OUT
logistic-regression-train ark:ivectors.ark ark:/dev/null OUT
logistic-regression-eval logistic ark:tests.ark ark,t:OUT
logistic-regression-eval --apply-log=false logistic ark:tests.ark ark,t:OUT
logistic-regression-eval logistic ark:classes ark:ivectors.ark OUT
logistic-regression-eval logistic ark:/dev/null ark:ivectors.ark OUT
logistic-regression-copy --binary=false logistic OUT
logistic-regression-copy --binary=false --scale-priors=scales logistic OUT
logistic-regression-copy mean.vec OUT
{CLUSTER} --reco2num-spk-rspecifier=ark:none ark:alike.ark ark:reco2seg ark,t:OUT
""".replace("\\\n", "")
    .strip()
    .split("\n")
)


def speakers() -> dict[str, np.ndarray]:
    """Vectors of five dimensions of seven speakers, of three to eight utterances each."""
    random = np.random.default_rng(4)
    scale = np.array([3, 2, 1, 0.5, 0.3])
    found = {}
    for speaker in range(7):
        own = 2 * random.normal(size=5) * scale + np.arange(5)
        for utterance in range(3 + speaker % 6):
            found[f"s{speaker}-u{utterance}"] = np.round(own + random.normal(size=5), 3)
    return found


def make_inputs(folder: Path) -> None:
    """Writes all that the commands read."""
    random = np.random.default_rng(5)
    ivectors = speakers()
    names = sorted({key.split("-")[0] for key in ivectors})
    of = {name: [key for key in ivectors if key.startswith(name)] for name in names}
    means = {name: np.mean([ivectors[key] for key in keys], axis=0) for name, keys in of.items()}
    vectors = {
        "ivectors.ark": list(ivectors.items()),
        "speakers.ark": list(means.items()),
        "twice.ark": [*means.items(), ("s0", means["s0"])],
        "tests.ark": [(f"t{i}", np.round(2 * random.normal(size=5) + 1, 3)) for i in range(9)],
        "vad.ark": [("a", np.arange(30) % 3 > 0), ("b", np.zeros(3)), ("c", np.ones(4)), ("d", np.ones(12))],
        "labels.ark": [("a", np.arange(30) % 4), ("c", np.ones(3)), ("d", np.arange(12) % 3)],
        **{f"likes{i}.ark": [("a", np.round(random.normal(size=20), 2)), ("b", np.zeros(4))] for i in (1, 2, 3)},
        "bad-vad.ark": [("a", np.arange(30) / 30)],
    }
    alike = {
        f"r{n}": np.round(random.normal(size=(n, n)) + 2 * np.equal.outer(k := np.arange(n) % 3, k), 2)
        for n in (1, 12, 20)
    }
    matrices = {
        "feats.ark": {
            "a": np.column_stack([10 + 6 * np.sin(np.arange(30) / 2), np.arange(30)]),
            "b": np.array([[1, 2], [3, 4], [2, 1.5]]),
            "c": np.zeros((0, 0)),
            "d": np.column_stack([np.array([12, 3] * 6), np.ones(12)]),
            "e": np.array([[30.0, 1]]),
        },
        "alike.ark": {key: (value + value.T) / 2 for key, value in alike.items()},
        "many.ark": {"r90": np.round(random.normal(size=(90, 90)), 1)},
    }
    for name, entries in vectors.items():
        _write(folder / name, FLOAT_VECTOR, entries)
    for name, table in matrices.items():
        _write(folder / name, FLOAT_MATRIX, list(table.items()))
    texts = {
        "spk2utt": "".join(f"{name} {' '.join(keys)}\n" for name, keys in of.items()) + "nobody missing\n",
        "single-spk2utt": "".join(f"{keys[0]} {keys[0]}\n" for keys in of.values()),
        "few-spk2utt": "s0 s0-u0 s0-u1\ns1 s1-u0\n",
        "utt2spk": "".join(f"{key} {key.split('-')[0]}\n" for key in ivectors if key != "s3-u1"),
        "reco2utt": "one s0-u0 s0-u1 s1-u0 s1-u1 s1-u2 s2-u0 s2-u1\ntwo " + " ".join(of["s4"] + of["s5"]) + "\nno\n",
        "reco2seg": "".join(f"r{n} {' '.join(f'r{n}-{i}' for i in range(n))}\n" for n in (1, 12, 20, 90)),
        "reco2num": "r1 1\nr12 3\nr20 4\nr90 3\n",
        "num_utts": "".join(f"{name} {len(keys)}\n" for name, keys in of.items() if name != "s6"),
        "trials": "".join(f"s{i} t{j}\n" for i in range(8) for j in range(10)),
        "bad-trials": "s0 t0\ns1 t1 target\n",
        "mean.vec": " [ 1 2 3 4 5 ]\n",
        "linear.mat": " [\n  1 0 0 2 -1 \n  0.5 1 0 0 0 ]\n",
        "affine.mat": " [\n  1 0 0 2 -1 10 \n  0.5 1 0 0 0 -3 ]\n",
        "wrong.mat": " [\n  1 0 0 \n  0.5 1 0 ]\n",
        "plda": PLDA_MODEL,
        "classes": "".join(f"{key} {int(key[1]) % 3}\n" for key in ivectors) + "missing 1\n",
        "pairs": "".join(f"{i} {j} {i + 2 * j}\n" for i in range(2) for j in range(4)) + "# no more\n",
        "map": "0 5 # the first\n\n2 1\n",
        "scales": " [ 0.5 2 4 ]\n",
        "logistic": LOGISTIC_MODEL,
        "scores": "".join(f"{round(s, 4)} target\n" for s in (random.normal(size=57) + 1.4).tolist())
        + "".join(f"{s:.4g}\tnontarget\n" for s in random.normal(size=230).tolist()),
        "few-scores": "1 target\n-1 nontarget\n0.5 nontarget\n2e-1 target\n",
        "one-sided": "1 target\n",
        "bad-scores": "1 target\nx nontarget\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)


PLDA_MODEL = """<Plda>  [ 0.1 1.2 2.1 2.9 4 ]
 [
  0.9 0.1 0 0.2 -0.1
  0 1.1 0.3 0 0.1
  -0.2 0 1 0 0
  0.1 0.2 0 0.8 0
  0 0 -0.1 0 1.3 ]
 [ 22 9 4 1.5 0.4 ]
</Plda> """


LOGISTIC_MODEL = """<LogisticRegression> <weights>  [
  0.1 0.2 -0.3 0.1 0 1
  0.3 -0.2 0.1 0 0.2 -1
  -0.4 0 0.2 0.2 -0.1 0.5
  0.2 0.1 0 -0.1 0.3 0 ]
<class> [ 0 1 2 1 ]
</LogisticRegression> """


def _write(path: Path, holder: ObjectHolder[np.ndarray], entries: list[tuple[str, np.ndarray]]) -> None:
    with TableWriter(f"ark:{path}", holder) as writer:
        for key, value in entries:
            writer.write(key, value)


def run_all(programs: Path) -> dict[str, dict[str, object]]:
    """By command line: exit status, and what was written or printed."""
    made = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_inputs(folder)
        for line in COMMANDS:
            program, *words = line.split()
            environment = {**os.environ, "OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "1"}
            done = subprocess.run([programs / program, *words], cwd=folder, capture_output=True, env=environment)
            out = folder / "OUT"
            text = out.read_text() if "OUT" in line and out.exists() else done.stdout.decode()
            out.unlink(missing_ok=True)
            made[line] = {"status": done.returncode, "text": text if done.returncode == 0 else ""}
    return made


if __name__ == "__main__":
    OUTPUTS.write_text(json.dumps(run_all(Path(sys.argv[1])), indent=0) + "\n")
