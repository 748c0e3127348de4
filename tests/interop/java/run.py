"""The Java half of the interoperability suite: `run.py <sandbox.json> <work folder>`, started by ../run.sh.

Resolves Mastercard's libraries and openapi-generator with Maven, generates a client from the sandbox's /openapi.json,
compiles, and runs one JVM for each concern. Without arguments it only resolves, for ../run.sh's installation.
"""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = HERE.parent.parent.parent / "target" / "interop" / "java"
# The release of the CCE reference application, and the newest.
RELEASES = ["1.5.0", "1.7.7"]
GENERATOR = "7.25.0"


def maven(*arguments):
    repository = f"-Dmaven.repo.local={OUT / 'repository'}"
    command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), repository, *arguments]
    subprocess.run(command, check=True)


def install():
    """Resolves once; the stamp is written last, so that an interrupted installation is done again."""
    stamp = OUT / ".installed"
    wanted = (HERE / "pom.xml").read_text() + " ".join([*RELEASES, GENERATOR])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    OUT.mkdir(parents=True, exist_ok=True)
    for release in RELEASES:
        shutil.rmtree(libraries(release), ignore_errors=True)
        maven(
            "dependency:copy-dependencies",
            f"-Dclient-encryption={release}",
            f"-DoutputDirectory={libraries(release)}",
        )
    generator = f"org.openapitools:openapi-generator-cli:{GENERATOR}"
    maven("dependency:copy", f"-Dartifact={generator}", f"-DoutputDirectory={OUT}")
    stamp.write_text(wanted)


def libraries(release):
    return OUT / f"lib-{release}"


def compile_java(classes, release, sources, further=()):
    path = os.pathsep.join([*map(str, further), f"{libraries(release)}/*"])
    shutil.rmtree(classes, ignore_errors=True)
    classes.mkdir(parents=True)
    command = ["javac", "-nowarn", "-proc:none", "-encoding", "UTF-8", "-d", str(classes), "-cp", path]
    subprocess.run([*command, *map(str, sources)], check=True)


def java(release, classes, program, *arguments):
    path = os.pathsep.join([*map(str, classes), f"{libraries(release)}/*"])
    # An old default encoding, as many servers have: answers are ASCII, so it must not matter.
    subprocess.run(["java", "-Dfile.encoding=UTF-8", "-cp", path, program, *map(str, arguments)], check=True)


def generated(sandbox, work):
    """Generates and compiles a client; returns the folder of its classes."""
    base = json.loads(sandbox.read_text())["base_url"]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    document = work / "openapi.json"
    with opener.open(f"{base}/openapi.json", timeout=30) as answer:
        document.write_bytes(answer.read())
    client = work / "client"
    command = ["java", "-jar", str(OUT / f"openapi-generator-cli-{GENERATOR}.jar"), "generate"]
    options = [
        *["-i", str(document), "-o", str(client), "-g", "java", "--library", "okhttp-gson"],
        "--additional-properties=hideGenerationTimestamp=true,openApiNullable=false",
        "--global-property=apiTests=false,modelTests=false,apiDocs=false,modelDocs=false",
    ]
    log = work / "generator.log"
    with log.open("w") as output:
        code = subprocess.run([*command, *options], stdout=output, stderr=subprocess.STDOUT).returncode
    if code != 0:
        print(log.read_text()[-4000:])
        raise SystemExit("openapi-generator refuses /openapi.json")
    classes = work / "client-classes"
    compile_java(classes, RELEASES[0], sorted((client / "src" / "main" / "java").rglob("*.java")))
    print("ok   a client generated from /openapi.json compiles")
    return classes


def run(sandbox, work):
    total = [0, 0]

    def program(release, classes, name, *further):
        counts = work / "counts"
        counts.write_text("0 1")
        java(release, classes, name, sandbox, counts, *further)
        for index, count in enumerate(counts.read_text().split()):
            total[index] += int(count)

    shared = [HERE / "Sandbox.java", HERE / "Cases.java"]
    for release in RELEASES:
        forms = HERE / ("no-jwe" if release == "1.5.0" else "jwe") / "JweForms.java"
        classes = work / f"matrix-{release}"
        compile_java(classes, release, [*shared, HERE / "Matrix.java", forms])
        program(release, [classes], "Matrix", release)
    client = generated(sandbox, work)
    total[0] += 1
    classes = work / "reference-app"
    compile_java(classes, RELEASES[0], [*shared, HERE / "ReferenceApp.java"], [client])
    program(RELEASES[0], [classes, client], "ReferenceApp")
    return total


def main():
    install()
    if len(sys.argv) == 1:
        return 0
    work = Path(sys.argv[2]) / "java"
    work.mkdir(parents=True, exist_ok=True)
    try:
        passed, failed = run(Path(sys.argv[1]), work)
    except (subprocess.CalledProcessError, SystemExit) as error:
        print(error)
        passed, failed = 0, 1
    print(f"java: {passed} passed, {failed} failed")
    if "INTEROP_RESULT" in os.environ:
        Path(os.environ["INTEROP_RESULT"]).write_text(f"{passed} {failed}\n")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
