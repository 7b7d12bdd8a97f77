"""Derivatives at outputs, sent back as torch's own function does, without what that imports."""

import subprocess
import sys

import torch

from nnet3_compat.examples.batch import backpropagate
from tests.helpers.places import ROOT


def test_as_torch() -> None:
    gradients = []
    for send_back in (backpropagate, torch.autograd.backward):
        torch.manual_seed(1)
        x, first, second = torch.randn(5, 3), torch.randn(5, 3), torch.randn(5, 1)
        x.requires_grad_()
        send_back([x.exp(), (x * x).sum(1, keepdim=True)], [first, second])
        gradients.append(x.grad)
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


def test_sympy_is_not_imported() -> None:
    """It takes a program more than a second."""
    code = (
        "import sys, torch; from nnet3_compat.examples.batch import backpropagate; "
        "x = torch.ones(2, requires_grad=True); backpropagate([2 * x], [torch.ones(2)]); "
        "sys.exit('sympy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
