#!/bin/bash
# Kills `kith train` again and again at random moments; the same command goes on each time, and in
# the end there are the weights, losses and curves of a training that nothing stopped.
# Usage: kill_during_train.sh PATH/TO/kith [TRAININGS [OPTION...]]
. "$(dirname "$0")/common.sh"
trainings=${2:-1}
options=("${@:3}")  # of kith train, such as --processes 2

seq 200 | awk '{
  printf "{\"query\": \"reads mail %d\", \"positive\": \"%d is a program for letters\"}\n", $1, $1
}' >pairs.jsonl
"$kith" train tokenizer pairs.jsonl --field query,positive --vocab 200 -o tokenizer.json >/dev/null
cat >recipe.toml <<'END'
output = "whole"
[model.architecture]
layers = 2
width = 64
heads = 4
tokenizer = "tokenizer.json"
[[data]]
files = ["pairs.jsonl"]
[train]
steps = 60
batch = 32
accumulation = 2
average = 0.9
checkpoint_seconds = 0
[validation]
files = ["pairs.jsonl"]
every = 5
END

# train OUTPUT: the training, in the background.
train() {
  "$kith" train recipe.toml --threads 2 "${options[@]}" --set "output=$1" >/dev/null 2>errors.txt &
  running=$!
}

train whole
wait $running || fail "$(cat errors.txt)"
kills=0 resumed=0
for training in $(seq "$trainings"); do
  while [ ! -e killed ]; do  # there once it is whole, even where a kill came after that
    ! [ -e killed.checkpoint ] || resumed=$((resumed + 1))
    train killed
    sleep "$((RANDOM % 2)).$((RANDOM % 90 + 10))"
    kill -KILL $running 2>/dev/null || true
    status=0
    wait $running 2>/dev/null || status=$?
    case $status in
      0) ;;
      137) kills=$((kills + 1)) ;;
      *) fail "training $training ended with $status: $(cat errors.txt)" ;;
    esac
  done
  for file in model.safetensors training/log.jsonl training/curves.svg; do
    cmp whole/$file killed/$file || fail "training $training: $file differs"
  done
  rm -rf killed killed.checkpoint
done
echo "$trainings trainings with $kills kills, gone on $resumed times: each ended in the same bytes"
[ $kills -gt 0 ] && [ $resumed -gt 0 ] || fail 'no training was resumed, so nothing was shown'
