"""What RNNLMs are trained on: examples, and language models from which words are sampled for them (Kaldi's rnnlm/)."""
