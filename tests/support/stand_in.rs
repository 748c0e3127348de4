//! The stand-in for Intel's `libcrypto_mb`: `tests/stand_in/crypto_mb.c`, compiled when a test asks
//! for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Compiles it with these faults (the file lists them). The library is in the folder, which must
/// stay until it is loaded.
pub(crate) fn stand_in(faults: &[&str]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let library = dir.path().join("libcrypto_mb.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand_in/crypto_mb.c");
    let compiled = Command::new("cc")
        .args(["-std=c11", "-O2", "-Wall", "-Werror", "-shared", "-fPIC"])
        .args(faults.iter().map(|fault| format!("-D{fault}")))
        .arg("-o")
        .args([&library, &source])
        .status()
        .unwrap();
    assert!(compiled.success());
    (dir, library)
}
