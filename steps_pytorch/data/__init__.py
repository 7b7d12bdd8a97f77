"""Chunks of utterances for training, made on the fly from memory-mapped features or from audio.

    from steps_pytorch.data.dataset import ChunkShape, DataSet
    from steps_pytorch.data.feature_sources import StoredFeatures, TableFeatures
    from steps_pytorch.data.ivectors import OnlineIvectors
    from steps_pytorch.data.loader import ChunkLoader
    from steps_pytorch.data.normalization import Normalizer
    from steps_pytorch.data.targets import PdfTargets, SupervisionTargets

    train = DataSet(
        "train",
        StoredFeatures("exp/memmap/train"),             # make_memmap.sh; or TableFeatures("data/train")
        # make_supervisions.sh, chain-make-den-fst:
        SupervisionTargets("exp/chain/supervision/supervision.scp", "exp/chain/normalization.fst"),
        # or PdfTargets.of_alignments("exp/chain_tree", step=3); or None: unlabeled
        normalizer=Normalizer.of_options("--norm-means=true --norm-vars=true", "data/train"),
        ivectors=OnlineIvectors("exp/ivectors_train"),  # or None
        frame_subsampling_factor=3,
        weight=1.0,                                     # of the objective
        repeat=1.0,                                     # passes through it in an epoch
        utterances=names,                               # only these; without: all
    )
    shape = ChunkShape(model.left_context, model.right_context, model.frame_subsampling_factor)
    loader = ChunkLoader([train, unlabeled], shape, chunk_width="140,100,70", minibatch_size="64", seed=0,
                         num_workers=2, rank=rank, world_size=world_size)
    for batch in loader:        # the rest of epoch loader.epoch, then that is one more
        ...
        state = loader.state_dict()   # after this batch: load_state_dict makes the next ``for`` go on with the next one
    loader.close()              # its worker processes, which stay over epochs
    validation = ChunkLoader([valid], shape, training=False)  # the same chunks in the same order each time

``len(loader)``: batches of the epoch. ``dataset.feature_dim``, ``.ivector_dim``, ``.num_pdfs``: for the model.
``dataset.utterances``: those that can be used; ``dataset.bad``: why others cannot, warned about when it is opened.
"""
