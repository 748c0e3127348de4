//! Every form of file, and files that are broken.

use super::*;
use crate::explain::Answer;
use proptest::prelude::*;

fn one(file: &str) -> Found {
    let mut found = read(file.as_bytes()).unwrap();
    assert_eq!(found.len(), 1, "{file}");
    found.remove(0)
}

#[track_caller]
fn refused(file: &str) -> String {
    match read(file.as_bytes()) {
        Ok(_) => panic!("it is read: {file}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn raw_http_is_read_with_its_answer() {
    let file = "\r\nPOST /issuers/users?x=1 HTTP/1.1\r\nHost: h:1\r\nAuthorization: OAuth a=\"b\"\r\n\
                Content-Length: 2\r\n\r\n{}\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 Unauthorized\r\n\
                Date: Fri, 27 Nov 2026 13:42:24 GMT\r\nContent-Length: 3\r\n\r\n[1]";
    let found = one(file);
    assert_eq!(found.call.method, "POST");
    assert_eq!(found.call.target, "/issuers/users?x=1");
    assert_eq!(found.call.header("host"), Some("h:1"));
    assert_eq!(found.call.body, b"{}");
    assert_eq!(found.call.at.unwrap().timestamp(), 1_795_786_944);
    let answer = found.call.answer.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (401, &b"[1]"[..]));
    // With line feeds alone, behind tcpdump's bytes, without a length.
    let found = one("E..x.P.GET /issuers HTTP/1.1\nHost: h\n\n\nHTTP/1.1 200 OK\n\n{}");
    assert_eq!(
        (found.call.method.as_str(), found.call.body.as_slice()),
        ("GET", &b""[..])
    );
    assert_eq!(found.call.answer.unwrap().body, b"{}");
}

#[test]
fn raw_bodies_may_be_chunked_cut_or_follow_each_other() {
    let file = "POST /issuers/users HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4;x\r\n\":1}\r\n0\r\n\r\n";
    assert_eq!(one(file).call.body, b"{\"a\":1}");
    let found = one("PUT /issuers HTTP/1.1\nContent-Length: 9\n\n{}\n");
    assert_eq!(found.call.body, b"{}\n");
    assert!(found.remarks[0].contains("9 bytes"), "{:?}", found.remarks);
    let two = "POST /issuers HTTP/1.1\nContent-Length: 2\n\n{}\nGET /issuers HTTP/1.1\n\n";
    let calls = read(two.as_bytes()).unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].call.method, "GET");
}

#[test]
fn a_har_file_keeps_the_issuers_calls() {
    let file = r#"{"log":{"entries":[
        {"request":{"method":"GET","url":"https://h/logo.png","headers":[]},"response":{"status":200}},
        {"startedDateTime":"2026-11-27T14:42:24.500+01:00","request":{"method":"POST",
         "url":"https://h/cts/issuers/users?q","headers":[{"name":"a","value":"b"}],
         "postData":{"text":"{}"}},
         "response":{"status":400,"content":{"text":"WzFd","encoding":"base64"}}}]}}"#;
    let found = one(file);
    assert_eq!(
        (found.call.path(), found.call.query()),
        ("/cts/issuers/users", Some("q"))
    );
    assert_eq!(found.call.body, b"{}");
    assert_eq!(found.call.at.unwrap().timestamp(), 1_795_786_944);
    let expected = Answer {
        status: 400,
        body: b"[1]".to_vec(),
        fault: None,
    };
    assert!(found.call.answer == Some(expected));
}

#[test]
fn curl_verbose_has_the_body_only_in_the_command() {
    let output = "* Connected to localhost\n> POST /issuers/users HTTP/1.1\r\n> Host: h\r\n> Content-Length: 2\r\n> \r\n\
                  } [2 bytes data]\n* upload completely sent off: 2 bytes\n< HTTP/1.1 401 Unauthorized\r\n\
                  < date: Fri, 27 Nov 2026 13:42:24 GMT\r\n< \r\n{ [3 bytes data]\n[1]* Connection #0 to host h left intact\n";
    let found = one(output);
    assert_eq!(found.call.missing, 2);
    assert_eq!(found.call.header("host"), Some("h"));
    let answer = found.call.answer.unwrap();
    assert_eq!(
        (answer.status, answer.body.trim_ascii()),
        (401, &b"[1]"[..])
    );
    assert_eq!(found.call.at.unwrap().timestamp(), 1_795_786_944);
    let found = one(&format!(
        "$ curl -v -d '{{}}' http://h/issuers/users\n{output}"
    ));
    assert_eq!(
        (found.call.missing, found.call.body.as_slice()),
        (0, &b"{}"[..])
    );
    let found = one(&format!(
        "$ curl -v -d @b.json http://h/issuers/users\n{output}"
    ));
    assert!(found.remarks[0].contains("b.json"));
}

#[test]
fn traces_are_read_in_hex_and_in_ascii() {
    let ascii = "== Info:   Trying 127.0.0.1:80...\n=> Send header, 57 bytes (0x39)\n\
                 0000: POST /issuers/users HTTP/1.1\n001e: Host: h\n0027: Content-Length: 2\n003a: \n";
    // 30 + 9 + 19 + 2 bytes.
    let ascii = ascii.replace("57 bytes", "60 bytes");
    let body = "=> Send data, 2 bytes (0x2)\n0000: {}\n";
    let answer = "<= Recv header, 18 bytes (0x12)\n0000: HTTP/1.1 400 Bad\n<= Recv data, 3 bytes (0x3)\n0000: [1]\n";
    let found = one(&format!("{ascii}{body}{answer}"));
    assert_eq!(found.call.target, "/issuers/users");
    assert_eq!(found.call.body, b"{}");
    let answer = found.call.answer.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (400, &b"[1]"[..]));
    let hex = "=> Send data, 18 bytes (0x12)\n\
               0000: 7b 22 61 22 3a 22 c3 a9 22 2c 0a 22 62 22 3a 31 {\"a\":\"..\",.\"b\":1\n0010: 7d 0a }.\n";
    let found = one(&format!("{ascii}{hex}"));
    assert_eq!(found.call.body, "{\"a\":\"é\",\n\"b\":1}\n".as_bytes());
    assert!(found.remarks.is_empty());
    let cut = "=> Send data, 9 bytes (0x9)\n0000: {}\n";
    assert!(refused(&format!("{ascii}{cut}")).starts_with("line 7: a section of 9 bytes"));
}

#[test]
fn dots_of_an_ascii_trace_are_mended_where_the_hash_tells() {
    let body = "{\n \"a\": 1.5\n}\n";
    let hash = codec_hash(body);
    let authorization = format!(
        "Authorization: OAuth oauth_consumer_key=\"a!b\",oauth_nonce=\"n\",oauth_timestamp=\"1\",\
         oauth_signature_method=\"RSA-SHA256\",oauth_body_hash=\"{hash}\",oauth_signature=\"AAAA\""
    );
    let head = format!("POST /issuers/users HTTP/1.1\r\n{authorization}\r\n\r\n");
    let mut dump = format!("=> Send header, {} bytes (0x0)\n", head.len());
    let (mut offset, mut rest) = (0, head.as_str());
    while !rest.is_empty() {
        let (line, after) = rest.split_once("\r\n").unwrap();
        dump.push_str(&format!("{offset:04x}: {line}\n"));
        offset += line.len() + 2;
        rest = after;
    }
    let dots = body.replace('\n', ".");
    dump.push_str(&format!(
        "=> Send data, {} bytes (0x0)\n0000: {dots}\n",
        body.len()
    ));
    let found = one(&dump);
    assert_eq!(found.call.body, body.as_bytes());
    assert!(found.remarks[0].contains("--trace"));
}

fn codec_hash(body: &str) -> String {
    openssl::base64::encode_block(&openssl::sha::sha256(body.as_bytes()))
}

#[test]
fn broken_files_are_told_by_place_and_rule() {
    for (file, says) in [
        ("", "line 1: the file must not be empty"),
        ("\n\nhello", "line 3: must be a HAR file"),
        (
            "{\"log\":\n{,",
            "line 2: the file must be JSON: key must be a string",
        ),
        ("{\"log\":1}", "log.entries: must be an array, as in HAR"),
        (
            r#"{"log":{"entries":[{"request":{"url":"u"}}]}}"#,
            "log.entries[0].request.method: must be a string",
        ),
        (
            r#"{"log":{"entries":[{"request":{"method":"m","url":"u","headers":[{"name":1}]}}]}}"#,
            "log.entries[0].request.headers[0].name: must be a string",
        ),
        (
            r#"{"log":{"entries":[]}}"#,
            "line 1: the file must hold a request",
        ),
        (
            "GET / HTTP/1.1\nno header\n\n",
            "line 2: a header must be name: value",
        ),
        (
            "GET / HTTP/1.1\na: b\n c\n\n",
            "line 3: a header must be in one line",
        ),
        (
            "GET / HTTP/1.1\nContent-Length: x\n\n",
            "line 4: Content-Length must be a number",
        ),
        (
            "GET / HTTP/1.1\nTransfer-Encoding: chunked\n\nzz\n",
            "line 4: a chunk must begin with its size in hex",
        ),
        (
            "GET / HTTP/1.1\nTransfer-Encoding: chunked\n\n9\nab\n",
            "the last chunk must be whole",
        ),
        (
            "POST / HTTP/1.1\nContent-Length: 2\n\n{}{}\n",
            "line 4: what follows a body must be",
        ),
        (
            "> POST / HTTP/1.1\n> broken\n",
            "line 2: a header must be name: value",
        ),
    ] {
        let error = refused(file);
        assert!(error.contains(says), "{file:?}: {error}");
    }
}

proptest! {
    /// Nothing makes a reader panic.
    #[test]
    fn any_text_is_read_or_refused(text in "([\\x00-\\x7f]|é|POST / HTTP/1.1\n|> POST / HTTP/1.1\n|=> Send data, 9 bytes\n|0000: |Content-Length: 3\n|\n\n|HTTP/1.1 200 OK\n|Transfer-Encoding: chunked\n){0,40}") {
        let _read = read(text.as_bytes()).is_ok();
    }
}
