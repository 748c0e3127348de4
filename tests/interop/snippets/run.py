"""The clients that the sandbox's console shows, run as it gives them out: `run.py <sandbox.json> <work folder>`, started by ../run.sh.

Each is downloaded for two issuers, one with encrypted answers and one with plain ones, and has to enrol. Those in C#, Go,
PHP and Ruby are left out: their libraries are not in the registries that this suite uses.
"""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
INTEROP = ROOT / "target" / "interop"
CARGO = """[package]
name = "enrol"
version = "0.0.0"
edition = "2024"

[[bin]]
name = "enrol"
path = "enrol.rs"

[dependencies]
oauth1-rsa = {{ path = "{root}/crates/oauth1-rsa" }}
payload-envelope = {{ path = "{root}/crates/payload-envelope" }}
openssl = {{ version = "0.10", features = ["vendored"] }}
serde_json = "1"
ureq = {{ version = "3", default-features = false }}

[workspace]
"""


def rust(folder):
    (folder / "Cargo.toml").write_text(CARGO.format(root=ROOT))
    shutil.copy(ROOT / "Cargo.lock", folder / "Cargo.lock")  # the versions that the product is tested with
    env = {**os.environ, "CARGO_TARGET_DIR": str(INTEROP / "rust")}
    command = ["cargo", "run", "--quiet", "--manifest-path", str(folder / "Cargo.toml")]
    return subprocess.run(command, env=env, capture_output=True, text=True)


def run(*command):
    return lambda folder: subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True)


def node(folder):
    (folder / "node_modules").symlink_to(Path(os.environ["INTEROP_NODE_DIR"]) / "node_modules")
    return run("node", "enrol.mjs")(folder)


CLIENTS = {
    "enrol.sh": run("bash", "enrol.sh"),
    "enrol.mjs": node,
    "enrol.py": run(INTEROP / "venv" / "bin" / "python", "enrol.py"),
    "Enrol.java": run("java", "-Dfile.encoding=UTF-8", "-cp", INTEROP / "java" / "lib-1.7.7" / "*", "Enrol.java"),
    "enrol.rs": rust,
}


def enrols(base_url, issuer, name, work):
    folder = work / f"{issuer}-{name}"
    folder.mkdir(parents=True)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{base_url}/console/snippets/{issuer}/{name}", timeout=30) as answer:
        (folder / name).write_bytes(answer.read())
    done = CLIENTS[name](folder)
    lines = done.stdout.strip().splitlines()
    try:
        reference = json.loads(lines[-1])
        assert sorted(reference) == ["cardNumberLastFourDigits", "status", "userid"], reference
        assert reference["status"] == "ACTIVE", reference
    except (AssertionError, IndexError, ValueError) as error:
        print(f"FAIL  {issuer} {name}: {error}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return False
    print(f"ok    {issuer} {name}")
    return True


def main():
    work = Path(sys.argv[2]) / "snippets"
    base_url = json.loads(Path(sys.argv[1]).read_text())["base_url"]
    outcomes = [enrols(base_url, issuer, name, work) for issuer in ["demo", "compat"] for name in CLIENTS]
    passed, failed = outcomes.count(True), outcomes.count(False)
    print(f"snippets: {passed} passed, {failed} failed")
    if "INTEROP_RESULT" in os.environ:
        Path(os.environ["INTEROP_RESULT"]).write_text(f"{passed} {failed}\n")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
