"""Training as recipes call it, on made-up speech: directories in, a model directory that decodes out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.command import run
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import DOUBLE_MATRIX
from kaldi_bridge.transforms.global_cmvn import read_global_stats
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.model_file import Archive, read_any
from steps_pytorch.commands.average_models import main as average_models
from steps_pytorch.commands.train_model import main as train_model
from steps_pytorch.training.report.journal import read_journal
from steps_pytorch.training.run.checkpoints import load_state
from steps_pytorch.training.run.jobs import num_jobs
from steps_pytorch.training.run.options import RunOptions
from tests.helpers.made_up_data import FACTOR, NUM_PDFS
from tests.helpers.made_up_speech import XCONFIG, make_speech
from tests.helpers.places import ROOT


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    return make_speech(tmp_path / "speech")


def words(speech: Path, folder: Path, *more: str, network: bool = True) -> list[str]:
    model = [f"--model-opts=--network={speech}/network.xconfig"] if network else []
    return [
        *model,
        "--cmvn-opts=--norm-means=true",
        f"--tree-dir={speech}/ali",
        "--chunk-width=60,30",
        "--minibatch-size=8",
        "--num-epochs=2",
        "--num-workers=0",
        "--num-threads=1",
        *more,
        str(speech / "data"),
        str(speech if "cross-entropy" not in " ".join(more) else speech / "ali"),
        str(folder),
    ]


def lfmmi(speech: Path, folder: Path, *more: str) -> list[str]:
    return words(speech, folder, f"--objective-opts=--den-fst={speech}/den.fst", *more)


def test_lfmmi_into_a_directory_of_kaldis(speech: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    folder = tmp_path / "exp"
    assert run(train_model, lfmmi(speech, folder)) == 0
    message = capfd.readouterr().err
    assert f"steps_pytorch/decode.sh --acwt 1.0 --post-decode-acwt 10.0 <graph> <data> {folder}/decode_test" in message
    model = read_any(str(folder / "final.mdl"))
    assert isinstance(model, AmNnet)
    assert model.num_pdfs == NUM_PDFS
    assert not model.priors.size
    assert (folder / "frame_subsampling_factor").read_text() == "3\n"
    assert (folder / "cmvn_opts").read_text() == "--norm-means=true\n"
    assert (folder / "tree").read_text() == "a tree\n"
    assert (folder / "training.png").read_bytes().startswith(b"\x89PNG")
    events = read_journal(folder)
    assert {"chain", "xent"} <= set(events[0]["train"])
    final = events[-1]
    assert final["event"] == "final"
    assert final["source"] == "the average of iterations 1, 2"

    # The same again: nothing is left to do, and other options are refused.
    before = (folder / "final.mdl").read_bytes()
    assert run(train_model, lfmmi(speech, folder)) == 0
    assert (folder / "final.mdl").read_bytes() == before
    assert run(train_model, lfmmi(speech, folder, "--num-epochs=3")) != 0
    assert "was begun with num-epochs 2.0, now it is 3.0: give it as it was, or start anew" in capfd.readouterr().err
    assert run(train_model, lfmmi(speech, folder, "--num-epochs=1", "--resume=false")) == 0
    assert [event["iteration"] for event in read_journal(folder) if event["event"] == "iteration"] == [1]


def test_online_normalization_is_told_to_decoding_and_to_vosk(speech: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exp"
    assert run(train_model, lfmmi(speech, folder, "--online-cmvn=true", "--cmvn-opts=", "--num-epochs=1")) == 0
    assert (folder / "online_cmvn").is_file()
    assert (folder / "cmvn_opts").read_text() == "\n"
    with SequentialReader(f"scp:{speech}/data/cmvn.scp", DOUBLE_MATRIX) as reader:
        total = sum(matrix for _, matrix in reader)
    np.testing.assert_allclose(read_global_stats(str(folder / "global_cmvn.stats")), total)
    per_speaker = tmp_path / "per_speaker"
    assert run(train_model, lfmmi(speech, per_speaker, "--num-epochs=1")) == 0
    valid = [read_journal(run_folder)[-1]["valid"]["chain"] for run_folder in (folder, per_speaker)]
    assert valid[0] != valid[1]


def test_cross_entropy_with_priors_and_another_model(
    speech: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    folder = tmp_path / "exp"
    options = ["--objective=cross-entropy", "--frame-subsampling-factor=3", "--alignment-subsampling-factor=3"]
    options += ["--model=tdnn", "--model-opts=--hidden-dim=8 --time-strides='1 0' --prefinal-dim=0", "--optimizer=adam"]
    options += ["--initial-learning-rate=0.01", "--moving-average=0.9", "--objective-opts=--prior-floor=0.01"]
    assert run(train_model, words(speech, folder, *options, network=False)) == 0
    model = read_any(str(folder / "final.mdl"))
    assert isinstance(model, Archive)
    assert model.transition_model is not None
    from nnet3_compat.export.torch_model import TorchModel

    loaded = TorchModel.from_archive(model, "final.mdl")
    assert loaded.priors is not None
    assert loaded.priors.sum() == pytest.approx(1.0)
    assert loaded.priors.min() >= 0.009
    assert loaded.frame_subsampling_factor == FACTOR
    assert "decode.sh <graph>" in capfd.readouterr().err
    assert read_journal(folder)[-1]["source"] == "the moving average with decay 0.9"


def test_dropout_ends_as_its_schedule_does(speech: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    network = XCONFIG.replace("relu-batchnorm-layer", "relu-batchnorm-dropout-layer")
    (speech / "network.xconfig").write_text(network.replace("tdnn1 dim=12", "tdnn1 dim=12 dropout-proportion=0.1"))
    made = {}
    for schedule in ("", "0,0.5@0.5,0.25"):
        folder = tmp_path / f"exp{schedule}"
        assert run(train_model, lfmmi(speech, folder, f"--dropout-schedule={schedule}")) == 0
        made[schedule] = read_any(str(folder / "final.mdl")).nnet.components["tdnn1.dropout"].dropout_proportion
    assert made == pytest.approx({"": 0.1, "0,0.5@0.5,0.25": 0.25})
    assert run(train_model, lfmmi(speech, tmp_path / "wrong", "--dropout-schedule=0.3")) != 0
    assert "--dropout-schedule=0.3: expected proportions such as" in capfd.readouterr().err


def test_a_seed_fixes_a_run(speech: Path, tmp_path: Path) -> None:
    """To the last bit, with and without worker processes, dropout and natural gradient included."""
    network = XCONFIG.replace("relu-batchnorm-layer", "relu-batchnorm-dropout-layer")
    (speech / "network.xconfig").write_text(network.replace("tdnn1 dim=12", "tdnn1 dim=12 dropout-proportion=0.2"))
    models = []
    for n, options in enumerate((["--num-workers=0"], ["--num-workers=2"], ["--srand=1"])):
        assert run(train_model, lfmmi(speech, tmp_path / f"exp{n}", *options)) == 0
        models.append((tmp_path / f"exp{n}" / "final.mdl").read_bytes())
    assert models[0] == models[1]
    assert models[0] != models[2]


def test_models_are_averaged_afterwards(speech: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    folder = tmp_path / "exp"
    assert run(train_model, lfmmi(speech, folder, "--average-last=2", "--iterations-per-epoch=2")) == 0
    assert run(average_models, [str(folder), "both"]) == 0
    assert (folder / "both.mdl").read_bytes() == (folder / "final.mdl").read_bytes()
    assert "--iter both " in capfd.readouterr().err
    assert run(average_models, ["--iterations=4", str(folder), "last"]) == 0
    assert (folder / "last.mdl").read_bytes() != (folder / "final.mdl").read_bytes()
    assert run(average_models, ["--iterations=1", str(folder), "gone"]) != 0
    assert f"no such file {folder}/1.pt" in capfd.readouterr().err
    assert run(average_models, [str(speech)]) != 0
    assert "does not describe a run of training" in capfd.readouterr().err


def test_a_warm_start_takes_what_fits(speech: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    first = tmp_path / "first"
    assert run(train_model, lfmmi(speech, first)) == 0
    for number, source in enumerate((first / "2.pt", first / "checkpoint.2.pt", first / "final.mdl")):
        folder = tmp_path / f"second{number}"
        options = [f"--init-model={source}", "--init-skip=*output*", "--initial-learning-rate=1e-12"]
        assert run(train_model, lfmmi(speech, folder, *options, "--final-learning-rate=1e-12", "--num-epochs=1")) == 0
        assert "Left as they were: network.components.output_affine.linear_params" in capfd.readouterr().err
        begun, made = load_state(first / "2.pt"), load_state(folder / "1.pt")
        name = "network.components.tdnn1_affine.linear_params"
        if number < 2:
            assert torch.allclose(begun[name], made[name], atol=1e-6)
        assert not torch.allclose(
            begun["network.components.output_affine.linear_params"],
            made["network.components.output_affine.linear_params"],
            atol=1e-3,
        )
    assert run(train_model, lfmmi(speech, tmp_path / "x", f"--init-model={speech}/den.fst")) != 0


def test_what_is_wrong_is_named(speech: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    folder = tmp_path / "exp"
    cases = [
        (["--tree-dir=nowhere"], "no such file nowhere/final.mdl"),
        (["--objective-opts=--den-fst=nowhere"], "nowhere"),
        (["--objective=lfmi"], "no objective 'lfmi'; known are"),
        (["--optimizer=rmsprop"], "no optimizer 'rmsprop'; known are adadelta, adam"),
        (["--precision=float16"], "float16 needs a GPU"),
        (["--accumulate=0"], "--accumulate=0 is out of range"),
        (["--num-jobs-final=3"], "--num-jobs-final goes with --num-jobs-initial"),
        (["--ivector-dir=nowhere"], "nowhere/ivector_period"),
        (["--warmup-epochs=3"], "do not fit into 2 epochs"),
        (["--init-model=nowhere.pt"], "no such file nowhere.pt"),
        (["--objective=cross-entropy", "--objective-opts="], "utterances are left out"),
    ]
    for options, message in cases:
        assert run(train_model, lfmmi(speech, folder, *options)) != 0, options
        assert message in capfd.readouterr().err, options
        assert not (folder / "training.json").exists(), options
    assert run(train_model, ["a", "b"]) != 0
    assert "wrong number of arguments: 2, not 3" in capfd.readouterr().err
    assert run(train_model, ["--models=true"]) == 0
    listed = capfd.readouterr().out
    assert all(name in listed for name in ("model nnet3", "objective cross-entropy", "optimizer natural-gradient"))


def test_more_data_without_targets_and_ivectors(speech: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    (tmp_path / "more").write_text(
        f"# unlabeled\nname=extra data={speech}/data weight=0.5 repeat=0.5 ivectors={speech}/ivectors\n"
    )
    options = ["--objective=l2", "--objective-opts=", "--model=tdnn", "--optimizer=sgd", "--frame-subsampling-factor=3"]
    options += ["--model-opts=--hidden-dim=8 --time-strides=0 --prefinal-dim=0", f"--more-data={tmp_path}/more"]
    options += ["--alignment-subsampling-factor=3", f"--ivector-dir={speech}/ivectors"]
    arguments = words(speech, tmp_path / "exp", *options, network=False)
    arguments[-2] = str(speech / "ali")
    assert run(train_model, arguments) == 0, capfd.readouterr().err
    (tmp_path / "more").write_text(f"name=extra data={speech}/data size=3\n")
    arguments[-1] = str(tmp_path / "exp2")
    assert run(train_model, arguments) != 0
    assert "data set line" in capfd.readouterr().err


def test_tensorboard_is_asked_for(speech: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    folder = tmp_path / "exp"
    status = run(train_model, lfmmi(speech, folder, "--tensorboard=true"))
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        assert status != 0
        assert "pip install 'nnet-pytorch[tensorboard]'" in capfd.readouterr().err
    else:
        assert status == 0
        assert list((folder / "tensorboard").glob("events*"))


def test_the_number_of_jobs_grows() -> None:
    options = RunOptions(num_epochs=12.0, num_jobs_initial=2, num_jobs_final=6)
    counts = [num_jobs(options, iteration) for iteration in (1, 2, 3, 4)]
    assert counts == [2, 4, 6, 6]  # the first three are twelve epochs
    assert num_jobs(RunOptions(num_jobs_initial=3), 7) == 3


JOBS = ["--num-jobs-initial=1", "--num-jobs-final=2", "--num-epochs=3", "--average-last=2"]


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["natural-gradient", "adam"])
def test_jobs_are_averaged(speech: Path, tmp_path: Path, optimizer: str, capfd: pytest.CaptureFixture) -> None:
    """A job of the second iteration fails at first: it is started again. The average is that of the jobs' states."""
    folder = tmp_path / "exp"
    cmd = tmp_path / "cmd"
    cmd.write_text(
        f"""#!/usr/bin/env bash
if [ $1 == JOB=1:2 ] && [ ! -f {tmp_path}/failed ]; then
  touch {tmp_path}/failed
  shift
  {ROOT}/utils/run.py JOB=2 "$@"
  exit 1
fi
{ROOT}/utils/run.py "$@" || exit 1
mkdir -p {tmp_path}/kept
cp {folder}/jobs/*.pt {tmp_path}/kept
"""
    )
    cmd.chmod(0o755)
    options = [*JOBS, f"--cmd={cmd}", f"--optimizer={optimizer}", "--initial-learning-rate=0.01"]
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    command = [sys.executable, "-m", "steps_pytorch.commands.train_model", *lfmmi(speech, folder, *options)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    events = [event for event in read_journal(folder) if event["event"] == "iteration"]
    assert [event["iteration"] for event in events] == [1, 2]
    assert events[-1]["valid"]["chain"] > events[0]["valid"]["chain"]
    kept = [load_state(path) for path in sorted((tmp_path / "kept").glob("2.*.pt"))]
    assert len(kept) == 2
    made = load_state(folder / "checkpoint.2.pt")
    name = "network.components.tdnn1_affine.linear_params"
    mean = sum(state["model"][name] for state in kept) / 2
    assert torch.allclose(made["model"][name], mean, atol=1e-6)
    assert not torch.equal(kept[0]["model"][name], kept[1]["model"][name])
    if optimizer == "adam":
        moments = [state["optimizer"]["optimizer"]["state"][0]["exp_avg"] for state in (*kept, made)]
        assert torch.allclose(moments[2], (moments[0] + moments[1]) / 2, atol=1e-7)
    assert not list((folder / "jobs").iterdir())
    assert f"1 of 2 jobs of iteration 2 failed (status 1), see {folder}/log/train.2.1.log" in result.stderr


@pytest.mark.slow
def test_a_job_that_fails_twice_is_an_error_and_others_are_kept(speech: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exp"
    bad = tmp_path / "bad"
    bad.write_text(f'#!/usr/bin/env bash\nrange=$1; shift\n{ROOT}/utils/run.py JOB=1 "$@"\nkill -9 $$\n')
    bad.chmod(0o755)
    environment = dict(os.environ, PYTHONPATH=str(ROOT))

    def train(cmd: Path) -> subprocess.CompletedProcess[str]:
        options = ["--num-jobs-initial=2", "--num-epochs=2", f"--cmd={cmd}"]
        command = [sys.executable, "-m", "steps_pytorch.commands.train_model", *lfmmi(speech, folder, *options)]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    result = train(bad)
    assert result.returncode != 0
    assert f"1 of 2 jobs of iteration 1 failed (status -9), see {folder}/log/train.1.2.log" in result.stderr
    assert "run the same command again" in result.stderr
    finished = (folder / "jobs/1.1.pt").stat().st_mtime_ns
    result = train(ROOT / "utils/run.py")
    assert result.returncode == 0, result.stderr
    assert "This job was finished before" in (folder / "log/train.1.1.log").read_text()
    assert finished
    assert (folder / "final.mdl").exists()


@pytest.mark.slow
def test_the_shell_step_makes_all_that_is_missing(speech: Path, tmp_path: Path) -> None:
    """From feats.scp and alignments to final.mdl, and from another directory."""
    shutil.copy(speech / "ali/final.mdl", tmp_path)
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", OMP_NUM_THREADS="1")
    command = [str(ROOT / "steps_pytorch/train.sh"), "--nj", "2", "--objective", "cross-entropy"]
    command += ["--frame-subsampling-factor", "3", "--alignment-subsampling-factor=3", "--num_epochs", "1"]
    command += ["--model-opts", f"--network={speech}/network.xconfig", "--chunk-width", "60,30", "--num-workers", "0"]
    result = subprocess.run([*command, "speech/data", "speech/ali", "exp"], cwd=tmp_path, env=environment,
                            capture_output=True, text=True)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert isinstance(read_any(str(tmp_path / "exp/final.mdl")), AmNnet)
    assert (tmp_path / "exp/store/store.json").exists()
    for words_, message in (
        (["--stage"], "needs a value"),
        (["speech/data", "speech/none", "exp"], "no such file speech/none/final.mdl"),
        (
            [*command[1:3], *command[3:5], "--nosuch", "3", "speech/data", "speech/ali", "exp"],
            "Invalid option --nosuch=3",
        ),
    ):
        result = subprocess.run([command[0], *words_], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert result.returncode != 0
        assert message in result.stderr


@pytest.mark.slow
def test_a_tdnnf_in_bfloat16(speech: Path, tmp_path: Path) -> None:
    """With natural gradient, which sees the layers' inputs and derivatives: nearly what single precision gives."""
    relu = ("relu-batchnorm-layer name=tdnn1 dim=12 input=Append(-1,0,1)", "relu-layer name=tdnn1 dim=12")
    lines = XCONFIG.replace(*relu)
    tdnnf = "tdnnf-layer name=tdnnf2 dim=12 bottleneck-dim=6 time-stride=1\n"
    lines = lines.replace("output-layer name=output include", f"{tdnnf}output-layer name=output include")
    (speech / "network.xconfig").write_text(lines.replace("input=tdnn1", "input=tdnnf2"))
    found = {}
    for precision in ("float32", "bfloat16"):
        folder = tmp_path / precision
        assert run(train_model, lfmmi(speech, folder, "--optimizer=natural-gradient", f"--precision={precision}")) == 0
        found[precision] = read_journal(folder)[-1]["valid"]["chain"]
    assert found["bfloat16"] == pytest.approx(found["float32"], abs=0.02)
    assert found["bfloat16"] != found["float32"]
