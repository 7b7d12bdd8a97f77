"""What the training programs do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from kaldi_bridge import log
from kaldi_bridge.examples.chain_examples import ChainExample
from nnet3_compat.chain.denominator_graph import DenominatorGraphs
from nnet3_compat.evaluation.chain_diagnostics import ChainDiagnostics
from nnet3_compat.machine.device import select_device
from nnet3_compat.machine.memory import keep_memory
from nnet3_compat.model.model_file import write_model
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.training.combination import combine, recompute_stats
from nnet3_compat.training.objectives import TrainingObjective
from nnet3_compat.training.options import ChainCombineOptions, ProgramOptions
from nnet3_compat.training.trainer import Trainer

E = TypeVar("E")


def train(
    nnet: Nnet,
    objective: TrainingObjective[E],
    examples: Iterable[tuple[str, E]],
    options: ProgramOptions,
    nnet_out: str,
    newer_rules: bool = True,
) -> int:
    """Trains on all examples and writes the network; 1 where there were no frames. ``newer_rules``: see Trainer."""
    keep_memory()
    device = select_device(options.use_gpu)
    trainer = Trainer(nnet, objective, options, options.srand, device, newer_rules=newer_rules)
    for _, example in examples:
        trainer.train(example)
    ok = trainer.report()
    write_model(nnet_out, trainer.nnet(), options.binary)
    trainer.save_optimizer()
    log.info(f"Wrote raw model to {nnet_out}")
    return 0 if ok else 1


def combine_chain(
    models: Sequence[str],
    graphs: DenominatorGraphs,
    examples: list[ChainExample],
    options: ChainCombineOptions,
    nnet_out: str,
) -> int:
    """Writes the average of the first n networks, latest first, for the n with the best LF-MMI on the examples."""
    device = select_device(options.use_gpu)

    def evaluate(nnet: Nnet) -> ChainDiagnostics:
        return ChainDiagnostics(nnet, graphs, options, train=True, device=device)

    def evaluate_all(nnet: Nnet) -> ChainDiagnostics:
        """With the outputs for cross-entropy, so that the statistics of their branch are computed too."""
        xent = any(node.name.endswith("-xent") for node in nnet.nodes) and options.xent_regularize == 0.0
        chain = replace(options, xent_regularize=0.1) if xent else options
        return ChainDiagnostics(nnet, graphs, chain, train=True, device=device)

    best = combine(models, examples, evaluate, options)
    write_model(nnet_out, recompute_stats(best, examples, evaluate_all), options.binary)
    log.info(f"Finished combining neural nets, wrote model to {nnet_out}")
    return 0
