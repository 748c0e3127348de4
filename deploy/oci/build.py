#!/usr/bin/env python3
"""Makes a container image of issuer-gateway, as an OCI archive:

    deploy/oci/build.py BINARY OUT.tar

The image holds the program, the libraries that it was linked with (the C library; a debug build has the system's OpenSSL
as well), CA certificates and time zones, and nothing else: no shell, no package manager. It runs as user 65532 and needs no writable root. The files come from Debian's packages, fetched
by apt and checked against its signatures. Two runs on one set of packages give the same bytes: names are sorted, times are
SOURCE_DATE_EPOCH (0 if unset), owners are root.

Load it:  podman load -i OUT.tar      skopeo copy oci-archive:OUT.tar docker://registry.example.com/issuer-gateway:0.1.0

Why not a static program: `crypto.multi_buffer` and tokens load a library at run time, which a static one cannot do. The
C library, too, loads those that look up names.
"""

import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

USER = 65532
PACKAGES = ["ca-certificates", "tzdata"]
# Which package has a library that a program may be linked with. Any other library is refused.
LIBRARIES = {
    "ld-linux-x86-64.so.2": "libc6",
    "ld-linux-aarch64.so.1": "libc6",
    "libc.so.6": "libc6",
    "libm.so.6": "libc6",
    "libgcc_s.so.1": "libgcc-s1",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
}
# What the packages have and nobody reads in a container.
LEFT_OUT = re.compile(r"^(usr/share/(doc|man|lintian|locale|doc-base|bug)|usr/sbin|etc|usr/lib/[a-z0-9_]+-linux-gnu/(gconv|audit))(/|$)")
ARCHITECTURES = {"amd64": "amd64", "arm64": "arm64"}


def fetch(folder, packages):
    """The packages' files below `folder`/root, and their versions."""
    subprocess.run(["apt-get", "-o", "APT::Sandbox::User=root", "download", "-qq", *sorted(packages)], cwd=folder, check=True)
    versions = {}
    for package in sorted(pathlib.Path(folder).glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", package, pathlib.Path(folder, "root")], check=True)
        fields = ["dpkg-deb", "-f", package, "Package", "Version"]
        shown = subprocess.run(fields, check=True, capture_output=True, text=True).stdout
        name, version = re.findall(r": (.*)", shown)
        versions[name] = version
    return versions


def bundle(root):
    """The file that update-ca-certificates would make."""
    certificates = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    if len(certificates) < 100:
        sys.exit("oci: no CA certificates in ca-certificates")
    file = root / "etc/ssl/certs/ca-certificates.crt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(certificate.read_text().rstrip("\n") + "\n" for certificate in certificates))


def needed(binary):
    """The packages of the libraries that the program is linked with."""
    listed = subprocess.run(["objdump", "-p", binary], check=True, capture_output=True, text=True).stdout
    wanted = re.findall(r"NEEDED\s+(\S+)", listed)
    unknown = sorted(set(wanted) - set(LIBRARIES))
    if not wanted or unknown:
        sys.exit(f"oci: the program needs libraries that the image has not: {', '.join(unknown) or 'none at all?'}")
    return {LIBRARIES[library] for library in wanted}


def layer(root, binary, epoch):
    """The one layer: a tar without times, owners and order of this machine."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:

        def add(name, mode, kind=tarfile.DIRTYPE, content=None, link="", owner=0):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.mtime, entry.linkname = kind, mode, epoch, link
            entry.uid = entry.gid = owner
            entry.size = len(content) if content is not None else 0
            tar.addfile(entry, io.BytesIO(content) if content is not None else None)

        made = set()
        for file in sorted(root.rglob("*")):
            name = str(file.relative_to(root))
            if LEFT_OUT.match(name) and not name.startswith("etc/ssl") and name != "etc":
                continue
            made.add(name)
            if file.is_symlink():
                add(name, 0o777, tarfile.SYMTYPE, link=os.readlink(file))
            elif file.is_dir():
                add(name, 0o755)
            else:
                add(name, 0o755 if os.access(file, os.X_OK) else 0o644, tarfile.REGTYPE, file.read_bytes())
        for folder in ["etc", "usr", "usr/bin", "etc/issuer-gateway", "var", "var/lib"]:
            if folder not in made:
                add(folder, 0o755)
        # For SQLite and the witness, where a volume is mounted; the root itself may be read-only.
        add("var/lib/issuer-gateway", 0o700, owner=USER)
        add("tmp", 0o1777)
        add("etc/passwd", 0o644, tarfile.REGTYPE, f"issuer-gateway:x:{USER}:{USER}::/var/lib/issuer-gateway:/\n".encode())
        add("etc/group", 0o644, tarfile.REGTYPE, f"issuer-gateway:x:{USER}:\n".encode())
        add("usr/bin/issuer-gateway", 0o755, tarfile.REGTYPE, pathlib.Path(binary).read_bytes())
    return packed.getvalue()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    binary, out = sys.argv[1], sys.argv[2]
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    shown = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout
    version = shown.split()[1]
    architecture = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        versions = fetch(folder, {*PACKAGES, *needed(binary)})
        root = pathlib.Path(folder, "root")
        bundle(root)
        content = layer(root, binary, epoch)

    blobs = {}

    def blob(data, kind, **more):
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data), **more}

    def text(value):
        return json.dumps(value, indent=1, sort_keys=True).encode()

    labels = {
        "org.opencontainers.image.title": "issuer-gateway",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
        **{f"org.debian.package.{name}": of_package for name, of_package in sorted(versions.items())},
    }
    layers = [blob(content, "layer.v1.tar")]
    config = {
        "architecture": ARCHITECTURES[architecture],
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "Entrypoint": ["/usr/bin/issuer-gateway"],
            "Cmd": ["serve"],
            "Env": ["PATH=/usr/bin", "ISSUER_GATEWAY_CONFIG=/etc/issuer-gateway/gateway.toml"],
            "ExposedPorts": {"8443/tcp": {}},
            "WorkingDir": "/var/lib/issuer-gateway",
            "StopSignal": "SIGTERM",
            "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [layers[0]["digest"]]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(text(config), "config.v1+json"),
        "layers": layers,
    }
    named = {"org.opencontainers.image.ref.name": f"issuer-gateway:{version}"}
    index = {"schemaVersion": 2, "manifests": [blob(text(manifest), "manifest.v1+json", annotations=named)]}
    blobs["oci-layout"] = text({"imageLayoutVersion": "1.0.0"})
    blobs["index.json"] = text(index)
    with tarfile.open(out, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(blobs):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(blobs[name]), 0o644, epoch
            tar.addfile(entry, io.BytesIO(blobs[name]))
    print(f"{out}: issuer-gateway {version}, {len(content) // 1_000_000} MB, user {USER}")


main()
