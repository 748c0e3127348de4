use super::*;

fn keys() -> VaultKeys {
    VaultKeys::random(3)
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap()
}

fn start() -> Claims {
    let user = CardholderId::parse("c8b38606-12b2-43c6-a641-be8eb0ab9dec").unwrap();
    Claims::start(IssuerId(7), user, 2, Language::Sv, now())
}

#[test]
fn a_token_comes_back_as_it_was() {
    let keys = keys();
    let claims = start();
    let token = claims.seal(Kind::Start, &keys).unwrap();
    assert!(token.reveal().len() <= 130, "{}", token.reveal().len());
    assert_eq!(
        Claims::open(token.reveal(), Kind::Start, &keys, now()),
        Ok(claims.clone())
    );
    let view = claims.view(Language::PlPl, now());
    let token = view.seal(Kind::View, &keys).unwrap();
    assert_eq!(
        Claims::open(token.reveal(), Kind::View, &keys, now()),
        Ok(view.clone())
    );
    assert_eq!(view.id, claims.id);
    let other = Claims {
        user_id: CardholderId::parse(&"-".repeat(36)).unwrap(),
        ..claims
    };
    let token = other.seal(Kind::Start, &keys).unwrap();
    assert_eq!(
        Claims::open(token.reveal(), Kind::Start, &keys, now()),
        Ok(other)
    );
}

#[test]
fn one_kind_is_never_the_other() {
    let keys = keys();
    let view = start().view(Language::Sv, now());
    let start = start().seal(Kind::Start, &keys).unwrap();
    let view = view.seal(Kind::View, &keys).unwrap();
    for (token, kind) in [(start, Kind::View), (view, Kind::Start)] {
        let opened = Claims::open(token.reveal(), kind, &keys, now());
        assert_eq!(opened, Err(TokenError::Malformed));
        // Not even with the other's number in front.
        let mut bytes = URL_SAFE_NO_PAD.decode(token.reveal()).unwrap();
        bytes[0] = kind.number();
        let forged = URL_SAFE_NO_PAD.encode(bytes);
        assert_eq!(
            Claims::open(&forged, kind, &keys, now()),
            Err(TokenError::Seal)
        );
    }
}

#[test]
fn a_token_lives_fifteen_minutes() {
    let keys = keys();
    let token = start().seal(Kind::Start, &keys).unwrap();
    let open = |after: i64| {
        let at = now() + TimeDelta::seconds(after);
        Claims::open(token.reveal(), Kind::Start, &keys, at).map(|_| ())
    };
    assert_eq!(open(0), Ok(()));
    assert_eq!(open(14 * 60 + 59), Ok(()));
    assert_eq!(open(15 * 60), Err(TokenError::Expired));
    assert_eq!(open(-30), Ok(()));
    assert_eq!(open(-31), Err(TokenError::Early));
    assert!(Claims::open_seal(token.reveal(), Kind::Start, &keys).is_ok());
}

#[test]
fn a_view_is_extended_by_every_page_and_ends_after_three_hours() {
    let mut view = start().view(Language::Sv, now());
    let mut at = now();
    while at + TimeDelta::minutes(14) < now() + LONGEST {
        at += TimeDelta::minutes(14);
        assert!(view.expires > at);
        view = view.renewed(Language::Sv, at);
    }
    assert_eq!(view.expires, now() + LONGEST);
    let keys = keys();
    let token = view.seal(Kind::View, &keys).unwrap();
    let open = |at| Claims::open(token.reveal(), Kind::View, &keys, at).map(|_| ());
    assert_eq!(open(now() + LONGEST - TimeDelta::minutes(1)), Ok(()));
    assert_eq!(
        open(now() + LONGEST + TimeDelta::minutes(1)),
        Err(TokenError::Expired)
    );
}

#[test]
fn no_bit_of_a_token_can_be_changed() {
    let keys = keys();
    let token = start().seal(Kind::Start, &keys).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(token.reveal()).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let altered = URL_SAFE_NO_PAD.encode(altered);
        assert!(
            Claims::open(&altered, Kind::Start, &keys, now()).is_err(),
            "bit {bit}"
        );
    }
    for length in 0..token.reveal().len() {
        let cut = &token.reveal()[..length];
        assert!(
            Claims::open(cut, Kind::Start, &keys, now()).is_err(),
            "{length}"
        );
    }
    for other in [
        format!("{}=", token.reveal()),
        format!(" {}", token.reveal()),
        format!("{}A", token.reveal()),
        "A".repeat(400),
    ] {
        assert!(
            Claims::open(&other, Kind::Start, &keys, now()).is_err(),
            "{other}"
        );
    }
}

#[test]
fn another_spelling_of_the_same_bytes_is_refused() {
    let keys = keys();
    let token = start().seal(Kind::Start, &keys).unwrap();
    let mut padded: Vec<u8> = URL_SAFE_NO_PAD.decode(token.reveal()).unwrap();
    padded.pop();
    // Without its last byte the text has trailing bits to play with.
    let text = URL_SAFE_NO_PAD.encode(&padded);
    assert!(Claims::open(&text, Kind::Start, &keys, now()).is_err());
    let standard = base64::engine::general_purpose::STANDARD.encode(padded);
    assert!(Claims::open(&standard, Kind::Start, &keys, now()).is_err());
}

#[test]
fn keys_of_another_vault_open_nothing() {
    let token = start().seal(Kind::Start, &keys()).unwrap();
    let opened = Claims::open(token.reveal(), Kind::Start, &keys(), now());
    assert_eq!(opened, Err(TokenError::Seal));
}

#[test]
fn debug_shows_nothing() {
    let token = start().seal(Kind::Start, &keys()).unwrap();
    let text = format!("{token:?} {:?}", start());
    assert_eq!(text, "Token(…) Claims(issuer 7)");
}
