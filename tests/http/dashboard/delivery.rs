//! How pages are delivered: compressed where nothing secret is in them, light, with the operator's
//! fonts if there are any.

use super::browser::Browser;
use super::{address, start, with_a_year, with_view};
use crate::support::gateway::{TestGateway, config, issuers_toml};
use crate::support::{Backend, TestDatabase};
use flate2::read::GzDecoder;
use issuer_gateway::config::FontFile;
use std::io::Read;

const GZIP: &[(&str, &str)] = &[("accept-encoding", "gzip, deflate, br")];

#[test]
fn a_page_is_compressed_for_who_takes_it() {
    let gateway = start(Backend::Sqlite, &issuers_toml());
    let client = gateway.client("demo");
    let id = with_a_year(&client, "534403");
    let mut browser = Browser::new();
    let plain = browser.open(&address(&client, &id, None));
    assert_eq!(plain.header("content-encoding"), "");
    assert!(plain.bytes.len() <= 60_000, "{}", plain.bytes.len());
    let packed = browser.fetch_with(&browser.address.clone(), GZIP);
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert_eq!(packed.header("vary"), "accept-encoding");
    assert!(packed.bytes.len() <= 14_000, "{}", packed.bytes.len());
    let mut page = String::new();
    let mut unpacked = GzDecoder::new(packed.bytes.as_slice());
    unpacked.read_to_string(&mut page).unwrap();
    assert!(page.contains("By category") && page.ends_with("</html>"));
    for refused in ["gzip;q=0", "identity", "br"] {
        let page = browser.fetch_with(&browser.address.clone(), &[("accept-encoding", refused)]);
        assert_eq!(page.header("content-encoding"), "", "{refused}");
    }
}

/// Its token is in every link, and what others can make it say beside a secret is not compressed.
#[test]
fn a_page_in_a_frame_is_not_compressed() {
    let issuers = with_view("frame_origins = ['https://bank.example']");
    let gateway = start(Backend::Sqlite, &issuers);
    let client = gateway.client("demo");
    let id = with_a_year(&client, "534403");
    let mut browser = Browser::new();
    browser.open(&address(&client, &id, None));
    let page = browser.fetch_with(&browser.address.clone(), GZIP);
    assert_eq!((page.status, page.header("content-encoding")), (200, ""));
}

#[test]
fn a_font_of_the_operators_comes_from_the_views_own_origin() {
    let database = TestDatabase::new(Backend::Sqlite);
    let mut config = config(&database.url_text);
    let file = database.dir().join("mark.woff2");
    std::fs::write(&file, b"wOF2 and so on").unwrap();
    config.dashboard.fonts = ["Mark Offc For MC", "Nobody Sans"]
        .map(|family| FontFile {
            family: family.to_owned(),
            file: file.clone(),
            weight: "400".to_owned(),
        })
        .to_vec();
    let gateway = TestGateway::start_with(&config);
    let client = gateway.client("demo");
    let id = with_a_year(&client, "534403");
    let mut browser = Browser::new();
    let page = browser.open(&address(&client, &id, None));
    assert!(
        page.header("content-security-policy")
            .contains(" font-src 'self';")
    );
    assert_eq!(
        page.body.matches("@font-face").count(),
        1,
        "the theme names one"
    );
    let preloaded = page.attribute("<link rel=\"preload\" href=\"");
    assert!(page.body.contains(&format!("url({preloaded})")));
    let font = browser.get(&preloaded);
    assert_eq!(font.bytes, b"wOF2 and so on");
    assert_eq!(font.header("content-type"), "font/woff2");
    assert!(font.header("cache-control").contains("immutable"));
}

#[test]
fn without_fonts_the_policy_allows_none() {
    let gateway = start(Backend::Sqlite, &issuers_toml());
    let client = gateway.client("demo");
    let id = with_a_year(&client, "534403");
    let page = Browser::new().open(&address(&client, &id, None));
    assert!(!page.header("content-security-policy").contains("font-src"));
    assert!(!page.body.contains("@font-face"));
}
