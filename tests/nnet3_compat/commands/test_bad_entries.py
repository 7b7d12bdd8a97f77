"""Programs that loop over a table warn, count and go on where Kaldi's do, and end where Kaldi's do.

Every program reads tables of three entries of which none or one is bad, at each place; bad_entries.json is what real
Kaldi's programs did with the same tables (bad_entries.py made it).
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from kaldi_bridge.command import run
from tests.helpers.bad_entries import CASES, EXPECTED, KEYS, POSITIONS, Inputs, clear, outcome
from tests.helpers.twins import twin

TORCH = ("nnet3-compute", "nnet3-latgen", "nnet3-align", "nnet3-chain-compute")  # import torch, which takes seconds

# Kaldi's warnings from inside its readers and algorithms; what they mean for an utterance is said in another.
NOTES = re.compile(
    "^(EqualAlign: |No self-loops on chosen path|Error, no surviving tokens|No tokens alive"
    "|Exception caught in WaveHolder|Failed to load object|Error reading object|Failed to open file"
    r"|Error opening stream|\[perhaps the transform|Supervision FST is empty)"
)
OUR_NOTES = re.compile(
    "as permissive mode is specified|Compressing a matrix with NaN|nothing is left of the graph|No objective"
)

# What Kaldi's programs do with memory that is not theirs; ours end.
UNDEFINED = {
    (
        "transform-feats ark:squares ark:in OUT",
        "narrow",
    ),  # whether a product of matrices is singular in single precision
    ("apply-cmvn-online --spk2utt=ark:spk2utt cmvn.global ark:in OUT", "empty"),
    ("acc-tree-stats mono.mdl ark:in ark:ali out", "narrow"),
    ("ali-to-pdf mono.mdl ark:in OUT", "zero"),
    ("post-to-pdf-post mono.mdl ark:in OUT", "zero"),
    ("post-to-pdf-post mono.mdl ark:in OUT", "beyond"),
    ("ali-to-pdf mono.mdl ark:in OUT", "beyond"),
    ("gmm-acc-stats-ali mono.mdl ark:feats ark:in out", "zero"),
    ("build-pfile-from-ali mono.mdl ark:in ark:feats out", "zero"),
    ("build-pfile-from-ali mono.mdl ark:in ark:feats out", "beyond"),
    ("chain-make-num-fst-e2e mono.mdl normalization.fst ark:in OUT", "beyond"),
    ("nnet3-chain-e2e-get-egs --num-frames=8,9,10 normalization.fst ark:feats ark:in mono.mdl OUT", "beyond"),
}
# Where Kaldi's go on with values that are not numbers, with transition-ids of no model, or not, by luck, or end as no
# path survives; ours leave the utterance out.
LEFT_OUT = {
    ("decode-faster normalization.fst ark:in OUT MORE", "nan"),
    ("nnet3-chain-e2e-get-egs --num-frames=8,9,10 normalization.fst ark:feats ark:in mono.mdl OUT", "empty"),
    ("gmm-latgen-biglm-faster mono.mdl ark:in G.fst G.fst ark:feats OUT", "one-frame"),
    ("latgen-faster-mapped mono.mdl ark:graphs ark:in OUT", "nan"),
    ("nnet3-chain-compute-post --use-gpu=no nnet.raw den.fst ark:in OUT", "nan"),
    ("nnet3-align-compiled nnet.mdl ark:graphs ark:in OUT MORE", "infinite"),
    ("nnet3-discriminative-get-egs --num-frames=4 mono.mdl ark:feats ark:ali.lats ark:in OUT", "zero"),
    ("nnet3-discriminative-get-egs --num-frames=4 mono.mdl ark:feats ark:ali.lats ark:in OUT", "beyond"),
}
NOT_WRITTEN = "acc-tree-stats"  # statistics of nothing, which nothing can be made of
SHUFFLED = "shuffle-egs"  # by the C++ library's generator
COUNTED_TWICE = "ivector-randomize"  # Kaldi's program says that there were twice as many as there are


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = tmp_path_factory.mktemp("bad_entries")

    def ours(line: str) -> None:
        name, *arguments = line.split()
        assert run(twin(name), arguments) == 0, line

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return Inputs(folder, ours)


def alike(ours: str, kaldis: str, begins: bool = False) -> bool:
    """Numbers to 0.1 %. ``begins``: ours may go on, with the reason or the name of the utterance."""
    number = re.compile(r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)\b")
    if begins and not number.search(kaldis):
        return ours.startswith(kaldis)
    mine, theirs = number.findall(ours), number.findall(kaldis)
    texts = number.sub("#", ours), number.sub("#", kaldis)
    if not (texts[0].startswith(texts[1]) if begins else texts[0] == texts[1]):
        return False
    return all(
        a == b or str(b) == str(a) or abs(a - b) <= 1e-3 * abs(b)
        for a, b in zip(map(float, mine), map(float, theirs), strict=False)
    )


def differences(ours: dict[str, Any], kaldis: dict[str, Any], key: str) -> list[str]:
    """What is not as in Kaldi. Where Kaldi's crashed (a failed assertion), ours may end, or leave the entry out."""
    if kaldis["status"] == "crash":
        left_out = ours["status"] in (0, 1) and any(re.search(rf"\b{key}\b", text) for text in ours["warnings"])
        return [] if ours["status"] == 255 or left_out else [f"Kaldi's crashes, ours neither ends nor warns: {ours}"]
    if 255 in (ours["status"], kaldis["status"]):
        return [] if ours["status"] == kaldis["status"] else [f"{ours} instead of {kaldis}"]
    found = [
        f"{name}: {ours[name]} instead of {kaldis[name]}"
        for name in ("status", "written")
        if ours[name] != kaldis[name]
    ]
    found += [
        f"{name}: {ours[name]!r} instead of {kaldis[name]!r}"
        for name in ("stdout", "log")
        if not alike(ours[name], kaldis[name])
    ]
    mine = [text for text in ours["warnings"] if not OUR_NOTES.search(text)]
    theirs = [text for text in kaldis["warnings"] if not NOTES.match(text)]
    if len(mine) != len(theirs) or not all(alike(a, b, begins=True) for a, b in zip(mine, theirs, strict=True)):
        found.append(f"warnings: {mine} instead of {theirs}")
    return found


def names() -> list[Any]:
    everything = json.loads(EXPECTED.read_text())
    return [
        pytest.param(case, fault, id=f"{case}-{fault}", marks=[pytest.mark.slow] if case.startswith(TORCH) else [])
        for case in CASES
        for fault in everything[case]
        if (case, fault) not in UNDEFINED
    ]


@pytest.mark.parametrize(("case", "fault"), names())
def test_as_kaldis_programs(
    inputs: Inputs, case: str, fault: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(inputs.folder)
    expected = json.loads(EXPECTED.read_text())[case][fault]
    for position, kaldis in expected.items():
        clear(inputs.folder)
        inputs.put(case, fault, position)
        name, *arguments = CASES[case][0]
        status = run(twin(name), arguments)
        captured = capfd.readouterr()
        ours = outcome(inputs.folder, status, captured.out, captured.err)
        if (case, fault) in LEFT_OUT:
            kaldis = {"status": "crash"}
        if name == NOT_WRITTEN and kaldis["status"] == 1:
            kaldis = {**kaldis, "written": {}, "log": ours["log"]}
        if SHUFFLED in name:
            kaldis["written"]["out"].sort()
            ours["written"]["out"].sort()
        if name == COUNTED_TWICE:
            kaldis["log"] = ours["log"]
        found = differences(ours, kaldis, KEYS[POSITIONS[position]] if fault else "")
        assert not found, (position, found, captured.err)
