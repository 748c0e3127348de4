#!/usr/bin/env bash
# Makes what is handed to operators, in target/package/out: Debian package, container image, Helm chart, the list of
# what is in them (CycloneDX), checksums.
#   scripts/package.sh            the release build, with its C libraries from source
#   scripts/package.sh --debug    the debug build, as `make` builds it: for `make package-test`
# PACKAGE_OUT=DIR puts them elsewhere. Installs three programs of Cargo's below target/tools where they are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${PACKAGE_OUT:-target/package/out}
tools=$PWD/target/tools
PATH=$tools/bin:$PATH
# They run for seconds, so a quick build of them is the better one.
tool() {
    command -v "$1" >/dev/null || CARGO_PROFILE_RELEASE_LTO=false CARGO_PROFILE_RELEASE_OPT_LEVEL=$3 \
        cargo install --quiet --locked --root "$tools" "$1" --version "$2"
}
tool cargo-deb 3.8.0 1
tool cargo-cyclonedx 0.5.9 0
tool cargo-auditable 0.7.7 0

# The times in packages are those of the commit. The C libraries of a debug build are not built anew for it.
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}

# The program has the list of its crates in it.
auditable() { CARGO=$PWD/scripts/cargo-by-name cargo-auditable auditable "$@"; }
if [ "${1:-}" = --debug ]; then
    profile=debug
    read -ra features < <(scripts/features.sh) || true
    auditable build "${features[@]}"
    deb=(--profile dev --fast)
else
    profile=release
    features=(--features bundled)
    # Paths of this machine stay out of the program, so that another folder makes the same one.
    PACKAGE_ROOT=$PWD
    PACKAGE_CARGO=${CARGO_HOME:-$HOME/.cargo}
    export PACKAGE_ROOT PACKAGE_CARGO
    SOURCE_DATE_EPOCH=$epoch CC=cc-without-paths PATH=$PWD/scripts:$PATH \
        RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$PACKAGE_ROOT=/build --remap-path-prefix=$PACKAGE_CARGO=/cargo" \
        auditable build --release "${features[@]}"
    for path in "$PACKAGE_ROOT" "$PACKAGE_CARGO"; do
        if grep -qaF "$path" target/release/issuer-gateway; then
            echo "package: the program knows the folder $path" >&2
            exit 1
        fi
    done
    # The folder is left in hashes of local symbols' names, and in the build id over them; code and data are the same.
    # `issuer-gateway.symbols` has the names, for whoever reads a core dump.
    program=target/release/issuer-gateway
    cp "$program" "$program.symbols"
    objcopy --strip-all --remove-section=.note.gnu.build-id "$program.symbols" "$program.stripped"
    mv "$program.stripped" "$program"
    deb=()
fi
version=$("target/$profile/issuer-gateway" --version | cut -d ' ' -f 2)

export SOURCE_DATE_EPOCH=$epoch
mkdir -p "$out"
rm -f "$out"/*.deb "$out"/*.tar "$out"/*.tgz "$out"/*.cdx.json "$out"/SHA256SUMS
cargo deb --quiet --no-build "${deb[@]}" --output "$out/"

# The image has the very program of the package.
work=$(mktemp -d target/package.XXXXXX)
trap 'rm -rf "$work"' EXIT
dpkg-deb --extract "$out"/*.deb "$work"
deploy/oci/build.py "$work/usr/bin/issuer-gateway" "$out/issuer-gateway.oci.tar"

tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" --mode=u=rwX,go=rX \
    -C deploy/helm -cf - issuer-gateway | gzip -n >"$out/issuer-gateway-chart-$version.tgz"

scripts/sbom.py "$out/issuer-gateway-$version.cdx.json" "${features[@]}"

(cd "$out" && sha256sum -- *.deb *.tar *.tgz *.cdx.json >SHA256SUMS && cat SHA256SUMS)
