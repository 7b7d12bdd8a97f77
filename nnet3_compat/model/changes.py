"""What nnet-pytorch-copy and -am-copy can do to a network on the way, as options and in Kaldi's order."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import within
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import decode
from kaldi_bridge.options import OutputOptions
from nnet3_compat.model.edits import edit
from nnet3_compat.model.prepare_for_test import prepare_for_test
from nnet3_compat.model.whole_network import scale, set_learning_rate, set_learning_rate_factor
from nnet3_compat.structure.nnet import Nnet


@dataclass
class ChangeOptions(OutputOptions):
    """Options of both programs."""

    learning_rate: float = option(-1.0, "If supplied, the learning rate of all updatable components")
    learning_rate_factor: float = option(-1.0, "If supplied, the learning-rate factor of all updatable components")
    nnet_config: str = option("", "Config file that adds or replaces components or nodes, as for nnet-pytorch-init")
    edits_config: str = option("", "File of edits, applied after --nnet-config")
    edits: str = option("", "The same on the command line; semicolons separate edits, e.g. 'remove-orphans'")
    scale: float = option(1.0, "The parameters are scaled by this value.")
    prepare_for_test: bool = option(
        False, "Test mode for batch norm and dropout, and successive components joined where that computes the same"
    )


def read_lines(rxfilename: str) -> list[str]:
    """The lines of a text file."""
    lines = []
    with open_input(rxfilename) as stream:
        while line := stream.readline():
            lines.append(decode(line))
    return lines


def apply_config(nnet: Nnet, options: ChangeOptions) -> None:
    """--nnet-config."""
    if options.nnet_config:
        lines = read_lines(options.nnet_config)
        with within(options.nnet_config):
            nnet.read_config(lines)


def apply_learning_rates(nnet: Nnet, options: ChangeOptions) -> None:
    """--learning-rate-factor, then --learning-rate, which it multiplies."""
    if options.learning_rate_factor >= 0:
        set_learning_rate_factor(nnet, options.learning_rate_factor)
    if options.learning_rate >= 0:
        set_learning_rate(nnet, options.learning_rate)


def apply_edits(nnet: Nnet, options: ChangeOptions) -> None:
    """--edits-config, then --edits."""
    if options.edits_config:
        lines = read_lines(options.edits_config)
        with within(options.edits_config):
            edit(nnet, lines)
    if options.edits:
        edit(nnet, options.edits.split(";"))


def apply_scale(nnet: Nnet, options: ChangeOptions) -> None:
    """--scale."""
    if options.scale != 1.0:
        scale(nnet, options.scale)


def apply_test_mode(nnet: Nnet, options: ChangeOptions) -> None:
    """--prepare-for-test."""
    if options.prepare_for_test:
        prepare_for_test(nnet)
