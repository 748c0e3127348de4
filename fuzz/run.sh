#!/usr/bin/env bash
# Runs fuzz targets one after the other: fuzz/run.sh [TARGET...]; all of them if none is named.
#
#   FUZZ_SECONDS  for each target (60)
#   SANITIZER     none (with any compiler) or address (needs a nightly compiler)
#
# Seeds are in fuzz/seeds/TARGET. What a run finds interesting is kept in fuzz/corpus/TARGET for the next one, and an
# input that breaks something in fuzz/artifacts/TARGET.
set -euo pipefail
cd "$(dirname "$0")"

seconds="${FUZZ_SECONDS:-60}"
sanitizer="${SANITIZER:-none}"
# cargo-fuzz asks for a nightly compiler even where it needs none.
toolchain=()
if [ "$sanitizer" != none ]; then toolchain=(+nightly); fi

# The versions that the gateway is built with.
cp ../Cargo.lock Cargo.lock

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then mapfile -t targets < <(cargo "${toolchain[@]}" fuzz list); fi
cargo "${toolchain[@]}" fuzz build --sanitizer "$sanitizer"
for target in "${targets[@]}"; do
  echo "== $target, $seconds s"
  mkdir -p "corpus/$target"
  # A token of the allowed length has 54,000 characters.
  cargo "${toolchain[@]}" fuzz run --sanitizer "$sanitizer" "$target" "corpus/$target" "seeds/$target" -- \
    -max_total_time="$seconds" -max_len=65536 -timeout=10 -verbosity=0 -print_final_stats=1
done
