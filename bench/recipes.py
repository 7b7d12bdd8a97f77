"""Kaldi's mini_librispeech, stage by stage, with our programs beside Kaldi's.

``PYTHONPATH=. python bench/recipes.py KALDI``: KALDI is a checkout, for its scripts; Kaldi's own programs are looked
for on the PATH. Both run the stages of run.sh and of local/chain/run_tdnn.sh on a corpus in LibriSpeech's layout that
is made here, each stage as a script of its own: what stands in it, and outside of any stage. Changed are only the
numbers of Gaussians, epochs and jobs of what is trained last (tests/helpers/kaldi_recipes.py). Ratios are our time over
Kaldi's. Ours come from a fork server, one for each stage, whose time counts, and that of the programs, its children.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from beside_kaldi import adopt_servers, kaldi_has

from tests.helpers.kaldi_recipes import copy_mini_librispeech, newest_log
from tests.helpers.made_up_librispeech import make_corpus

RUN, VECTORS, CHAIN = "run.sh", "local/nnet3/run_ivector_common.sh", "local/chain/run_tdnn.sh"
STAGES = [(RUN, stage) for stage in range(1, 9)] + [(VECTORS, stage) for stage in range(1, 7)]
STAGES += [(CHAIN, stage) for stage in range(10, 18)]
WHAT = {
    (RUN, 1): "data, dictionary, lang, language models",
    (RUN, 2): "MFCC, CMVN",
    (RUN, 3): "monophones",
    (RUN, 4): "triphones",
    (RUN, 5): "LDA and MLLT",
    (RUN, 6): "SAT",
    (RUN, 7): "pronunciation probabilities, alignment",
    (RUN, 8): "graph, decoding, rescoring, scoring",
    (VECTORS, 1): "speed perturbation, MFCC",
    (VECTORS, 2): "alignment with fMLLR",
    (VECTORS, 3): "volume perturbation, high-resolution MFCC",
    (VECTORS, 4): "PCA, diagonal UBM",
    (VECTORS, 5): "i-vector extractor",
    (VECTORS, 6): "i-vectors",
    (CHAIN, 10): "topology",
    (CHAIN, 11): "alignments as lattices",
    (CHAIN, 12): "tree",
    (CHAIN, 13): "configs",
    (CHAIN, 14): "examples and training",
    (CHAIN, 15): "graph",
    (CHAIN, 16): "decoding, rescoring, scoring",
    (CHAIN, 17): "online decoding, rescoring, scoring",
}
OPTIONS = {VECTORS: "--online-cmvn-iextractor true --nnet3-affix _online_cmn"}  # as run_tdnn.sh calls it


@dataclass
class Cost:
    """Seconds of the wall clock, and of processors' time."""

    wall: float
    cpu: float


def only_stage(script: str, wanted: int) -> str:
    """A recipe's script without its other stages: blocks ``if [ $stage -le N ]; then`` to ``fi``, both unindented."""
    kept, leave_out = [], False
    for line in script.splitlines():
        begin = re.match(r"if .*\[ \$stage -le (\d+) \]; then", line)
        if begin:
            leave_out = int(begin[1]) != wanted
        if not leave_out:
            kept.append(line)
        if line == "fi":
            leave_out = False
    return "\n".join(kept) + "\n"


def run_stage(recipe: Path, name: str, stage: int) -> Cost:
    """Runs one stage; ends this program where it fails."""
    text = only_stage((recipe / name).read_text(), stage)
    if name == CHAIN:
        text = re.sub(r"^local/nnet3/run_ivector_common\.sh(.*\\\n)*.*\n", "", text, flags=re.M)
    (recipe / "stage.sh").write_text(text)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with open(recipe / "stage.log", "a") as log:
        command = f"bash stage.sh --stage {stage} {OPTIONS.get(name, '')}"
        done = subprocess.run(["bash", "-c", command], cwd=recipe, stdout=log, stderr=subprocess.STDOUT)
    with contextlib.suppress(ChildProcessError):
        while True:  # the fork servers end with the stage
            os.wait()
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"stage {stage} of {name} failed in {recipe}; see stage.log there, and {newest_log(recipe)}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kaldi", nargs="?", type=Path)
    parser.add_argument("--work", default=Path("/tmp/recipes"), type=Path, help="folder, made anew")
    options = parser.parse_args()
    if options.kaldi is None:
        print("takes an hour or more where it is given a checkout of Kaldi")
        return
    adopt_servers()
    systems: dict[str, Path | None] = {"nnet-pytorch": None}
    if kaldi_has("gmm-align-compiled"):
        systems["Kaldi"] = Path(str(shutil.which("gmm-align-compiled"))).parent
    shutil.rmtree(options.work, ignore_errors=True)
    make_corpus(options.work / "corpus")
    recipes = [
        copy_mini_librispeech(options.kaldi.resolve(), options.work / name, options.work / "corpus", programs)
        for name, programs in systems.items()
    ]
    os.environ.update(LC_ALL="C", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    columns = [f"{name}, {unit}" for unit in ("s", "cpu-s") for name in systems] + ["ratio", "ratio cpu"] * (
        len(systems) - 1
    )
    print(f"| script | stage | | {' | '.join(columns)} |\n|---|---:|---|{'---:|' * len(columns)}")
    for name, stage in STAGES:
        costs = [run_stage(recipe, name, stage) for recipe in recipes]
        figures = [f"{cost.wall:.1f}" for cost in costs] + [f"{cost.cpu:.1f}" for cost in costs]
        if len(costs) == 2:
            figures += [f"{costs[0].wall / costs[1].wall:.2f}", f"{costs[0].cpu / costs[1].cpu:.2f}"]
        print(f"| {name} | {stage} | {WHAT[name, stage]} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    main()
