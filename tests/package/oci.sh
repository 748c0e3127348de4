#!/usr/bin/env bash
# The container image: made twice it is the same, and its program serves as its user on a root that is read-only.
#   tests/package/oci.sh BINARY
# Needs root, for the chroot that stands in for a container.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
binary=$(realpath "${1:?usage: tests/package/oci.sh BINARY}")
mkdir -p "$root/target/package"
work=$(mktemp -d "$root/target/package/oci.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Without what only a debugger reads.
strip -o "$work/issuer-gateway" "$binary"
"$root/deploy/oci/build.py" "$work/issuer-gateway" "$work/one.tar"
"$root/deploy/oci/build.py" "$work/issuer-gateway" "$work/two.tar"
cmp "$work/one.tar" "$work/two.tar"

# Every digest of the archive is that of its blob; then the root is unpacked.
mkdir "$work/archive" "$work/root"
tar -C "$work/archive" -xf "$work/one.tar"
for blob in "$work"/archive/blobs/sha256/*; do
    [ "$(sha256sum <"$blob" | cut -d ' ' -f 1)" = "$(basename "$blob")" ]
done
layer=$(python3 - "$work/archive" <<'PY'
import json, sys
def blob(digest): return f"{sys.argv[1]}/blobs/" + digest.replace(":", "/")
index = json.load(open(f"{sys.argv[1]}/index.json"))
manifest = json.load(open(blob(index["manifests"][0]["digest"])))
config = json.load(open(blob(manifest["config"]["digest"])))
assert config["config"]["User"] == "65532:65532", config
assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]
print(blob(manifest["layers"][0]["digest"]))
PY
)
tar -C "$work/root" -xf "$layer"
[ ! -e "$work/root/bin/sh" ] && [ -s "$work/root/etc/ssl/certs/ca-certificates.crt" ] && [ -e "$work/root/usr/share/zoneinfo/UTC" ]

# What a container does: processes and mounts of its own, its user, a root that nobody writes to, one volume.
unshare --mount --pid --fork --kill-child bash -euc '
    mount --bind "$0/root" "$0/root"
    mount -o remount,ro,bind "$0/root"
    mount -t tmpfs -o mode=0700,uid=65532,gid=65532 tmpfs "$0/root/var/lib/issuer-gateway"
    run=(chroot --userspec=65532:65532 "$0/root" /usr/bin/issuer-gateway)
    "${run[@]}" --version
    : >"$0/out"
    "${run[@]}" sandbox --dir /var/lib/issuer-gateway/sandbox --port 0 >"$0/out" 2>"$0/err" &
    process=$!
    until grep -q "Serving until" "$0/out"; do kill -0 "$process" || { cat "$0/err"; exit 1; }; sleep 0.1; done
    "${run[@]}" client enrol --sandbox /var/lib/issuer-gateway/sandbox/sandbox.json
    kill "$process"
    wait "$process"' "$work"
