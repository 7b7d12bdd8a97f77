#!/usr/bin/env bash
# A tiny RNNLM by Kaldi's unmodified scripts, in a directory with rnnlm, steps, utils, path.sh, words.txt and text/{train,dev}.txt:
# what local/rnnlm/run_*.sh of recipes do. Usage: train_tiny.sh [features|words]
set -e
. ./path.sh
kind=${1:-features}
dim=16 dir=exp/rnnlm
mkdir -p $dir/config
rnnlm/ensure_counts_present.sh text
cp words.txt $dir/config
echo "<unk>" >$dir/config/oov.txt
echo "train 1 1.0" >$dir/config/data_weights.txt
rnnlm/get_unigram_probs.py --vocab-file=$dir/config/words.txt --unk-word="<unk>" \
  --data-weights-file=$dir/config/data_weights.txt text | awk 'NF==2' >$dir/config/unigram_probs.txt
if [ $kind = features ]; then
  rnnlm/choose_features.py --unigram-probs=$dir/config/unigram_probs.txt --use-constant-feature=true --top-word-features=20 \
    --min-frequency 1.0e-03 --special-words='<s>,</s>,<brk>,<unk>' $dir/config/words.txt >$dir/config/features.txt
fi
cat >$dir/config/xconfig <<END
input dim=$dim name=input
relu-renorm-layer name=tdnn1 dim=$dim input=Append(0, IfDefined(-1))
fast-lstmp-layer name=lstm1 cell-dim=$dim recurrent-projection-dim=8 non-recurrent-projection-dim=8
relu-renorm-layer name=tdnn2 dim=$dim input=Append(0, IfDefined(-2))
output-layer name=output include-log-softmax=false dim=$dim
END
rnnlm/prepare_rnnlm_dir.sh --cmd utils/run.pl --unigram-factor 10 --words-per-split 12000 text $dir/config $dir
rnnlm/train_rnnlm.sh --cmd utils/run.pl --use-gpu no --num-jobs-initial 1 --num-jobs-final 2 --num-epochs 4 --num-samples 300 \
  --chunk-length 16 --initial-effective-lrate 0.005 --final-effective-lrate 0.002 --num-egs-threads 2 $dir
head -40 text/dev.txt >sentences.txt
rnnlm/compute_perplexity.sh $dir sentences.txt
