"""nnet-pytorch-chain-compute-prob: the log-probabilities that Kaldi's training printed."""

import json
import re
from pathlib import Path

import pytest

from kaldi_bridge.command import run
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.tables import SequentialReader, TableWriter
from nnet3_compat.commands.chainbin import nnet3_chain_compute_prob as chain_compute_prob


def printed(capfd: pytest.CaptureFixture[str]) -> dict[str, str]:
    pattern = r"Overall log-probability for '(\S+)' is (.*) per frame, over \d+ frames"
    return dict(re.findall(pattern, capfd.readouterr().err))


@pytest.mark.parametrize("part", ["train", "valid"])
def test_kaldis_log_probabilities(reference: Path, capfd: pytest.CaptureFixture[str], part: str) -> None:
    """Of the final model of a whole training, to all printed digits but the last."""
    folder = reference / "fsdd/tdnnf"
    expected = json.loads((folder / "log_probabilities.json").read_text())["final"]
    arguments = ["--leaky-hmm-coefficient=0.1", "--xent-regularize=0.1", f"{folder}/final.mdl", f"{folder}/den.fst"]
    assert run(chain_compute_prob.main, [*arguments, f"ark:{folder}/egs/{part}_diagnostic.cegs"]) == 0
    found = printed(capfd)
    for name in ("output", "output-xent"):
        assert float(found[name]) == pytest.approx(expected[f"{part}.{name}"], rel=2e-5)


def test_l2_term_and_training_mode(reference: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = reference / "one_step"
    files = [f"{folder}/four.momentum0.5.raw", f"{folder}/den.fst", f"ark:{folder}/four.cegs"]
    found = []
    for mode in ("true", "false"):
        options = ["--leaky-hmm-coefficient=0.1", "--l2-regularize=5e-5", f"--batchnorm-test-mode={mode}"]
        assert run(chain_compute_prob.main, [*options, *files]) == 0
        found.append(printed(capfd))
    assert list(found[0]) == ["output"]  # no cross-entropy without --xent-regularize
    first, l2_term, total = (float(x) for x in re.findall(r"-[\d.e-]+", found[0]["output"]))
    assert first + l2_term == pytest.approx(total, rel=1e-5)
    assert found[0] != found[1]


def test_mistakes(reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = reference / "one_step"
    model, den, egs = f"{folder}/start.raw", f"{folder}/den.fst", f"ark:{folder}/one.cegs"
    stats = f"{reference}/zoo/stats/model.raw"
    graph = f"{reference}/fsdd/graph/HCLG.fst"
    with SequentialReader(egs, CHAIN_EXAMPLE) as table, TableWriter(f"ark:{tmp_path}/egs", CHAIN_EXAMPLE) as writer:
        for key, example in table:
            example.outputs[0].name = "elsewhere"
            writer.write(key, example)
    cases = [
        ([model, den, f"ark:{tmp_path}/egs"], "no output named elsewhere"),
        ([stats, den, egs], "ivector|fit"),
        ([model, graph, egs], "HCLG.fst"),
        ([model, f"{tmp_path}/none", egs], "none"),
        ([model, den, f"ark:{tmp_path}/none"], "none"),
    ]
    for arguments, what in cases:
        assert run(chain_compute_prob.main, arguments) == 255
        message = capfd.readouterr().err
        assert re.search(what, message), message
        assert "a bug" not in message
    assert run(chain_compute_prob.main, [model, den, "ark:/dev/null"]) == 1
