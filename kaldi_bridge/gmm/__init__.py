"""Hidden Markov models with Gaussian mixtures: likelihoods, statistics, estimation, alignment (Kaldi's gmm/)."""
