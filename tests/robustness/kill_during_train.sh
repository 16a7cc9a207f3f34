#!/bin/bash
# Kills `kith train` again and again at random moments; the same command goes on each time, and in
# the end there are the weights, losses and curves of a training that nothing stopped.
# Usage: kill_during_train.sh PATH/TO/kith [TRAININGS]
. "$(dirname "$0")/common.sh"
trainings=${2:-1}

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
"$kith" train recipe.toml --threads 2 >/dev/null

kills=0 resumed=0
for training in $(seq "$trainings"); do
  while :; do
    "$kith" train recipe.toml --threads 2 --set output=killed --json >record.json 2>errors.txt &
    running=$!
    # Most of them once something was recorded since, which is then gone on from.
    sleep "$((RANDOM % 2)).$((RANDOM % 90 + 10))"
    kill -KILL $running 2>/dev/null || break
    status=0
    wait $running 2>/dev/null || status=$?
    [ $status != 0 ] || break
    [ $status = 137 ] || fail "training $training ended with $status: $(cat errors.txt)"
    kills=$((kills + 1))
  done
  wait $running 2>/dev/null || fail "training $training ended with $?: $(cat errors.txt)"
  if grep -q '"first_step":[1-9]' record.json; then resumed=$((resumed + 1)); fi
  for file in model.safetensors training/log.jsonl training/curves.svg; do
    cmp whole/$file killed/$file || fail "training $training: $file differs"
  done
  [ ! -e killed.checkpoint ] || fail "training $training: its checkpoint is left over"
  rm -rf killed
done
echo "$trainings trainings with $kills kills, $resumed of them resumed: each ended in the same bytes"
[ $kills -gt 0 ] && [ $resumed -gt 0 ] || fail 'no training was resumed, so nothing was shown'
