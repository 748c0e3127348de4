//! The `issuer-gateway` program.

fn main() -> std::process::ExitCode {
    issuer_gateway::cli::main()
}
