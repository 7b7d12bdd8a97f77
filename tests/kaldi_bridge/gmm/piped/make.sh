#!/bin/sh
# make.sh: what pipes of Kaldi's programs (f40076610) write for the inputs in ../kaldis; run it here with these on the PATH.
set -e
export OPENBLAS_CORETYPE=Haswell
out=$PWD
cd ../kaldis
printf "a-1 a\na-2 a\na-3 c\nb-1 b\nb-2 b\n" > "$out/utt2spk"
spliced="splice-feats --left-context=1 --right-context=2 ark:feats.ark ark:- |"
adapted="transform-feats --utt2spk=ark:$out/utt2spk ark:fmllr.ark ark:feats.ark ark:- |"
silence="weight-silence-post 0.25 1:3 model.mdl ark:- ark:-"
ali-to-post ark:ali.ark ark:- | $silence | acc-lda --rand-prune=1.5 model.mdl "ark:$spliced" ark:- "$out/lda.acc"
est-lda --dim=5 "$out/lda.mat" "$out/lda.acc"
ali-to-post ark:ali.ark ark:- | $silence |
  gmm-acc-mllt --rand-prune=1.5 model.mdl "ark:$spliced transform-feats $out/lda.mat ark:- ark:- |" ark:- "$out/mllt.acc"
ali-to-post ark:ali.ark ark:- | gmm-acc-stats-twofeats model.mdl "ark:$adapted" ark:feats.ark ark:- "$out/twofeats.acc"
gmm-init-model-flat tree topo "$out/flat.mdl" "ark:$spliced"
gmm-post-to-gpost alignment.mdl ark:feats.ark ark:weighted.post ark:- |
  gmm-est-fmllr-gpost --fmllr-min-count=50 --spk2utt=ark:spk2utt model.mdl ark:feats.ark ark:- "ark:$out/gpost.ark"
lattice-determinize-pruned --acoustic-scale=0.1 --beam=4 ark:lat.ark ark:- |
  lattice-to-post --acoustic-scale=0.1 ark:- ark:- | $silence |
  gmm-est-fmllr --fmllr-min-count=50 --spk2utt=ark:spk2utt model.mdl "ark:$adapted" ark:- ark:- |
  compose-transforms --b-is-affine=true ark:- ark:fmllr.ark "ark:$out/composed.ark"
gmm-rescore-lattice model.mdl ark:lat.ark "ark:$adapted" ark:- |
  lattice-determinize-pruned --acoustic-scale=0.1 --beam=6 ark:- "ark:$out/rescored.lat"
