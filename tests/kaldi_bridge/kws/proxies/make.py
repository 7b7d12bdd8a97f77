"""Makes lexicons and keywords, and kaldi.json: the proxies of Kaldi's own generate-proxy-keywords, on the PATH.

PYTHONPATH=. python tests/kaldi_bridge/kws/proxies/make.py
"""

from pathlib import Path

import numpy as np

from kaldi_bridge.fsts.fst import Fst, write_fst
from kaldi_bridge.fsts.fstext import composed
from kaldi_bridge.fsts.rational import arc_sorted
from tests.helpers.kaldis_outputs import make_cases

PROGRAM = "generate-proxy-keywords"
FILES = ["confusable.fst", "words.fst", "ark:keywords", "ark,t:OUT/fsts"]
OPTIONS = [
    "--verbose=0",
    "--phone-nbest=5 --proxy-nbest=10",
    "--phone-nbest=1 --proxy-nbest=1",
    "--phone-beam=2 --proxy-beam=1.5",
    "--phone-nbest=-1 --proxy-nbest=-1 --phone-beam=0.5 --proxy-beam=0.5",
    "--phone-nbest=20 --phone-beam=-1",
    "--phone-nbest=3 --phone-beam=3 --proxy-beam=-1 --proxy-nbest=20",
    "--phone-beam=0 --max-states=0",
    "--proxy-beam=0",
    "--phone-nbest=0",
    "--phone-beam=-2",
]
CALLS = [[PROGRAM, *options.split(), *FILES, "ark,t:OUT/list"] for options in OPTIONS]
CALLS += [[PROGRAM, *FILES], [PROGRAM, *FILES[:2], "ark:none", *FILES[3:]], [PROGRAM, *FILES[:3]]]
PHONES = range(1, 9)


def lexicon(pronunciations: dict[int, list[int]], costs: dict[int, float]) -> Fst:
    """From words to phones, any number of words."""
    arcs, states = [], 1
    for word, phones in pronunciations.items():
        state = 0
        for i, phone in enumerate(phones):
            target = 0 if i + 1 == len(phones) else states
            states += target > 0
            arcs.append((state, 0 if i else word, phone, 0.0 if i else costs[word], target))
            state = target
    return Fst.from_arcs(0, {0: 0.0}, arcs)


def edits(random: np.random.Generator) -> Fst:
    """Phones heard as others, left out or put in; costs differ, so that no two proxies cost the same."""
    arcs = [(0, p, q, 0.0 if p == q else 1 + 2 * random.random(), 0) for p in PHONES for q in PHONES]
    arcs += [(0, p, 0, 2 + random.random(), 0) for p in PHONES] + [(0, 0, p, 2 + random.random(), 0) for p in PHONES]
    return Fst.from_arcs(0, {0: 0.0}, arcs)


def inverted(fst: Fst) -> Fst:
    arcs = fst.arcs.copy()
    arcs["ilabel"], arcs["olabel"] = fst.arcs["olabel"], fst.arcs["ilabel"]
    return arc_sorted(fst.changed(arcs=arcs))


def write_inputs(folder: Path) -> None:
    random = np.random.default_rng(3)
    large = {word: random.choice(PHONES, 2 + word % 4).tolist() for word in range(1, 13)}
    small = {word: random.choice(PHONES, 2 + word % 2).tolist() for word in range(21, 34)}
    small |= {33 + phone: [phone] for phone in PHONES}
    costs = {word: float(random.random()) for word in (*large, *small)}
    confusable = composed(arc_sorted(lexicon(large, costs), "olabel"), arc_sorted(edits(random)))
    write_fst(str(folder / "confusable.fst"), arc_sorted(confusable))
    write_fst(str(folder / "words.fst"), inverted(lexicon(small, costs)))
    (folder / "keywords").write_text("KW-1 3\nKW-2 5 8\nKW-3 12\nKW-4 2 1 10\n")
    (folder / "none").write_text("")


if __name__ == "__main__":
    write_inputs(Path(__file__).parent)
    make_cases(Path(__file__).parent, CALLS)
