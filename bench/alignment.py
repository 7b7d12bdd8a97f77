"""Transcripts aligned with recordings beside Kaldi's programs: recordings in, CTMs of words and phones out.

Both align the test utterances of the digits beside this checkout, several times over, by the network without i-vectors.
Ours is one program. Kaldi's, where they are on the PATH, are compute-mfcc-feats, apply-cmvn-online,
compile-train-graphs, nnet3-align-compiled and what makes CTMs of alignments. The last line is without start-up: what
more data cost.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from beside_kaldi import ROUNDS, kaldi_has, seconds

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.helpers.kaldi_folders import digits_folder

SHARED = Path(os.environ.get("NNET_PYTORCH_SHARED", Path(__file__).parents[2] / "shared"))
COPIES = 5
OURS = "nnet-pytorch-align --lang={lang} --output=ctm,phone-ctm --output-dir=ours {model} {data}"
KALDIS = """set -e
compute-mfcc-feats --config={model}/conf/mfcc.conf scp:{data}/wav.scp ark:- |
  apply-cmvn-online --config={model}/conf/online_cmvn.conf {model}/conf/global_cmvn.stats ark:- ark:feats
compile-train-graphs --transition-scale=1 --self-loop-scale=1 --read-disambig-syms={lang}/phones/disambig.int \
  {model}/tree {model}/final.mdl {lang}/L.fst ark:{data}/text.int ark:- |
  nnet3-align-compiled --use-gpu=no --frame-subsampling-factor=3 --acoustic-scale=1 --transition-scale=0 \
  --self-loop-scale=0 --beam=20 --retry-beam=80 {model}/final.mdl ark:- ark:feats ark:ali
linear-to-nbest ark:ali ark:{data}/text.int '' '' ark:- |
  lattice-align-words {lang}/phones/word_boundary.int {model}/final.mdl ark:- ark:- |
  nbest-to-ctm --frame-shift=0.03 ark:- words.ctm
ali-to-phones --ctm-output --frame-shift=0.03 {model}/final.mdl ark:ali phones.ctm
"""


def write_data(folder: Path, copies: int) -> Path:
    """The test set so many times, with absolute names; its text in numbers, too."""
    numbers = dict(line.split() for line in (SHARED / "reference/fsdd/lang/words.txt").read_text().splitlines())
    texts, places = (
        dict(line.split(" ", 1) for line in (SHARED / "corpus/fsdd/test" / name).read_text().splitlines())
        for name in ("text", "wav.scp")
    )
    folder.mkdir()
    lines: dict[str, list[str]] = {"text": [], "text.int": [], "utt2spk": [], "wav.scp": []}
    for copy in range(copies):
        for key, text in texts.items():
            name = f"{copy}-{key}"
            lines["text"].append(f"{name} {text}")
            lines["text.int"].append(" ".join([name, *(numbers[word] for word in text.split())]))
            lines["utt2spk"].append(f"{name} {name}")
            lines["wav.scp"].append(f"{name} {SHARED}/corpus/fsdd/{places[key]}")
    for name, rows in lines.items():
        (folder / name).write_text("\n".join(rows) + "\n")
    return folder


def main() -> None:
    if not (SHARED / "corpus/fsdd/test").is_dir():
        print("no recordings beside this checkout")
        return
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    programs = {"ours": OURS} | ({"Kaldi's": KALDIS} if kaldi_has("nnet3-align-compiled") else {})
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        model = digits_folder(SHARED / "reference", Path(folder, "model"))
        data = {copies: write_data(Path(folder, f"data{copies}"), copies) for copies in (1, COPIES)}
        lang = SHARED / "reference/fsdd/lang"
        spent: dict[tuple[int, str], float] = {}
        for _ in range(ROUNDS):
            for copies, where in data.items():
                for name, command in programs.items():
                    used = seconds(command.format(model=model, data=where, lang=lang))[1]
                    spent[copies, name] = min(used, spent.get((copies, name), used))
    print(f"{'seconds of processors':<36}" + "".join(f"{name:>10}" for name in programs))
    for copies in data:
        print(f"{copies} x 205 utterances{'':<18}" + "".join(f"{spent[copies, name]:10.2f}" for name in programs))
    more = {name: (spent[COPIES, name] - spent[1, name]) / (COPIES - 1) for name in programs}
    print(f"{'205 more utterances':<36}" + "".join(f"{cost:10.2f}" for cost in more.values()))


if __name__ == "__main__":
    main()
