. ./path.sh
which fstcompile fstcompose
set -x
utils/prepare_lang.sh --position-dependent-phones false data/local/dict "<SIL>" data/local/lang data/lang
local/prepare_lm.sh
utils/validate_lang.pl data/lang_test_tg | tail -5
utils/mkgraph.sh data/lang_test_tg exp/mono0a exp/mono0a/graph_tgpr
time steps/decode.sh --nj 1 --cmd utils/run.pl --scoring_opts "--stage 0" exp/mono0a/graph_tgpr data/test_yesno exp/mono0a/decode_test_yesno
for x in exp/*/decode*; do [ -d $x ] && grep WER $x/wer_* | utils/best_wer.sh; done
