"""nnet-pytorch-rnnlm-train: twin of rnnlm-train."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.matrix_files import write_matrix_file
from kaldi_bridge.lang.word_features import read_word_features
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.rnnlm.examples import RNNLM_EXAMPLE
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.model.model_file import write_model
from nnet3_compat.utterances.computation_options import CUDA

USAGE = """Train a recurrent language model: an nnet3 network from embedding to embedding of words, and the embeddings.
Usage: nnet-pytorch-rnnlm-train [options] <egs-rspecifier>
e.g.: nnet-pytorch-rnnlm-get-egs ... ark:- | \\
      nnet-pytorch-rnnlm-train --read-rnnlm=0.raw --write-rnnlm=1.raw --read-embedding=feat_embedding.0.mat \\
        --write-embedding=feat_embedding.1.mat --read-sparse-word-features=word_feats.txt ark:-"""

BACKSTITCH_SCALE = "Size of the backward step of backstitch training; 0: none"
BACKSTITCH_INTERVAL = "Minibatches from one backstitch step to the next"
MOMENTUM = "Momentum; the learning rate is multiplied by one minus it"


@dataclass
class Options(OutputOptions):
    """Options of rnnlm-train."""

    use_gpu: str = option("yes", "yes|no|optional|wait: whether to compute on a CUDA device")
    cuda_cache_memory: bool = without_effect(True, CUDA)
    cuda_memory_proportion: float = without_effect(0.5, CUDA)
    read_rnnlm: str = option("", "Network to begin with; must be given")
    write_rnnlm: str = option("", "Where to write the trained network; must be given")
    read_embedding: str = option("", "Matrix of embeddings of words, or of features; must be given")
    write_embedding: str = option("", "Where to write the trained embeddings; they are not trained if it is not given")
    read_sparse_word_features: str = option(
        "", "Features of words, lines such as '1  30 1.0 516 1.0' of a word and pairs of a feature and its value"
    )
    den_term_limit: float = option(
        -10.0,
        "Where a minibatch's average denominator term is below this, its derivative is scaled down; 0: never",
    )
    max_logprob_elements: int = option(
        1000000000, "Largest matrix of positions times all words; larger ones are computed by parts", type="uint"
    )
    rnnlm_momentum: float = option(0.0, MOMENTUM, name="rnnlm.momentum")
    rnnlm_max_param_change: float = option(
        2.0, "Largest change of all parameters in a minibatch (Euclidean norm), 0: any", name="rnnlm.max-param-change"
    )
    rnnlm_l2_regularize_factor: float = option(
        1.0, "Factor of the components' own l2-regularize values", name="rnnlm.l2-regularize-factor"
    )
    rnnlm_backstitch_training_scale: float = option(0.0, BACKSTITCH_SCALE, name="rnnlm.backstitch-training-scale")
    rnnlm_backstitch_training_interval: int = option(1, BACKSTITCH_INTERVAL, name="rnnlm.backstitch-training-interval")
    embedding_momentum: float = option(0.0, MOMENTUM, name="embedding.momentum")
    embedding_max_param_change: float = option(
        1.0, "Largest change of the embeddings in a minibatch (Euclidean norm)", name="embedding.max-param-change"
    )
    embedding_l2_regularize: float = option(0.0, "L2 regularization", name="embedding.l2-regularize")
    embedding_learning_rate: float = option(0.01, "Learning rate of the embeddings", name="embedding.learning-rate")
    embedding_backstitch_training_scale: float = option(
        0.0, BACKSTITCH_SCALE, name="embedding.backstitch-training-scale"
    )
    embedding_backstitch_training_interval: int = option(
        1, BACKSTITCH_INTERVAL, name="embedding.backstitch-training-interval"
    )
    embedding_use_natural_gradient: bool = option(
        True, "Update the embeddings by natural gradient", name="embedding.use-natural-gradient"
    )
    embedding_natural_gradient_alpha: float = option(
        4.0, "Smoothing constant of natural gradient", name="embedding.natural-gradient-alpha"
    )
    embedding_natural_gradient_rank: int = option(
        80, "Rank of the Fisher matrix, over the dimensions of embeddings", name="embedding.natural-gradient-rank"
    )
    embedding_natural_gradient_update_period: int = option(
        4,
        "Minibatches between updates of the Fisher matrix",
        name="embedding.natural-gradient-update-period",
    )
    embedding_natural_gradient_num_minibatches_history: int = option(
        10,
        "Minibatches after which the Fisher matrix has mostly forgotten what it was",
        name="embedding.natural-gradient-num-minibatches-history",
    )


def train(options: Options, examples_rspecifier: str) -> int:
    if not (options.read_rnnlm and options.write_rnnlm and options.read_embedding):
        log.warning("--read-rnnlm, --write-rnnlm and --read-embedding options are required.")
        return 1
    from nnet3_compat.machine.device import select_device
    from nnet3_compat.machine.memory import keep_memory
    from nnet3_compat.rnnlm.embedding import WordEmbedding
    from nnet3_compat.rnnlm.embedding_trainer import EmbeddingOptions
    from nnet3_compat.rnnlm.model import read_rnnlm
    from nnet3_compat.rnnlm.objective import ObjectiveOptions
    from nnet3_compat.rnnlm.trainer import CoreOptions, RnnlmTrainer

    device = select_device(options.use_gpu)
    keep_memory()
    rnnlm = read_rnnlm(options.read_rnnlm, options.read_embedding)
    features = None
    if options.read_sparse_word_features:
        features = read_word_features(options.read_sparse_word_features, len(rnnlm.embedding))
    embedding = WordEmbedding(rnnlm.embedding, features, device)
    given = vars(options)
    core = CoreOptions(**{name[len("rnnlm_") :]: given[name] for name in given if name.startswith("rnnlm_")})
    of_embedding = EmbeddingOptions(
        **{name[len("embedding_") :]: given[name] for name in given if name.startswith("embedding_")}
    )
    objective = ObjectiveOptions(options.den_term_limit, options.max_logprob_elements)
    trainer = RnnlmTrainer(
        rnnlm.nnet, embedding, core, objective, of_embedding if options.write_embedding else None, device
    )
    with SequentialReader(examples_rspecifier, RNNLM_EXAMPLE) as examples:
        for _, example in examples:
            trainer.train(example)
    if not trainer.minibatches:
        raise KaldiError("There was no data to train on.")
    trainer.report()
    write_model(options.write_rnnlm, trainer.nnet(), options.binary)
    log.info(f"Wrote RNNLM to {options.write_rnnlm}")
    if options.write_embedding:
        write_matrix_file(options.write_embedding, options.binary, embedding.matrix.cpu().numpy())
        log.info(f"Wrote embedding matrix to {options.write_embedding}")
    return 0


main = command(train, usage=USAGE)

if __name__ == "__main__":
    main()
