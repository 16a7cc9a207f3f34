# The few commands that matter; CMake does the work. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build test quickstart words bench check-long format clean configure

# Lets ccache reuse what another clone compiled.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1

JOBS ?= $(shell nproc)
setup_stamp := build/.setup-done

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name what; do \
	  printf '  make %-11s %s\n' "$$name" "$$what"; done

setup: $(setup_stamp)  ## install the missing packages of apt.txt (as root, on Debian 12)

$(setup_stamp): apt.txt scripts/setup.sh
	@scripts/setup.sh apt.txt
	@mkdir -p $(@D) && touch $@

configure: $(setup_stamp)
	@cmake --preset release >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }

build: configure  ## build/release/kith, the command
	@cmake --build --preset release --target kith-tool --parallel $(JOBS)

test: configure  ## build everything and run every test
	@cmake --build --preset release --parallel $(JOBS)
	@ctest --test-dir build/release --output-on-failure --parallel $(JOBS) --no-tests=error

quickstart: build  ## real texts: fetch, train, embed, index, ask in plain words, and a table
	@cmake --build --preset release --target kith_learn --parallel $(JOBS)
	@scripts/quickstart.sh

words: build  ## real word vectors: fetch, index, search, and a table
	@scripts/words.sh

bench: configure  ## kith beside FAISS, hnswlib and USearch
	@cmake --build --preset release --target kith-tool kith-peers kith-make-data --parallel $(JOBS)
	@bench/data.sh build/release/kith-make-data .cache
	@build/release/kith bench peers --svg docs/peers.svg --markdown docs/peers.md

check-long: configure  ## what is too long for CI; results go to docs/check-long/
	@scripts/check_long.sh

format: $(setup_stamp)  ## clang-format every source
	@git ls-files -z '*.h' '*.cc' '*.c' | xargs -0 clang-format-16 -i

clean:  ## remove what was built; fetched data in .cache stays
	@rm -rf build
