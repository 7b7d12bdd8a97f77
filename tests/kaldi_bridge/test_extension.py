"""Without the C++ part: what does not need it works, what needs it says so."""

import subprocess
import sys

PROGRAM = """
import sys
sys.modules["kaldi_bridge._csrc"] = sys.modules["nnet3_compat.chain._csrc"] = None
import numpy as np
import torch
from kaldi_bridge.lattices.determinization import determinize, DeterminizationOptions
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.lattices.lattice import Lattice
from kaldi_bridge.examples.supervision import Supervision
from nnet3_compat.chain import ChainLoss, DenominatorGraph

loop = Fst.from_arcs(0, {0: 1.0}, [(0, 1, 1, 0.7, 0), (0, 2, 2, 0.7, 0)])
output = torch.randn(3, 2, requires_grad=True)
supervision = Supervision(1.0, 1, 3, 2, Fst.from_arcs(0, {3: 0.0}, [(t, 1, 1, 0.0, t + 1) for t in range(3)]))
ChainLoss(DenominatorGraph.from_fst(loop, 2))(output, supervision).backward()
assert output.grad.abs().sum() > 0.0
try:
    determinize(Lattice.from_lists(0, [[]], [None]), 8.0, DeterminizationOptions())
except KaldiError as error:
    assert "C++ compiler" in str(error)
else:
    sys.exit("determinized without the extension")
"""


def test_without_a_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "not built" in done.stderr
