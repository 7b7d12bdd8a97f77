"""What Kaldi's scripts look for in our logs: their own patterns, as facts (steps/libs/nnet3, steps/info)."""

import re
from pathlib import Path

import pytest

from kaldi_bridge import log
from kaldi_bridge.command import Command
from nnet3_compat.commands.chainbin import nnet3_chain_combine as chain_combine
from nnet3_compat.commands.chainbin import nnet3_chain_compute_prob as chain_compute_prob
from nnet3_compat.commands.chainbin import nnet3_chain_train as train_chain
from nnet3_compat.commands.nnet3bin import nnet3_show_progress as show_progress

OPTIONS = ["--leaky-hmm-coefficient=0.1", "--xent-regularize=0.1"]


def logged(command: Command, program: str, arguments: list[str], capfd: pytest.CaptureFixture) -> list[str]:
    """Lines of the log of a program that stands under its name in Kaldi."""
    capfd.readouterr()
    try:
        assert command.run(arguments, program) == 0
    finally:
        log.set_program_name("")
    return capfd.readouterr().err.splitlines()


def found(pattern: str, lines: list[str]) -> list[tuple[str, ...]]:
    return [match.groups() for match in (re.search(pattern, line) for line in lines) if match]


def test_log_probabilities(reference: Path, capfd: pytest.CaptureFixture) -> None:
    """parse_prob_logs: the report that train.py makes of the log-probabilities of all iterations."""
    folder = reference / "one_step"
    arguments = [*OPTIONS, str(folder / "start.raw"), str(folder / "den.fst"), f"ark:{folder / 'four.cegs'}"]
    lines = logged(chain_compute_prob.main, "nnet3-chain-compute-prob", arguments, capfd)
    lines = [f"exp/log/compute_prob_train.35.log:{line}" for line in lines]
    for output in ("output", "output-xent"):
        pattern = (
            r".*compute_prob_.*\.([0-9]+).log:LOG "
            r".nnet3.*compute-prob.*:PrintTotalStats..:nnet.*diagnostics.cc:[0-9]+. "
            rf"Overall ([a-zA-Z\-]+) for '{output}'.*is ([0-9.\-e]+) .*per frame"
        )
        [(iteration, kind, value)] = found(pattern, lines)
        assert (iteration, kind) == ("35", "log-probability") and float(value) < 0.0


def test_training(reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """get_successful_models, and the objective that decides which job's model is kept."""
    folder, out = reference / "one_step", tmp_path / "1.raw"
    arguments = [*OPTIONS, str(folder / "start.raw"), str(folder / "den.fst"), f"ark:{folder / 'one.cegs'}", str(out)]
    lines = logged(train_chain.main, "nnet3-chain-train", arguments, capfd)
    pattern = r"LOG .* Overall average objective function for 'output' is ([0-9e.\-+]+) over ([0-9e.\-+]+) frames"
    [(value, frames)] = found(pattern, lines)
    assert float(value) < 0.0 and float(frames) == 376.0
    assert len(found(r"this line is to be parsed by a script:\] log-prob-per-frame=(\S+)", lines)) == 2


def test_progress(reference: Path, capfd: pytest.CaptureFixture) -> None:
    """parse_progress_logs_for_param_diff."""
    folder = reference / "one_step"
    arguments = [str(folder / "start.raw"), str(folder / "four.momentum0.5.raw")]
    lines = logged(show_progress.main, "nnet3-show-progress", arguments, capfd)
    for what in ("Parameter differences", "Relative parameter differences"):
        [(differences,)] = found(rf"LOG.*\) {what}.*\[(.*)\]", lines)
        values = dict(part.split(":") for part in differences.split())
        assert float(values["tdnnf2.linear"]) > 0.0


def test_combination(reference: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """steps/info/chain_dir_info.pl."""
    folder = reference / "one_step"
    models = [str(folder / name) for name in ("four.momentum0.5.raw", "start.raw")]
    examples, out = f"ark:{folder / 'four.cegs'}", str(tmp_path / "out.raw")
    arguments = [*OPTIONS, str(folder / "den.fst"), *models, examples, out]
    lines = logged(chain_combine.main, "nnet3-chain-combine", arguments, capfd)
    pattern = r"Combining (\d+) nnets, objective function changed from (\S+) to (\S+)"
    [(count, before, after)] = found(pattern, lines)
    assert int(count) >= 1 and float(before.rstrip(".")) <= float(after.rstrip("."))
