#!/bin/sh
# make.sh: what Kaldi's programs (f40076610) write for the made-up inputs in this folder; run it here with these on the PATH.
set -e
export OPENBLAS_CORETYPE=Haswell
log() { # log NAME PROGRAM...: keeps the messages that count something
  name=$1; shift; "$@" 2> "$name.log"
  grep -E '^(LOG|WARNING)' "$name.log" | grep -v -e 'converting post' -e 'Overall acoustic' |
    grep -E 'Done|Overall|[Oo]bjf|auxf|logdet|weighted|Not updating|overlap|divergence|changed sign|Pasted|Converted|Computed max|Increased' | sed 's/^[A-Z]* ([^)]*)[^)]*) //' > "$name.messages"; rm "$name.log"
}
log weight-silence-post weight-silence-post 0.25 1:3 model.mdl ark:post.ark ark:weighted.post
weight-silence-post 0.0 1 model.mdl ark:post.ark ark:weighted0.post
weight-silence-post --distribute=true 0.0 1 model.mdl ark:post.ark ark:distributed.post
ali-to-post ark:ali.ark ark:ali.post
log acc-lda acc-lda --rand-prune=4.0 model.mdl ark:feats.ark ark:ali.post lda.acc
est-lda --dim=3 --write-full-matrix=full.mat lda.mat lda.acc
est-lda --dim=3 --remove-offset=true --within-class-factor=0.5 lda-offset.mat lda.acc
log gmm-acc-mllt gmm-acc-mllt --rand-prune=1.5 model.mdl ark:feats.ark ark:ali.post mllt.acc
log est-mllt est-mllt mllt.mat mllt.acc
gmm-transform-means mllt.mat model.mdl transformed.mdl
compose-transforms mllt.mat full.mat composed.mat
log gmm-post-to-gpost gmm-post-to-gpost alignment.mdl ark:feats.ark ark:post.ark ark:gpost.ark
log gmm-est-fmllr gmm-est-fmllr --fmllr-min-count=150 --spk2utt=ark:spk2utt model.mdl ark:feats.ark ark:post.ark ark:fmllr.ark
for type in diag offset none; do
  log gmm-est-fmllr-$type gmm-est-fmllr --fmllr-update-type=$type --fmllr-min-count=125 model.mdl ark:feats.ark ark:post.ark ark:fmllr-$type.ark
done
log gmm-est-fmllr-gpost gmm-est-fmllr-gpost --fmllr-min-count=150 --spk2utt=ark:spk2utt model.mdl ark:feats.ark ark:gpost.ark ark:fmllr-gpost.ark
compose-transforms --b-is-affine=true ark:fmllr.ark ark:fmllr-gpost.ark ark:composed.ark
log gmm-acc-stats gmm-acc-stats model.mdl ark:feats.ark ark:post.ark stats.acc
gmm-acc-stats --update-flags=m model.mdl ark:feats.ark ark:post.ark stats-m.acc
scale-post ark:post.ark -1 ark:negative.post
sum-post --zero-if-disjoint=false ark:negative.post ark:ali.post ark:difference.post
log sum-post sum-post --scale1=0.5 --scale2=-1 --merge=false --drop-frames=true ark:post.ark ark:ali.post ark:disjoint.post
post-to-weights ark:weighted.post ark:weights.ark
weight-post ark:post.ark ark:weights.ark ark:by-frame.post
get-post-on-ali ark:post.ark ark:ali.ark ark:confidences.ark
transform-vec lda-offset.mat ark:vectors.ark ark:transformed.vectors
gmm-gselect --n=4 --write-likes=ark:selected.likes ubm.gmm ark:feats.ark ark:selected.ark
gmm-gselect --n=2 --gselect=ark:candidates.ark ubm.gmm ark:feats.ark ark:reselected.ark
log gmm-acc-stats2 gmm-acc-stats2 model.mdl ark:feats.ark ark:difference.post positive.acc negative.acc
log gmm-acc-stats-twofeats gmm-acc-stats-twofeats model.mdl ark:feats.ark ark:feats2.ark ark:post.ark twofeats.acc
log gmm-rescore-lattice gmm-rescore-lattice --old-acoustic-scale=0.5 model.mdl ark:lat.ark ark:feats.ark ark:rescored.lat
gmm-est --mix-up=25 --power=0.3 --min-gaussian-occupancy=5 model.mdl stats.acc est.mdl
gmm-init-model --write-occs=new.occs wide.tree tree.acc topo initial.mdl
gmm-init-model wide.tree tree.acc topo from-old.mdl tree est.mdl
gmm-copy --binary=false model.mdl model.txt
gmm-compute-likes model.mdl ark:feats.ark ark:likes.ark
gmm-ismooth-stats --binary=true --tau=50 stats.acc positive.acc smoothed.acc
gmm-ismooth-stats --binary=true --smooth-from-model=true model.mdl positive.acc smoothed-model.acc
log gmm-adapt-map gmm-adapt-map --update-flags=mvw --spk2utt=ark:spk2utt model.mdl ark:feats.ark ark:post.ark ark:map.ams
log gmm-basis-fmllr-accs gmm-basis-fmllr-accs model.mdl ark:feats.ark ark:post.ark basis.acc
gmm-basis-fmllr-accs-gpost --spk2utt=ark:spk2utt model.mdl ark:feats.ark ark:gpost.ark basis-gpost.acc
gmm-basis-fmllr-training model.mdl basis basis.acc
log gmm-est-basis-fmllr gmm-est-basis-fmllr --write-weights=ark:basis.weights --spk2utt=ark:spk2utt model.mdl basis ark:feats.ark ark:post.ark ark:basis-fmllr.ark
gmm-est-basis-fmllr-gpost --num-iters=3 --size-scale=0.1 model.mdl basis ark:feats.ark ark:gpost.ark ark:basis-fmllr-gpost.ark
gmm-init-lvtln --dim=5 --num-classes=3 --default-class=1 unit.lvtln
gmm-train-lvtln-special --warp=0.9 --normalize-var=true 0 unit.lvtln 0.lvtln ark:feats.ark ark:warped.ark ark:post.ark
gmm-train-lvtln-special --normalize-covar=true 2 0.lvtln 2.lvtln ark:feats.ark ark:warped.ark
log gmm-est-lvtln-trans gmm-est-lvtln-trans --logdet-scale=0.5 --spk2utt=ark:spk2utt model.mdl 2.lvtln ark:feats.ark ark:gpost.ark ark:lvtln.ark ark:lvtln.warps
gmm-est-lvtln-trans --norm-type=diag model.mdl 2.lvtln ark:feats.ark ark:gpost.ark ark:lvtln-diag.ark
gmm-init-model-flat tree topo flat.mdl ark:feats.ark
compile-train-graphs --read-disambig-syms=disambig.int tree model.mdl L.fst ark:words.int ark:graphs.fsts
compile-train-graphs --read-disambig-syms=disambig.int --rm-eps=true --reorder=false --transition-scale=1 --self-loop-scale=0.5 --batch-size=1 tree model.mdl L.fst ark:words.int ark:unordered.fsts
compile-train-graphs-without-lexicon --read-disambig-syms=disambig.int tree model.mdl ark:pronounced.int ark:pronunciations.int ark:pronounced.fsts
compile-train-graphs-fsts --read-disambig-syms=disambig.int tree model.mdl L.fst ark:grammars.txt ark:grammars.fsts
compile-train-graphs-fsts --read-disambig-syms=disambig.int wide.tree initial.mdl L.fst ark:grammars.txt ark:grammars-wide.fsts
compile-train-graphs-fsts --read-disambig-syms=disambig.int --rm-eps=true --transition-scale=1 --self-loop-scale=0.1 --batch-size=1 tree model.mdl L.fst ark:grammars.txt ark:scaled.fsts
log gmm-align-compiled gmm-align-compiled --careful=true --transition-scale=0.5 --acoustic-scale=0.2 --beam=8 --retry-beam=20 --write-per-frame-acoustic-loglikes=ark:by-frame.likes model.mdl ark:graphs.fsts ark:feats.ark ark:aligned.ark ark:aligned.scores
log align-compiled-mapped align-compiled-mapped --beam=8 --retry-beam=20 --acoustic-scale=0.2 --transition-scale=0.5 model.mdl ark:graphs.fsts ark:likes.ark ark:mapped.ark ark:mapped.scores
log gmm-align gmm-align --read-disambig-syms=disambig.int --beam=200 tree model.mdl L.fst ark:feats.ark ark:words.int ark:aligned-from-words.ark
compile-graph --read-disambig-syms=disambig.int tree model.mdl L.fst loop.fst HCLG.fst
log gmm-decode-faster gmm-decode-faster --acoustic-scale=0.5 model.mdl HCLG.fst ark:feats.ark ark:decoded.words ark:decoded.ark ark:decoded.lat
gmm-decode-simple --beam=30 model.mdl HCLG.fst ark:feats.ark ark:/dev/null ark:decoded-simple.ark
log gmm-latgen-simple gmm-latgen-simple --beam=8 --lattice-beam=4 model.mdl HCLG.fst ark:feats.ark ark:/dev/null ark:latgen-simple.words
log gmm-latgen-map gmm-latgen-map --utt2spk=ark:utt2spk model.mdl ark:map.ams HCLG.fst ark:feats.ark ark:/dev/null ark:latgen-map.words
gmm-est --write-occs=est.occs --mix-down=8 --min-count=100 model.mdl stats.acc down-est.mdl
gmm-mixup --mix-down=9 --power=0.3 est.mdl est.occs down.mdl
gmm-mixup --mix-down=6 --mix-up=12 est.mdl est.occs down-up.mdl
log gmm-latgen-biglm-faster gmm-latgen-biglm-faster --acoustic-scale=0.5 --beam=12 --lattice-beam=1 model.mdl HCLG.fst old-lm.fst new-lm.fst ark:feats.ark ark:biglm.lat ark:biglm.words
gmm-latgen-biglm-faster --acoustic-scale=0.5 --beam=12 model.mdl ark:graphs.fsts old-lm.fst new-lm.fst ark:feats.ark ark:/dev/null ark:/dev/null ark:biglm.ali
log gmm-est-gaussians-ebw gmm-est-gaussians-ebw --tau=5 model.mdl positive.acc negative.acc ebw.mdl
gmm-est-gaussians-ebw --E=1.5 --update-flags=m model.mdl stats.acc negative.acc ebw-means.mdl
log gmm-est-weights-ebw gmm-est-weights-ebw model.mdl stats.acc negative.acc ebw-weights.mdl
gmm-est-weights-ebw --weight-tau=10 --min-gaussian-weight=0.05 model.mdl positive.acc negative.acc ebw-tau.mdl
log lattice-to-mpe-post lattice-to-mpe-post --acoustic-scale=0.1 --silence-phones=1 model.mdl ark:ali.ark ark:lat.ark ark:mpe.post
lattice-to-mpe-post --acoustic-scale=0.1 --one-silence-class=true --silence-phones=1:2 model.mdl ark:ali.ark ark:lat.ark ark:mpe-class.post
log lattice-to-smbr-post lattice-to-smbr-post --acoustic-scale=0.1 --lm-scale=0.5 --silence-phones=1 model.mdl ark:ali.ark ark:lat.ark ark:smbr.post
lattice-to-smbr-post --one-silence-class=true --silence-phones=1:2 model.mdl ark:ali.ark ark:lat.ark ark:smbr-class.post
post-to-tacc model.mdl ark:ali.post transitions.tacc
post-to-pdf-post model.mdl ark:post.ark ark:pdf.post
post-to-phone-post model.mdl ark:post.ark ark:phone.post
post-to-phone-post --transition-id-counts=transitions.tacc model.mdl ark:pdf.post ark:pdf-phone.post
post-to-feats --post-dim=13 ark:post.ark ark:post-feats.ark
feat-to-post ark:fmllr.ark ark:fmllr.post
copy-gselect --n=2 ark:selected.ark ark:fewer.ark
sum-matrices sum.mat lda.mat lda.mat
get-full-lda-mat lda.mat full.mat joined.mat joined-inverse.mat
analyze-counts --binary=true --counts-dim=15 --frame-weights=ark:weights.ark --utt-weights=ark:aligned.scores ark:ali.ark labels.counts
compare-int-vector --write-tot-counts=total.counts --write-diff-counts=differing.counts --write-confusion-matrix=confusion.mat ark:ali.ark ark:decoded.ark > compared.txt
show-transitions phones.txt model.mdl est.occs > transitions.txt
build-tree-two-level --max-leaves-first=6 --max-leaves-second=14 --binary=false tree.acc roots.int questions.qst topo two-level.tree two-level.map
build-tree-two-level --max-leaves-first=4 --max-leaves-second=20 --cluster-leaves=false --binary=false tree.acc roots.int questions.qst topo unclustered.tree unclustered.map
decode-faster --beam=5 --max-active=3 --min-active=2 --acoustic-scale=0.05 labels.fst ark:likes.ark ark:labels.words ark:labels.ali
splice-feats --left-context=1 --right-context=1 ark:feats.ark ark:spliced.ark
log gmm-est-fmllr-raw gmm-est-fmllr-raw --raw-feat-dim=5 --spk2utt=ark:spk2utt model.mdl raw-full.mat ark:spliced.ark ark:post.ark ark:raw-fmllr.ark
gmm-est-fmllr-raw --raw-feat-dim=5 --fmllr-min-count=125 --fmllr-num-iters=3 model.mdl raw-full.mat ark:spliced.ark ark:post.ark ark:raw-fmllr-short.ark
log gmm-est-fmllr-raw-gpost gmm-est-fmllr-raw-gpost --raw-feat-dim=5 --spk2utt=ark:spk2utt model.mdl raw-full.mat ark:spliced.ark ark:gpost.ark ark:raw-fmllr-gpost.ark
gmm-global-get-post --n=3 ubm.gmm ark:feats.ark ark:ubm.post
log gmm-global-est-lvtln-trans gmm-global-est-lvtln-trans --spk2utt=ark:spk2utt ubm.gmm 2.lvtln ark:feats.ark ark:ubm.post ark:ubm-lvtln.ark ark:ubm-lvtln.warps
gmm-global-est-lvtln-trans --norm-type=diag --logdet-scale=0.5 ubm.gmm 2.lvtln ark:feats.ark ark:ubm.post ark:ubm-lvtln-diag.ark
log gmm-global-acc-stats-twofeats gmm-global-acc-stats-twofeats --gselect=ark:selected.ark --weights=ark:weights.ark ubm.gmm ark:feats.ark ark:feats2.ark ubm-selected.acc
gmm-global-acc-stats-twofeats --update-flags=m ubm.gmm ark:feats.ark ark:feats2.ark ubm-twofeats.acc
gmm-global-to-fgmm ubm.gmm ubm.fgmm
fgmm-global-merge merged.fgmm merged.sizes ubm.fgmm ubm.fgmm ubm.fgmm
fmpe-init --context-expansion=0,1.0:-1,1.0\;2,0.5 --post-scale=3 ubm.gmm initial.fmpe
gmm-get-stats-deriv model.mdl positive.acc negative.acc stats.acc stats.deriv
log gmm-fmpe-acc-stats gmm-fmpe-acc-stats --model-derivative=stats.deriv model.mdl initial.fmpe ark:feats.ark ark:selected.ark ark:difference.post indirect.fmpe-acc
gmm-fmpe-acc-stats model.mdl initial.fmpe ark:feats.ark ark:selected.ark ark:difference.post direct.fmpe-acc
fmpe-sum-accs summed.fmpe-acc indirect.fmpe-acc direct.fmpe-acc
log fmpe-est fmpe-est --learning-rate=0.5 --l2-weight=0.1 initial.fmpe indirect.fmpe-acc 1.fmpe
log fmpe-apply-transform fmpe-apply-transform 1.fmpe ark:feats.ark ark:selected.ark ark:fmpe.ark
fmpe-apply-transform --add-to-features=false 1.fmpe ark:feats.ark ark:selected.ark ark:fmpe-offsets.ark
log gmm-est-rescale gmm-est-rescale --min-gaussian-occupancy=3 model.mdl stats.acc smoothed.acc rescaled.mdl
log logprob-to-post logprob-to-post --min-post=0.1 ark:log-probs.ark ark:pruned.post
logprob-to-post --random-prune=false --min-post=0.2 ark:log-probs.ark ark:cut.post
log paste-post paste-post --allow-partial=true ark:lengths 3:2 ark:few.post ark:more.post ark:pasted.post
paste-post ark:lengths 3,2 ark:few.post ark:more.post ark:pasted-whole.post
post-to-smat --dim=3 ark:few.post ark:few.smat
add-deltas-sdc ark:fmllr.ark ark:sdc.ark
add-deltas-sdc --delta-window=2 --num-blocks=2 --block-shift=1 --truncate=4 ark:fmllr.ark ark:sdc-wide.ark
paste-vectors ark:weights.ark ark:confidences.ark ark:weights.ark ark:pasted.vectors
multiply-vectors ark:weights.ark ark:confidences.ark ark:multiplied.ark
log matrix-max matrix-max ark:both ark:fmllr.ark ark:largest.ark
extend-transform-dim --new-dimension=7 mllt.mat extended.mat
log extend-transform-dim extend-transform-dim --new-dimension=6 ark:fmllr.ark ark:extended.ark
log prons-to-wordali prons-to-wordali ark:prons.ark ark:phone-lengths.ark ark,t:words.ali
prons-to-wordali --per-frame=true ark:prons.ark ark:phone-lengths.ark ark:words-per-frame.ali
nnet3-get-egs-simple input=ark:fmllr.ark output=ark:raw-fmllr.ark ark:simple.egs
gmm-decode-simple --beam=1 --acoustic-scale=0.5 model.mdl HCLG.fst ark:feats.ark ark:decoded-narrow.words ark:decoded-narrow.ark ark:decoded-narrow.lat
log gmm-decode-simple gmm-decode-simple --beam=3 --acoustic-scale=0.5 --allow-partial=false model.mdl HCLG.fst ark:feats.ark ark:decoded-whole.words
init-ubm --fullcov-ubm=false --ubm-num-gauss=3 --intermediate-num-gauss=8 --reduce-state-factor=0.5 est.mdl est.occs clustered.gmm
init-ubm --ubm-numcomps=2 --intermediate-num-gauss=1000 --max-am-gauss=10 --reduce-state-factor=0.4 est.mdl est.occs clustered.fgmm
