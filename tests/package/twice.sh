#!/usr/bin/env bash
# Two release builds of this commit, in folders of different names, are the same, byte for byte: program, packages, image,
# chart, list of crates.
#   tests/package/twice.sh    a quarter of an hour on two cores
# What is not committed does not count. The builds lie below target/twice, the first one is reused by a later run.
set -euo pipefail
cd "$(dirname "$0")/../.."

export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
for folder in one another-one/deeper; do
    source=target/twice/$folder
    mkdir -p "$source"
    # What was built stays, the sources are those of the commit.
    find "$source" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
    git archive HEAD | tar -C "$source" -xf -
    # The tools, too, lie elsewhere.
    mkdir -p "$source/target/tools/bin"
    tools=target/tools/bin
    [ -d "$tools" ] || tools=target/twice/one/target/tools/bin
    [ "$tools" -ef "$source/target/tools/bin" ] || cp "$tools"/* "$source/target/tools/bin/"
    (cd "$source" && scripts/package.sh)
done
one=target/twice/one/target
another=target/twice/another-one/deeper/target
sha256sum "$one/release/issuer-gateway" "$another/release/issuer-gateway"
cmp "$one/release/issuer-gateway" "$another/release/issuer-gateway"
for file in "$one"/package/out/*; do
    cmp "$file" "$another/package/out/$(basename "$file")"
done
cmp "$one/package/out/SHA256SUMS" "$another/package/out/SHA256SUMS"
echo "package: both builds are the same, byte for byte"
