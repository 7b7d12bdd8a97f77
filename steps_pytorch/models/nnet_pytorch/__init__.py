"""Networks of m-wiesner/nnet_pytorch as they are there: to decode with its checkpoints, train on from them, go back.

They differ from ours of the same names: convolutions pad with zeros, the ResNet subsamples in every block, the
WideResNet averages over whatever its strides leave, and the parameters have other names. Outputs therefore depend on
how an utterance is cut, and archives cut it as that system does.
"""
