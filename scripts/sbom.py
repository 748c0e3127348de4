#!/usr/bin/env python3
"""Writes the list of what is in the program, as CycloneDX 1.5 (needs cargo-cyclonedx):

    scripts/sbom.py OUT.cdx.json [--features FEATURES]

It names each crate with version, licence and the SHA-256 that Cargo.lock has of it, and who needs whom. Crates that only
build others are among them, because the C libraries come in those (openssl-src). Two runs give the same bytes: there is
no serial number, the time is SOURCE_DATE_EPOCH, and no path of this machine is in it.
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# cargo-cyclonedx writes beside each Cargo.toml of the workspace.
NAME = f"sbom-{os.getpid()}"


def generate(features):
    host = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    host = next(line.split(": ")[1] for line in host.splitlines() if line.startswith("host: "))
    command = ["cargo", "cyclonedx", "-qq", "--format=json", "--spec-version=1.5", "--all", "--target", host]
    command += ["--override-filename", NAME, *features]
    environment = {"SOURCE_DATE_EPOCH": "0", **os.environ}
    try:
        subprocess.run(command, check=True, cwd=ROOT, env=environment)
        return (ROOT / f"{NAME}.json").read_text()
    finally:
        for file in [ROOT, *ROOT.glob("crates/*")]:
            (file / f"{NAME}.json").unlink(missing_ok=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out, features = sys.argv[1], sys.argv[2:]
    # The workspace's own crates are named by their folder.
    bom = json.loads(generate(features).replace(f"path+file://{ROOT}", "path+file:///build"))
    bom.pop("serialNumber", None)
    bom["components"].sort(key=lambda component: component["bom-ref"])
    bom["dependencies"].sort(key=lambda dependency: dependency["ref"])
    for dependency in bom["dependencies"]:
        dependency.get("dependsOn", []).sort()
    text = json.dumps(bom, indent=1, sort_keys=True) + "\n"
    if str(ROOT) in text:
        sys.exit("sbom: a path of this machine is in it")
    pathlib.Path(out).write_text(text)
    print(f"{out}: {len(bom['components'])} crates")


main()
