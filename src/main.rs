//! The `issuer-gateway` program.

/// Takes 2 % less processor time for an enrolment than glibc's, and as much memory
/// (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    issuer_gateway::cli::main()
}
