"""The real crypto_mb library: `run.py <binary> <folder of the libraries> <work folder>`, started by ../run.sh.

Where the processor has its instructions, a gateway that is given the library must pass the self-test and serve with it;
where not, it must refuse to start and say that this is why. Both need that the library loads and has its functions.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 120  # seconds: a debug build makes the sandbox's keys first
AVX512 = {"bmi2", "avx512f", "avx512dq", "avx512bw", "avx512ifma", "avx512_vbmi2"}
AVX2 = {"movbe", "avx2", "rdseed", "avx_ifma"}


def applicable():
    text = Path("/proc/cpuinfo").read_text()
    flags = set(re.search(r"^flags\s*:(.*)$", text, re.M).group(1).split())
    return AVX512 <= flags or AVX2 <= flags


def log_until(gateway, log, words):
    """What the gateway has written when one of the words is in it, or when it has ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ended = gateway.poll() is not None
        text = log.read_text()
        if ended or any(word in text for word in words):
            return text
        time.sleep(0.1)
    sys.exit("the gateway neither serves nor ends")


def main():
    binary, libraries, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(libraries),
        # A sandbox is quiet by default; the test reads what it says.
        "ISSUER_GATEWAY__LOG__FILTER": "info",
        "ISSUER_GATEWAY__CRYPTO__MULTI_BUFFER": str(libraries / "libcrypto_mb.so.13"),
    }
    log = work / "multi_buffer.log"
    with log.open("wb") as output:
        command = [binary, "sandbox", "--dir", str(work / "multi_buffer"), "--port", "0"]
        gateway = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        text = log_until(gateway, log, ["listening"])
        if applicable():
            right = "crypto_mb has passed its self-test" in text and gateway.poll() is None
            expected = "serves with it"
        else:
            right = "lacks the vector instructions" in text and gateway.wait() == 1
            expected = "is refused: this processor lacks the vector instructions"
    finally:
        if gateway.poll() is None:
            gateway.send_signal(signal.SIGTERM)
            gateway.wait()
    print(f"{'ok' if right else 'FAILED'}: the library {expected}")
    if not right:
        print(text)
    Path(os.environ["INTEROP_RESULT"]).write_text("1 0\n" if right else "0 1\n")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
