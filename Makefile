# The whole workflow. `make run` and `make test` need Rust, a C compiler and make; `make test` Python 3 as well. Where
# OpenSSL is built, perl too (README).

.PHONY: run test alerts-test pgbouncer failover package package-test package-twice chaos orders fuzz mutants lint interop million fixtures bench bench-micro clean

# Which of the C libraries are built from source.
FEATURES := $(shell scripts/features.sh)

# Build, start a sandbox in ./sandbox, show an enrolment end to end, serve until Ctrl-C.
run:
	cargo run $(FEATURES) -- sandbox --demo

# Everything, on SQLite and on a private PostgreSQL that is started for the run and stopped after it. No test takes its
# power away, so it need not wait for the disk, and a slow one makes nobody miss a deadline.
test:
	WITH_POSTGRES_SETTINGS="-c fsync=off" scripts/with-postgres.sh cargo test --workspace $(FEATURES)

# Every test of the store through PgBouncer in transaction mode, with three server connections for each database.
pgbouncer:
	WITH_POSTGRES_SETTINGS="-c fsync=off" ISSUER_GATEWAY_TEST_POOLED=1 scripts/with-postgres.sh cargo test $(FEATURES) --test store -- $(TESTS)

# The fault of each alert, provoked in running gateways; Prometheus' rules decide on what they show (tests/monitoring).
# ALERTS="IssuerGatewayDown ..." takes some.
alerts-test:
	cargo build $(FEATURES)
	tests/monitoring/run.sh target/debug/issuer-gateway $(ALERTS)

# A failover of PostgreSQL under load: Patroni, etcd, haproxy (Debian's) and two gateways, the primary killed.
failover:
	cargo build $(FEATURES)
	tests/failover/run.sh target/debug/issuer-gateway

# What is handed to operators, in target/package/out: Debian package, container image, Helm chart, the list of all crates
# (CycloneDX), checksums.
package:
	scripts/package.sh

# All of it, of the debug build: packed twice it is the same; the Debian package is installed in an empty Debian by the
# commands of docs/deployment.md; image and chart; what operators verify. Root.
package-test:
	scripts/package.sh --debug
	PACKAGE_OUT=target/package/again scripts/package.sh --debug
	cmp target/package/out/SHA256SUMS target/package/again/SHA256SUMS
	tests/package/supply.py target/package/out
	tests/package/run.sh target/package/out/issuer-gateway_*.deb
	tests/package/oci.sh target/debug/issuer-gateway
	tests/package/helm.sh target/debug/issuer-gateway

# Two release builds in folders of different names are the same, byte for byte: a quarter of an hour.
package-twice:
	tests/package/twice.sh

# Kills, freezes, fills up and cuts off the running program under load, 50 rounds of each (`make test` does one):
# docs/operations.md. CHAOS_ROUNDS=N or CHAOS_SECONDS=N (for each test) says how long, CHAOS_SEED=N repeats a run's
# choices, TESTS=killed takes a part.
chaos:
	WITH_POSTGRES_SETTINGS="-c fsync=off" CHAOS_ROUNDS="$${CHAOS_ROUNDS:-50}" \
		scripts/with-postgres.sh cargo test $(FEATURES) --test chaos -- --nocapture --test-threads=1 $(TESTS)

# The queue's source with threads that take turns in orders chosen for it: who wakes whom (tests/queue). SCENARIO=name
# takes a part. A package of its own, with its own dependencies.
orders:
	CARGO_TARGET_DIR=target/orders cargo run --quiet --manifest-path tests/queue/Cargo.toml -- $(SCENARIO)

# Invented input for every parser that reads a stranger's bytes (fuzz/README.md), FUZZ_SECONDS for each target. TARGETS=name
# takes a part. SANITIZER=address needs a nightly compiler.
fuzz:
	@command -v cargo-fuzz >/dev/null || { echo "cargo-fuzz is not installed: cargo install --locked cargo-fuzz"; exit 1; }
	fuzz/run.sh $(TARGETS)

# One small change to the code after the other, and whether a test notices (docs/testing.md). Takes hours: PART=3/8 takes
# an eighth, JOBS=N runs N at once.
mutants:
	@command -v cargo-mutants >/dev/null || { echo "cargo-mutants is not installed: cargo install --locked cargo-mutants"; exit 1; }
	mkdir -p target/mutants/crates target/mutants/gateway
	cargo mutants -p oauth1-rsa -p payload-envelope $(MUTANTS) -o target/mutants/crates
	cargo mutants -p issuer-gateway $(MUTANTS) -o target/mutants/gateway -f 'src/vault/*.rs' -f 'src/enrolment/rules.rs' \
		-f 'src/enrolment/card.rs' -f 'src/enrolment/profile.rs' -f 'src/enrolment/profile/*.rs' -f 'src/enrolment/text.rs' \
		-f 'src/enrolment/report.rs' -f 'src/enrolment/stored.rs' -- --lib
mutants: MUTANTS = $(FEATURES) -j $(or $(JOBS),1) --timeout 120 $(if $(PART),--shard $(PART))

lint:
	cargo fmt --all --check
	cargo fmt --manifest-path tests/queue/Cargo.toml --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	@git ls-files '*.rs' | xargs perl -CSD -ne 'if (m{^\s*//} && length > 101 && !m{^\s*//[/!]? *\|}) { print "$$ARGV:$$.: a line of comment is over 100 columns\n"; $$bad = 1 } close ARGV if eof; END { exit($$bad // 0) }'
	cargo clippy --workspace $(FEATURES) --all-targets -- -D warnings
	CARGO_TARGET_DIR=target/orders cargo clippy --manifest-path tests/queue/Cargo.toml -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps -p oauth1-rsa -p payload-envelope
	scripts/check-monitoring.sh
	@if command -v cargo-deny >/dev/null; then cargo deny check; else echo "cargo-deny is not installed: dependencies not checked"; fi

# Mastercard's own client libraries (npm, PyPI, Maven), a generated client, schemathesis and a browser against a sandbox; Intel's crypto_mb in one.
interop:
	cargo build $(FEATURES)
	DASHBOARD_PREVIEW=$(CURDIR)/target/interop/preview cargo test $(FEATURES) --quiet --lib preview
	tests/interop/run.sh target/debug/issuer-gateway

# A million lines of CSV and a million clearing messages into a release build, killed on the way, then all of it once more:
# a quarter of an hour. MILLION=N takes another count.
million:
	cargo build $(FEATURES) --release
	SUITE=million tests/interop/run.sh target/release/issuer-gateway

# Throughput, latency, growth and memory of the program as it is released, on a private PostgreSQL and on SQLite: docs/performance.md.
bench:
	WITH_POSTGRES_SETTINGS="-c shared_buffers=1GB -c max_wal_size=4GB" scripts/with-postgres.sh cargo bench --features bundled --bench throughput

# The parts of a request, one by one.
bench-micro:
	cargo bench --features bundled --bench micro

clean:
	cargo clean
