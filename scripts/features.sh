#!/usr/bin/env bash
# Prints the flags with which `make` has cargo build: the system's OpenSSL is linked where its development files are
# there and new enough; else OpenSSL is built from source, which takes some minutes more.
set -euo pipefail

if pkg-config --exists 'openssl >= 3.0' 2>/dev/null; then exit; fi
echo "--features issuer-gateway/bundled-openssl"
