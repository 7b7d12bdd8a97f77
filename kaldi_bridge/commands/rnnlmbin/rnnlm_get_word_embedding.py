"""nnet-pytorch-rnnlm-get-word-embedding: twin of rnnlm-get-word-embedding."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.io.matrix_files import read_matrix_file, write_matrix_file
from kaldi_bridge.lang.word_features import read_word_features, word_embedding
from kaldi_bridge.options import OutputOptions

USAGE = """Multiply the sparse features of words by the embeddings of features: embeddings of words.
Usage: nnet-pytorch-rnnlm-get-word-embedding [options] <sparse-word-features-rxfilename> \\
         <feature-embedding-rxfilename> <word-embedding-wxfilename>
e.g.: nnet-pytorch-rnnlm-get-word-embedding word_features.txt feat_embedding.mat word_embedding.mat"""


@dataclass
class Options(OutputOptions):
    """Options of rnnlm-get-word-embedding."""


def get_word_embedding(options: Options, features_in: str, embedding_in: str, embedding_out: str) -> None:
    embedding = read_matrix_file(embedding_in)
    features = read_word_features(features_in, len(embedding))
    write_matrix_file(embedding_out, options.binary, word_embedding(features, embedding))


main = command(get_word_embedding, usage=USAGE)

if __name__ == "__main__":
    main()
