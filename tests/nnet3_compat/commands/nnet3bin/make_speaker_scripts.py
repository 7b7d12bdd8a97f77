"""Makes speaker_scripts.json: what Kaldi's unmodified scripts make with its own programs (f40076610) of made speakers.

    KALDI_ROOT=... python -m tests.nnet3_compat.commands.nnet3bin.make_speaker_scripts FOLDER-OF-KALDIS-PROGRAMS

The network is that of xvector_outputs.json: its weights are random, which is enough to tell these speakers apart.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from tests.helpers.kaldi_recipes import kaldi_checkout, newest_log
from tests.nnet3_compat.commands.nnet3bin.make_xvector_outputs import OUTPUTS as XVECTOR_OUTPUTS

OUTPUTS = Path(__file__).with_name("speaker_scripts.json")
SPEAKERS, TURNS = 5, (0, 1, 2, 0, 2, 1, 1, 0)
FROM_KALDI = {
    "steps": "egs/wsj/s5/steps",
    "utils": "egs/wsj/s5/utils",
    "sid": "egs/sre08/v1/sid",
    "diarization": "egs/callhome_diarization/v1/diarization",
}
PREPARED = (
    "ivector-subtract-global-mean exp/rec/mean.vec {} ark:- | transform-vec exp/rec/transform.mat ark:- ark:- | "
    "ivector-normalize-length ark:- ark:-"
)
SCRIPT = f"""
set -eo pipefail
for data in train rec; do
  utils/utt2spk_to_spk2utt.pl data/$data/utt2spk > data/$data/spk2utt
  sid/compute_vad_decision.sh --nj 1 --cmd utils/run.pl --vad-config vad.conf data/$data exp/vad exp/vad
done
sid/nnet3/xvector/extract_xvectors.sh --nj 1 --cmd utils/run.pl net data/train exp/train
diarization/nnet3/xvector/extract_xvectors.sh --nj 1 --cmd utils/run.pl --window 1.5 --period 0.75 --min-segment 0.5 \\
  --apply-cmn false net data/rec exp/rec
ivector-compute-plda ark:data/train/spk2utt 'ark:{PREPARED.format("scp:exp/train/xvector.scp")} |' exp/rec/plda
diarization/nnet3/xvector/score_plda.sh --nj 1 --cmd utils/run.pl --target-energy 0.9 exp/rec exp/rec exp/scores
diarization/cluster.sh --nj 1 --cmd utils/run.pl --threshold 3 exp/scores exp/clusters
diarization/cluster.sh --nj 1 --cmd utils/run.pl --reco2num-spk data/rec/reco2num_spk exp/scores exp/three
ivector-mean ark:data/train/spk2utt scp:exp/train/xvector.scp ark:- | {PREPARED.format("ark:-")} > exp/speakers.ark
{PREPARED.format("scp:exp/train/xvector.scp")} > exp/tests.ark
ivector-plda-scoring exp/rec/plda ark:exp/speakers.ark ark:exp/tests.ark trials exp/trial_scores
awk '{{print $3, (substr($2, 1, 2) == $1 ? "target" : "nontarget")}}' exp/trial_scores | compute-eer - > exp/eer
"""
RESULTS = ("exp/clusters/rttm", "exp/three/rttm", "exp/eer", "exp/trial_scores")


def voice(speaker: int, frames: int) -> np.ndarray:
    """Features [frames, 6] of a speaker, the first of them an energy."""
    own = np.random.default_rng(speaker).normal(size=(2, 6))
    random = np.random.default_rng(frames)
    feats = 2 * own[0] + (0.5 + np.abs(own[1])) * random.normal(size=(frames, 6))
    feats[:, 0] += 12 * (np.arange(frames) % 40 > 4)
    return feats.astype(np.float32)


def make_recipe(folder: Path, path: str) -> None:
    """A directory of a recipe with two data directories; ``path``: what path.sh puts in front of PATH."""
    kaldi = kaldi_checkout()
    for name, source in FROM_KALDI.items():
        shutil.copytree(kaldi / source, folder / name, symlinks=True)
    (folder / "path.sh").write_text(f"export PATH={path}:$PWD/utils:$PATH LC_ALL=C\n")
    make_data(folder)


def make_data(folder: Path) -> None:
    """The data directories and the network."""
    for name in ("net", "data/train", "data/rec", "exp"):
        (folder / name).mkdir(parents=True)
    train = {f"s{s}-{u}": voice(s, 200 + 17 * u + s) for s in range(SPEAKERS) for u in range(5)}
    recordings = {
        f"r{r}": np.vstack([voice((turn + r) % SPEAKERS, 230 + 11 * i + 3 * r) for i, turn in enumerate(TURNS)])
        for r in range(2)
    }
    segments = {f"{name}-all": feats for name, feats in recordings.items()}
    for data, table in (("train", train), ("rec", segments)):
        with TableWriter(f"ark,scp:{folder}/exp/{data}.ark,{folder}/data/{data}/feats.scp", FLOAT_MATRIX) as writer:
            for key, feats in table.items():
                writer.write(key, feats)
        texts = {
            "utt2spk": [f"{key} {key.split('-')[0]}" for key in table],
            "utt2num_frames": [f"{key} {len(feats)}" for key, feats in table.items()],
            "utt2dur": [f"{key} {len(feats) / 100}" for key, feats in table.items()],
            "frame_shift": ["0.01"],
        }
        if data == "rec":
            texts["segments"] = [f"{key} {key[:2]} 0 {len(feats) / 100}" for key, feats in table.items()]
            texts["wav.scp"] = [f"{name} {name}.wav" for name in recordings]
            texts["reco2num_spk"] = [f"{name} 3" for name in recordings]
        for name, lines in texts.items():
            (folder / "data" / data / name).write_text("\n".join(lines) + "\n")
    files = {
        "vad.conf": "--vad-energy-threshold=2\n--vad-energy-mean-scale=0.5\n",
        "trials": "".join(f"s{s} {key}\n" for s in range(SPEAKERS) for key in train),
        "net/final.raw": json.loads(XVECTOR_OUTPUTS.read_text())["network"],
        "net/extract.config": "output-node name=output input=f\n",
        "net/min_chunk_size": "25\n",
        "net/max_chunk_size": "10000\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)


def run_scripts(folder: Path) -> dict[str, str]:
    """What the scripts made, by file."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        ["bash", "-c", ". ./path.sh" + SCRIPT], cwd=folder, env=environment, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{newest_log(folder)}"
    return {name: (folder / name).read_text() for name in RESULTS}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        make_recipe(Path(name), sys.argv[1])
        OUTPUTS.write_text(json.dumps(run_scripts(Path(name)), indent=0) + "\n")
