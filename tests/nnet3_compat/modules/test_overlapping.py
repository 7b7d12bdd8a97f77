"""Products with overlapping blocks of rows: those with each block."""

import torch

from nnet3_compat.modules.overlapping import Overlapping


def test_products_are_those_of_the_blocks_side_by_side() -> None:
    torch.manual_seed(0)
    matrix = torch.randn(30, 4)
    blocks = [matrix[5:25], matrix[2:22], matrix[8:28]]
    overlapping = Overlapping.of(blocks)
    assert overlapping is not None and overlapping.span.shape == (26, 4) and overlapping.firsts == [3, 0, 6]
    whole, weight, other = torch.cat(blocks, 1), torch.randn(7, 12), torch.randn(20, 7)
    torch.testing.assert_close(overlapping.times(weight), whole @ weight.t())
    torch.testing.assert_close(overlapping.transposed_times(other), other.t() @ whole)
    made, norm = overlapping.times_and_squared_norm(weight)
    torch.testing.assert_close(made, whole @ weight.t())
    torch.testing.assert_close(norm, whole.double().square().sum())
    span = overlapping.span.clone().requires_grad_()
    parts = torch.cat([span[first : first + 20] for first in overlapping.firsts], 1)
    (parts @ weight.t()).backward(other)
    torch.testing.assert_close(overlapping.gradient(other, weight), span.grad)


def test_other_blocks_are_left_alone() -> None:
    matrix = torch.randn(40, 4)
    assert Overlapping.of([matrix]) is None
    assert Overlapping.of([matrix[:10], matrix[1:11].clone()]) is None
    assert Overlapping.of([matrix[:10], matrix[20:30]]) is None
    assert Overlapping.of([matrix[0:20:2], matrix[1:21:2]]) is None
    assert Overlapping.of([matrix.view(-1)[:40].view(10, 4), matrix.view(-1)[2:42].view(10, 4)]) is None
