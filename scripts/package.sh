#!/usr/bin/env bash
# Makes what is handed to operators, in target/package/out:
#   scripts/package.sh            release build: .deb, container image, Helm chart, checksums
#   scripts/package.sh --debug    the .deb alone, of the debug build: for tests/package/run.sh
# Installs cargo-deb below target/tools where it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

out=target/package/out
tools=$PWD/target/tools
mkdir -p "$out"
PATH=$tools/bin:$PATH
# It runs for seconds, so a quick build of it is the better one.
command -v cargo-deb >/dev/null || CARGO_PROFILE_RELEASE_LTO=false CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    cargo install --quiet --locked --root "$tools" cargo-deb --version 3.8.0

# The times in packages are those of the commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

if [ "${1:-}" = --debug ]; then
    # shellcheck disable=SC2046 # several words
    cargo build $(scripts/features.sh)
    rm -f "$out"/*.deb
    cargo deb --quiet --no-build --profile dev --fast --output "$out/"
    exit
fi

rm -rf "$out"
mkdir -p "$out"
# Paths of this machine stay out of the program.
RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$PWD=/build --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
    cargo build --release --features bundled
cargo deb --quiet --no-build --output "$out/"
deploy/oci/build.py target/release/issuer-gateway "$out/issuer-gateway.oci.tar"
version=$(target/release/issuer-gateway --version | cut -d ' ' -f 2)
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C deploy/helm -cf - issuer-gateway |
    gzip -n >"$out/issuer-gateway-chart-$version.tgz"
(cd "$out" && sha256sum -- *.deb *.tar *.tgz >SHA256SUMS && cat SHA256SUMS)
