"""Writes the inputs of test_compute_gop.py, and what Kaldi's compute-gop makes of them (kaldi.json):

    PYTHONPATH=. python tests/kaldi_bridge/commands/bin/gop/make.py

with Kaldi's programs on the PATH.

Phones 2 and 3 share a pdf, 4 and 5 are one phone after mapping; utterance c has an alignment too long, d and e lack
one.
"""

from pathlib import Path

import numpy as np

from tests.helpers.kaldis_outputs import make_cases

MODEL = """<TransitionModel>
<Topology>
<TopologyEntry> <ForPhones> 1 2 3 4 5 </ForPhones>
<State> 0 <PdfClass> 0 <Transition> 0 0.5 <Transition> 1 0.5 </State>
<State> 1 </State>
</TopologyEntry>
</Topology>
<Triples> 6
1 0 0
2 0 1
3 0 1
4 0 2
4 0 3
5 0 4
</Triples>
<LogProbs>
 [ 0 -0.7 -0.7 -0.7 -0.7 -0.7 -0.7 -0.7 -0.7 -0.7 -0.7 -0.7 -0.7 ]
</LogProbs>
</TransitionModel>
"""
PHONE_OF_STATE = [1, 2, 3, 4, 4, 5]
STATES = {"a": [0, 1, 2, 3, 5, 0], "b": [4, 4, 1], "c": [0, 5, 0], "d": [1], "e": [2]}
INPUTS = ["model", "ark:ali", "ark:phones"]
CALLS = [
    ["compute-gop", "--phone-map=map", *INPUTS, "ark:logs", "ark,t:OUT/gop", "ark,t:OUT/feats"],
    ["compute-gop", "--phone-map=map", "--log-applied=false", *INPUTS, "ark:probs", "ark,t:OUT/gop", "ark,t:OUT/feats"],
    [
        "compute-gop",
        "--phone-map=map",
        "--skip_phones_string=0:1:3",
        *INPUTS,
        "ark:logs",
        "ark,t:OUT/gop",
        "ark,t:OUT/feats",
    ],
    ["compute-gop", "--phone-map=map", "model", "ark:ali", "ark:none", "ark:logs", "ark,t:OUT/gop", "ark,t:OUT/feats"],
]


def write_inputs(folder: Path) -> None:
    random = np.random.default_rng(0)
    alignments, phones, probabilities = "", "", {}
    for name, states in STATES.items():
        ids: list[int] = []
        of_phones: list[int] = []
        for state in states:
            loops = int(random.integers(4))
            ids += [2 * state + 2, *[2 * state + 1] * loops]
            of_phones += [PHONE_OF_STATE[state]] * (loops + 1)
        frames = len(ids) - (name == "c")
        scores = random.normal(size=(frames, 5))
        probabilities[name] = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        alignments += f"{name} {' '.join(map(str, ids))}\n" if name != "e" else ""
        phones += f"{name} {' '.join(map(str, of_phones))}\n" if name != "d" else ""
    (folder / "model").write_text(MODEL)
    (folder / "map").write_text("1 1\n2 2\n3 3\n4 4\n5 4\n")
    (folder / "ali").write_text(alignments)
    (folder / "phones").write_text(phones)
    (folder / "none").write_text("")
    (folder / "probs").write_text(_archive(probabilities))
    (folder / "logs").write_text(_archive({name: np.log(rows) for name, rows in probabilities.items()}))


def _archive(matrices: dict[str, np.ndarray]) -> str:
    lines = []
    for name, rows in matrices.items():
        lines.append(f"{name}  [\n" + "\n".join(" ".join(f"{x:.5f}" for x in row) for row in rows) + " ]\n")
    return "".join(lines)


if __name__ == "__main__":
    write_inputs(Path(__file__).parent)
    make_cases(Path(__file__).parent, CALLS)
