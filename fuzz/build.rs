//! The gateway's connection module wraps libpq's `PQconnectdb`: every program that links the
//! gateway asks its linker for that, as the gateway's own build script does.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg=-Wl,--wrap=PQconnectdb");
}
