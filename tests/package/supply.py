#!/usr/bin/env python3
"""What operators can verify of what `make package` made:

    tests/package/supply.py OUT

The checksums fit. The program of the Debian package names its crates (the section that `cargo auditable` writes). The
CycloneDX list names the same crates, each with the checksum of Cargo.lock. The image's program is the package's.
"""

import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = "usr/bin/issuer-gateway"


def of_package(out):
    [deb] = out.glob("*.deb")
    files = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(files)) as tar:
        return tar.extractfile(f"./{PROGRAM}").read()


def of_image(out):
    with tarfile.open(out / "issuer-gateway.oci.tar") as archive:

        def blob(descriptor):
            data = archive.extractfile("blobs/" + descriptor["digest"].replace(":", "/")).read()
            assert "sha256:" + hashlib.sha256(data).hexdigest() == descriptor["digest"]
            return data

        index = json.load(archive.extractfile("index.json"))
        manifest = json.loads(blob(index["manifests"][0]))
        [layer] = manifest["layers"]
        with tarfile.open(fileobj=io.BytesIO(blob(layer))) as tar:
            return tar.extractfile(PROGRAM).read()


def crates_of(program):
    """The crates in the program: name and version, of those that it runs and of those that built it."""
    with tempfile.TemporaryDirectory() as folder:
        file, section = pathlib.Path(folder, "program"), pathlib.Path(folder, "section")
        file.write_bytes(program)
        subprocess.run(["objcopy", f"--dump-section=.dep-v0={section}", file, "/dev/null"], check=True)
        packages = json.loads(zlib.decompress(section.read_bytes()))["packages"]
    [root] = [package["name"] for package in packages if package.get("root")]
    assert root == "issuer-gateway"
    return {(package["name"], package["version"]) for package in packages if package["name"] != root}


def main():
    out = pathlib.Path(sys.argv[1])
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=out, check=True)
    summed = {line.split()[1] for line in (out / "SHA256SUMS").read_text().splitlines()}
    assert summed == {file.name for file in out.iterdir()} - {"SHA256SUMS"}

    program = of_package(out)
    assert program == of_image(out), "the image has another program than the package"
    inside = crates_of(program)
    assert len(inside) > 200, len(inside)

    [file] = out.glob("*.cdx.json")
    bom = json.loads(file.read_text())
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.5")
    assert "serialNumber" not in bom and str(ROOT) not in file.read_text()
    assert bom["metadata"]["component"]["name"] == "issuer-gateway"
    listed = {(component["name"], component["version"]): component for component in bom["components"]}
    assert inside - set(listed) == set(), f"in the program, not in the list: {sorted(inside - set(listed))}"
    assert set(listed) - inside == set(), f"in the list, not in the program: {sorted(set(listed) - inside)}"

    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    locked = {(package["name"], package["version"]): package.get("checksum") for package in locked}
    own = 0
    for crate, component in listed.items():
        hashes = {entry["alg"]: entry["content"] for entry in component.get("hashes", [])}
        assert hashes.get("SHA-256") == locked[crate], crate
        own += locked[crate] is None
    assert own == len(list(ROOT.glob("crates/*/Cargo.toml"))), own
    assert all(component.get("licenses") for component in listed.values())
    references = {component["bom-ref"] for component in listed.values()} | {bom["metadata"]["component"]["bom-ref"]}
    assert {dependency["ref"] for dependency in bom["dependencies"]} <= references
    print(f"package: {len(inside)} crates, the same in the program and in the list; checksums fit")


main()
