#!/usr/bin/env bash
# Installs the Debian package in an empty Debian (debootstrap, a chroot) and runs the commands of docs/deployment.md there:
#   tests/package/run.sh PACKAGE.deb
# Needs root. The empty Debian is kept in target/package/base.tar; the chroot and its processes go at the end.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
package=$(realpath "${1:?usage: tests/package/run.sh PACKAGE.deb}")
out=$root/target/package
suite=bookworm

fail() { echo "package: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "needs root, for debootstrap and chroot"
command -v debootstrap >/dev/null || {
    echo "package: installing debootstrap" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq debootstrap; } >&2
}

mkdir -p "$out"
chroot=$(mktemp -d "$out/chroot.XXXXXX")
chmod 755 "$chroot"
# Mounts are in a namespace of their own: nothing of the machine is under here.
trap 'rm -rf "$chroot"' EXIT

# Runs a command in the chroot, with processes and mounts of its own, which go with it.
inside() {
    unshare --mount --pid --fork --kill-child bash -euc '
        mount -t proc proc "$0/proc"
        mount --rbind /dev "$0/dev"
        mount -t tmpfs -o mode=1777 tmpfs "$0/dev/shm" 2>/dev/null || true
        mount -t tmpfs tmpfs "$0/run"
        exec chroot "$0" env -i PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
            DEBIAN_FRONTEND=noninteractive "$@"' "$chroot" "$@"
}

if [ ! -f "$out/base.tar" ]; then
    echo "package: making an empty Debian $suite" >&2
    debootstrap --variant=minbase "$suite" "$chroot" >"$out/debootstrap.log" ||
        { tail -n 20 "$out/debootstrap.log" >&2; fail "debootstrap failed"; }
    cp /etc/resolv.conf "$chroot/etc/"
    find /etc/apt/apt.conf.d -name '*proxy*' -exec cp {} "$chroot/etc/apt/apt.conf.d/" \;
    # Nothing starts by itself.
    printf '#!/bin/sh\nexit 101\n' >"$chroot/usr/sbin/policy-rc.d"
    chmod 755 "$chroot/usr/sbin/policy-rc.d"
    inside bash -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql curl openssl ca-certificates systemd' \
        >"$out/base.log" 2>&1 || { tail -n 20 "$out/base.log" >&2; fail "the packages of the base cannot be installed"; }
    tar -C "$chroot" --exclude='./dev/*' --exclude='./var/cache/apt/archives/*.deb' -cf "$out/base.tar.partial" .
    mv "$out/base.tar.partial" "$out/base.tar"
else
    tar -C "$chroot" -xf "$out/base.tar"
fi

cp "$package" "$chroot/root/"
install -m 0755 "$root/tests/package/systemctl" "$chroot/usr/local/sbin/systemctl"
awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$root/docs/deployment.md" >"$chroot/root/deployment.sh"
[ "$(wc -l <"$chroot/root/deployment.sh")" -gt 50 ] || fail "docs/deployment.md has too few commands"

cat >"$chroot/root/all.sh" <<'INSIDE'
set -euo pipefail
cd /root
pg_ctlcluster 15 main start
# The page's commands, as one who follows it types them.
set -x
. ./deployment.sh | tee said
set +x

grep -q '"status":"ready"' said
grep -q '"userid"' said
grep -q '^issuer_gateway_ready{part="all"} 1$' said
# Sealed: the name and the card are nowhere in the database, and nowhere in the log.
refuse() { if "$@"; then echo "package: this must not work: $*" >&2; exit 1; fi; }
runuser -u postgres -- pg_dump issuer_gateway >dump.sql
grep -q 'COPY public.users' dump.sql
refuse grep -i -e sample -e 5344035555555556 -e brooklyn dump.sql /var/log/issuer-gateway.log

systemd-analyze security --offline=true --no-pager --threshold=20 /lib/systemd/system/issuer-gateway.service | tail -n 1
# Everybody else may look at neither keys nor configuration.
nobody() { setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; }
for file in gateway.toml kek.key keys/gateway.pem tls/key.pem; do
    refuse nobody cat "/etc/issuer-gateway/$file" 2>/dev/null
done
# Installed again over itself, a changed configuration stays.
dpkg --install ./issuer-gateway_*.deb >/dev/null
grep -q localhost:8443 /etc/issuer-gateway/gateway.toml
# It ends in order, and purged, its keys and data stay.
process=$(cat /run/issuer-gateway.pid)
kill -TERM "$process"
timeout 60 bash -c "while kill -0 $process 2>/dev/null; do sleep 0.1; done"
runuser -u issuer-gateway -- issuer-gateway --config /etc/issuer-gateway/gateway.toml audit export | grep -q '"action":"node.stop"'
dpkg --purge issuer-gateway >/dev/null
test -s /etc/issuer-gateway/kek.key && test -s /etc/issuer-gateway/keys/gateway.pem
refuse test -e /usr/bin/issuer-gateway
pg_ctlcluster 15 main stop
INSIDE
inside bash /root/all.sh || fail "the installation failed"
echo "package: installed, configured, enrolled, verified, purged as docs/deployment.md says"
