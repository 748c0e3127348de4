//! Lets `src/store/connection/libpq.rs` see each new libpq connection: see there.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let system = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    // GNU ld, gold, lld and mold know --wrap; Apple's and Microsoft's linkers do not.
    if ["linux", "freebsd", "netbsd", "openbsd"].contains(&system.as_str()) {
        println!("cargo::rustc-link-arg=-Wl,--wrap=PQconnectdb");
    }
}
