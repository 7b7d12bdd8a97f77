"""Networks on a GPU: the outputs and the steps of training that the CPU makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.command import run
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE, ChainExample, ChainOutput
from kaldi_bridge.examples.frame_examples import NnetIo
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.commands.chainbin import nnet3_chain_train
from nnet3_compat.commands.nnet3bin import nnet3_compute, nnet3_compute_batch
from nnet3_compat.components import set_seed
from nnet3_compat.model.model_file import read_nnet, write_model
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.xconfig.nnet import nnet_of_xconfig
from tests.helpers.chain_supervisions import two_sequences
from tests.helpers.made_up_training import DIM, XCONFIG, write_den_fst

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
LSTMP = f"""
input dim={DIM} name=input
fast-lstmp-layer name=lstm1 cell-dim=16 recurrent-projection-dim=4 non-recurrent-projection-dim=4 delay=-3
output-layer name=output dim=4
"""


@pytest.fixture(params=[XCONFIG, LSTMP], ids=["tdnnf", "lstmp"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    set_seed(1)
    path = tmp_path / "model.raw"
    write_model(str(path), nnet_of_xconfig(request.param.splitlines()))
    return path


@pytest.mark.parametrize("program", [nnet3_compute, nnet3_compute_batch], ids=["compute", "compute_batch"])
def test_outputs_on_a_gpu(program, model: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    with TableWriter(f"ark:{tmp_path}/feats", FLOAT_MATRIX) as writer:
        for number, frames in enumerate((100, 7, 333)):
            writer.write(f"utt{number}", random.standard_normal((frames, DIM), np.float32))
    made = []
    for use_gpu in ("no", "yes"):
        arguments = [f"--use-gpu={use_gpu}", str(model), f"ark:{tmp_path}/feats", f"ark:{tmp_path}/{use_gpu}"]
        assert run(program.main, arguments) == 0
        made.append({key: np.array(value) for key, value in SequentialReader(arguments[-1], FLOAT_MATRIX)})
    assert list(made[0]) == list(made[1])
    for key, output in made[0].items():
        np.testing.assert_allclose(made[1][key], output, rtol=1e-3, atol=1e-3, err_msg=key)


def test_a_training_step_on_a_gpu(tmp_path: Path) -> None:
    """Natural gradient, LF-MMI with its cross-entropy branch, constraints: parameters change as on the CPU."""
    set_seed(1)
    start = nnet_of_xconfig(XCONFIG.splitlines())
    write_model(str(tmp_path / "start.raw"), start)
    supervision = two_sequences()
    sequences, outputs = supervision.num_sequences, supervision.frames_per_sequence
    times = [(n, t, 0) for t in range(-4, 3 * outputs + 4) for n in range(sequences)]
    features = np.random.default_rng(0).standard_normal((len(times), DIM), np.float32)
    indexes = np.array([(n, 3 * t, 0) for t in range(outputs) for n in range(sequences)], np.int32)
    output = ChainOutput("output", indexes, supervision, np.ones(len(indexes), np.float32))
    with TableWriter(f"ark:{tmp_path}/egs", CHAIN_EXAMPLE) as writer:
        for name in ("one", "two"):
            writer.write(name, ChainExample([NnetIo("input", np.array(times, np.int32), features)], [output]))
    made: list[Nnet] = []
    for use_gpu in ("no", "yes"):
        options, out = [f"--use-gpu={use_gpu}", "--xent-regularize=0.1", "--srand=1"], f"{tmp_path}/{use_gpu}.raw"
        files = [f"{tmp_path}/start.raw", write_den_fst(tmp_path), f"ark:{tmp_path}/egs", out]
        assert run(nnet3_chain_train.main, [*options, *files]) == 0
        made.append(read_nnet(out))
    for name, component in made[0].components.items():
        for parameter in getattr(component, "PARAMS", ()):
            before, cpu, gpu = (getattr(nnet.components[name], parameter) for nnet in (start, *made))
            if cpu.size:
                assert np.abs(gpu - cpu).max() <= 0.01 * np.abs(cpu - before).max() > 0, f"{name}.{parameter}"
