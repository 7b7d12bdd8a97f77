"""What the training programs do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from kaldi_bridge import log
from nnet3_compat.machine.device import select_device
from nnet3_compat.machine.memory import keep_memory
from nnet3_compat.model.model_file import write_model
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.training.objectives import TrainingObjective
from nnet3_compat.training.options import ProgramOptions
from nnet3_compat.training.trainer import Trainer

E = TypeVar("E")


def train(
    nnet: Nnet,
    objective: TrainingObjective[E],
    examples: Iterable[tuple[str, E]],
    options: ProgramOptions,
    nnet_out: str,
) -> int:
    """Trains on all examples and writes the network; 1 where there were no frames."""
    keep_memory()
    trainer = Trainer(nnet, objective, options, options.srand, select_device(options.use_gpu))
    for _, example in examples:
        trainer.train(example)
    ok = trainer.report()
    write_model(nnet_out, trainer.nnet(), options.binary)
    trainer.save_optimizer()
    log.info(f"Wrote raw model to {nnet_out}")
    return 0 if ok else 1
