#!/usr/bin/env bash
# Trains a model that exists on one's own data: a Kaldi or Vosk model in, one of the same kind out.
set -euo pipefail

# Begin configuration section.
stage=0
nj=4
cmd=
lang=
graph=
tree=
mfcc_config=
fbank_config=
ivector_extractor=
den_dir=
lm_opts=
num_leaves=
frozen=
learning_rate_factors=
objective=
objective_opts=
vosk=true
# End configuration section.

help_message="Usage: $0 [options] <model> <data-dir> <dir>
e.g.: $0 vosk-model-small-en-us-0.15 data/mine exp/mine
      $0 --lang data/lang_mine --frozen 'tdnn[1-4].*' exp/chain/tdnn data/mine exp/mine
<model> is a folder for Vosk, a directory of Kaldi's (of training, or for online decoding), or a final.mdl in one of these;
<data-dir> has wav.scp and text. Leaves a model directory with final.mdl and, where a graph is known, the folder vosk.
  --lang <dir>                     # lang directory with the words of the transcripts, new ones too; default: those of the graph
  --graph <dir>                    # graph of the model, where it has none inside
  --tree <file>                    # tree of the model, where it has none: else it is found in the graph
  --mfcc-config, --fbank-config <file>  # features of the model, where it does not tell; else those of <data-dir>
  --ivector-extractor <dir>        # of the model, where it has none inside
  --frozen <patterns>              # layers that stay as they are: 'tdnn[1-4].* lstm*', say
  --learning-rate-factors <rules>  # 'tdnn*=0.1 output*=2': of nnet-pytorch-train-model
  --num-leaves <n>                 # a new tree of so many leaves, and new output layers for it (needs --lang)
  --den-dir <dir>                  # den.fst and normalization.fst of LF-MMI; default: the model's own, else of the transcripts
  --lm-opts <options>              # of chain-est-phone-lm, for the transcripts' phones
  --objective <name>               # lfmmi where outputs are subsampled, else cross-entropy; --objective-opts: its options
  --vosk <true|false>              # write the folder for Vosk (true)
  --stage <n>                      # 0 model, 1 features, 2 i-vectors, 3 lattices, 4 tree and graphs, 5 training, 6 decoding graph,
                                   # 7 folder for Vosk
  --nj <n>, --cmd <cmd>            # number of parallel jobs (4), and how to run them (this machine)
All other options go to train.sh: --num-epochs, --initial-learning-rate, --minibatch-size, --use-gpu ..."

own_options=(stage nj cmd lang graph tree mfcc-config fbank-config ivector-extractor den-dir lm-opts num-leaves frozen
  learning-rate-factors objective objective-opts vosk)
. "$(dirname "${BASH_SOURCE[0]}")/lib/options.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib/step.sh"

[ $# -eq 3 ] || usage
source=$1 data=$2 dir=$3
use_programs
needs "$data"/{text,utt2spk}
[ -z "$mfcc_config" ] || [ -z "$fbank_config" ] || fail "give one of --mfcc-config and --fbank-config"
[ -z "$lang" ] || needs "$lang"/{L.fst,phones.txt,oov.int}
[ -z "$num_leaves" ] || [ -n "$lang" ] || fail "--num-leaves needs --lang, of which the tree is built"
model=$dir/model
known=$("$steps/train.sh" --help 2>&1; nnet-pytorch-train-model --help 2>&1)
for word in "${others[@]}"; do # said before anything takes long
  option=${word%%=*}
  [[ $known =~ (^|[[:space:]])${option//_/-}([^a-z0-9-]|$) ]] || fail "neither train.sh nor nnet-pytorch-train-model has an option $option"
done
if [ -n "$objective" ]; then
  objectives=$(nnet-pytorch-train-model --print-args=false --models | sed -n 's/^objective //p')
  grep -qxF -e "$objective" <<< "$objectives" || fail "there is no --objective $objective: it is one of ${objectives//$'\n'/, }"
fi
given=("$source" "$data" "$lang" "$graph" "$tree" "$mfcc_config" "$fbank_config" "$ivector_extractor" "$den_dir")
for made in model:0 data:1 vosk:7; do # and the stage that makes it anew
  if [ "$stage" -le "${made#*:}" ]; then outside "$dir/${made%:*}" "${given[@]}"; fi
done
[ ! "$source" -ef "$dir" ] && [ ! "$data" -ef "$dir" ] || fail "<dir>, $dir, must be another one than <model> and <data-dir>"
mkdir -p "$dir"

if [ "$stage" -le 0 ]; then
  rm -rf "$model"
  nnet-pytorch-unpack-model ${graph:+--graph="$graph"} ${tree:+--tree="$tree"} "$source" "$model"
fi

factor=$(number_in "$model/frame_subsampling_factor")
network=$(nnet3-am-info --print-args=false "$model/final.mdl")
read -ra rules <<< "$frozen $learning_rate_factors"
for rule in "${rules[@]}"; do # so are these
  pattern=${rule%=*} found=false
  while read -r layer; do
    # shellcheck disable=SC2053
    if [[ $layer == $pattern ]]; then found=true; fi
  done < <(sed -n 's/^component name=\([^ ]*\) .*/\1/p' <<< "$network")
  [[ $rule != *=* || ${rule#*=} =~ ^[0-9.]+(e-?[0-9]+)?$ ]] || fail "--learning-rate-factors: $rule has no factor that is a number"
  $found || fail "the network has no layer $pattern; nnet-pytorch-am-info shows what there is"
done

features=$dir/data
config=
for kind in mfcc fbank plp; do # how the model's features are made
  if [ -f "$model/conf/$kind.conf" ]; then type=$kind config=$model/conf/$kind.conf; fi
done
if [ -n "$mfcc_config" ]; then type=mfcc config=$mfcc_config; fi
if [ -n "$fbank_config" ]; then type=fbank config=$fbank_config; fi
if [ "$stage" -le 1 ]; then
  rm -rf "$features"
  "$utils/copy_data_dir.sh" "$data" "$features"
  if [ -n "$config" ] && [ -f "$data/wav.scp" ]; then
    "$steps/make_feats.sh" --nj "$nj" --cmd "$cmd" --type "$type" "--$type-config" "$config" "$features"
  else
    needs "$features/feats.scp"
  fi
  "$steps/compute_cmvn_stats.sh" "$features"
  "$utils/fix_data_dir.sh" "$features"
fi

ivectors=
if [[ $network == *"input-node name=ivector "* ]]; then
  : "${ivector_extractor:=$model/extractor}"
  [ -d "$ivector_extractor" ] || fail "the network takes i-vectors: give --ivector-extractor"
  ivectors=$dir/ivectors
  if [ "$stage" -le 2 ]; then
    ivector_options=$(options_in "$ivector_extractor/ivector_opts")
    # shellcheck disable=SC2086
    "$steps/extract_ivectors.sh" --nj "$nj" --cmd "$cmd" $ivector_options "$features" "$ivector_extractor" "$ivectors"
  fi
fi

if [ "$stage" -le 3 ]; then
  [ -n "$lang" ] || [ -d "$model/graph" ] || fail "the model has no graph: give --lang, or --graph"
  "$steps/align_nnet_lats.sh" --nj "$nj" --cmd "$cmd" --online-ivector-dir "$ivectors" --generate-ali-from-lats true \
    "$features" "${lang:-$model/graph}" "$model" "$dir/lats"
fi

if [ "$factor" -gt 1 ]; then : "${objective:=lfmmi}"; else : "${objective:=cross-entropy}"; fi
tree_dir=$dir/lats den=${den_dir:-$model}
if [ -n "$num_leaves" ]; then
  tree_dir=$dir/new_tree den=${den_dir:-$dir/den}
  if [ "$stage" -le 4 ]; then
    "$steps/build_tree.sh" --cmd "$cmd" --frame-subsampling-factor "$factor" --alignment-subsampling-factor 1 \
      --context-opts "--context-width=2 --central-position=1" "$num_leaves" "$features" "$lang" "$dir/lats" "$tree_dir"
  fi
fi
targets=$tree_dir
if [[ $objective == lfmmi* ]]; then
  if [ -z "$den_dir" ] && ! { [ -f "$den/den.fst" ] && [ -f "$den/normalization.fst" ]; }; then den=$dir/den; fi
  if [ "$stage" -le 4 ]; then
    if [ "$den" = "$dir/den" ]; then
      "$steps/make_den_fst.sh" --cmd "$cmd" ${lm_opts:+--lm-opts "$lm_opts"} "$tree_dir" "$den"
    fi
    # Lattices of the model have its frames, and its times are good to one.
    "$steps/make_supervisions.sh" --cmd "$cmd" --frame-subsampling-factor 1 --left-tolerance 1 --right-tolerance 1 \
      "$dir/lats" "$tree_dir" "$dir/supervision"
  fi
  needs "$den"/{den.fst,normalization.fst}
  targets=$dir/supervision
  objective_options="--den-fst=$(quoted "$den/den.fst")"
  if [[ $network != *"output-node name=output-xent "* ]]; then objective_options+=" --xent-regularize=0"; fi
  objective_opts="$objective_options $objective_opts"
fi

if [ "$stage" -le 5 ]; then
  rates=
  read -ra patterns <<< "$frozen"
  for pattern in "${patterns[@]}"; do rates+="$pattern=0 "; done
  cmvn_options=$(options_in "$model/cmvn_opts")
  options=(--cmvn-opts "$cmvn_options")
  if [ -f "$model/online_cmvn" ]; then options+=(--online-cmvn true --cmvn-stats "$model/global_cmvn.stats"); fi
  if [ -n "$ivectors" ]; then options+=(--ivector-dir "$ivectors"); fi
  network_options="--network=$(quoted "$model/final.mdl")"
  if [ -n "$num_leaves" ]; then network_options+=" --new-outputs=true"; fi
  "$steps/train.sh" --nj "$nj" --cmd "$cmd" --tree-dir "$tree_dir" --objective "$objective" \
    --objective-opts "$objective_opts" --model nnet3 --model-opts "$network_options" \
    --frame-subsampling-factor "$factor" --alignment-subsampling-factor "$factor" \
    --learning-rate-factors "$rates$learning_rate_factors" \
    --chunk-width 140,100,70,40 --minibatch-size 16 --initial-learning-rate 0.0005 --final-learning-rate 0.00005 \
    --num-epochs 10 "${options[@]}" "${others[@]}" "$features" "$targets" "$dir"
fi

decoding_graph=
if [ -n "$lang" ] && [ -f "$lang/G.fst" ]; then
  decoding_graph=$dir/graph
  if [ "$stage" -le 6 ]; then
    scale=0.1
    if [ "$factor" -gt 1 ]; then scale=1.0; fi
    "$steps/mkgraph.sh" --self-loop-scale="$scale" "$lang" "$dir" "$decoding_graph"
  fi
elif [ -z "$num_leaves" ] && [ -d "$model/graph" ]; then
  decoding_graph=$model/graph
fi

if [ "$stage" -le 7 ] && $vosk; then
  rm -rf "$dir/vosk"
  if [ -d "$model/vosk" ] && [ "$decoding_graph" = "$model/graph" ]; then # all else stays as it is
    cp -RL "$model/vosk" "$dir/.vosk.$$"
    am=$dir/.vosk.$$
    if [ -d "$am/am" ]; then am=$am/am; fi
    cp "$dir/final.mdl" "$am"
    mv "$dir/.vosk.$$" "$dir/vosk"
  elif [ -f "$decoding_graph/HCLG.fst" ] && [ -f "$decoding_graph/phones/silence.csl" ] && [ "${type:-}" = mfcc ]; then
    nnet-pytorch-export --vosk --graph="$decoding_graph" --mfcc-config="$config" --cmvn-stats="$features" \
      ${ivectors:+--ivector-extractor="$ivector_extractor"} "$dir/final.mdl" "$dir/vosk"
  else
    echo "$0: no folder for Vosk is written: it needs a graph (--lang with a G.fst, or --graph with HCLG.fst and" \
      "phones/silence.csl), and MFCC (--mfcc-config)" >&2
  fi
fi
