//! A gateway of `serve` has no console: no path of it, no header of it, and nothing that records.

use crate::support::Backend;
use crate::support::gateway::TestGateway;
use crate::support::http::send;

#[test]
fn in_serve_no_path_of_the_console_is_there() {
    let gateway = TestGateway::start(Backend::Sqlite);
    for path in [
        "/",
        "/console",
        "/console/",
        "/console/calls.json",
        "/console/calls/1",
        "/console/calls/1.json",
        "/console/events",
        "/console/try",
        "/console/files/demo/signing.pem",
        "/console/files/demo/sandbox.json",
        "/console/snippets/demo/enrol.sh",
        "/console/faults",
        "/console/console.css",
        "/console/console.js",
    ] {
        for host in ["localhost", "127.0.0.1"] {
            let url = format!("{}{path}", gateway.base_url);
            let answer = send("GET", &url, &[("host", host)], b"");
            assert_eq!(answer.status, 404, "{path}");
        }
    }
    for path in [
        "/console/clear",
        "/console/actions",
        "/console/faults",
        "/console/faults/clear",
    ] {
        let url = format!("{}{path}", gateway.base_url);
        let answer = send("POST", &url, &[], b"issuer=demo&action=suspend&fault=cut");
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[test]
fn in_serve_the_header_for_faults_means_nothing() {
    let gateway = TestGateway::start(Backend::Sqlite);
    let url = format!("{}/issuers", gateway.base_url);
    for fault in ["unavailable", "ACCOUNT_SUSPENDED", "cut", "nonsense"] {
        let answer = send("GET", &url, &[("x-sandbox-fault", fault)], b"");
        assert_eq!(answer.status, 401);
        let code = answer
            .clear
            .as_ref()
            .unwrap()
            .pointer("/Errors/Error/0/ReasonCode");
        assert_eq!(code.unwrap(), "AUTHENTICATION_FAILED", "{fault}");
    }
}

#[test]
fn in_serve_no_call_has_an_observer() {
    let gateway = TestGateway::start(Backend::Sqlite);
    assert!(!gateway.has_console());
}
