//! Base strings that are escaped, joined, hashed or ended otherwise.

use super::super::draft::{Draft, Escapes, Layout, Wrap};
use super::{Mistake, Part};

pub(super) fn escapes(all: &mut Vec<Mistake>) {
    const ONCE: &str =
        "Percent-encode once: URL & parameters each as a whole, right before they are joined.";
    let mut add = |code, what: &str, make: fn(&mut Draft)| {
        all.push(Mistake::new(Part::Escapes, code, what, ONCE, make));
    };
    add(
        "signature.encoded_twice",
        "The client percent-encoded the parameters twice.",
        |draft| draft.parameters = 2,
    );
    add(
        "signature.encoded_twice",
        "The client percent-encoded the URL twice.",
        |draft| draft.url = 2,
    );
    add(
        "signature.encoded_twice",
        "The client percent-encoded URL and parameters twice.",
        |draft| (draft.url, draft.parameters) = (2, 2),
    );
    add(
        "signature.encoded_twice",
        "The client percent-encoded the values of the OAuth parameters twice.",
        |draft| draft.values = 2,
    );
    add(
        "signature.not_encoded",
        "The client did not percent-encode URL and parameters.",
        |draft| (draft.url, draft.parameters) = (0, 0),
    );
    add(
        "signature.not_encoded",
        "The client did not percent-encode the parameters.",
        |draft| draft.parameters = 0,
    );
    add(
        "signature.not_encoded",
        "The client did not percent-encode the URL.",
        |draft| draft.url = 0,
    );
    const HOW: &str = "Escape as RFC 5849, section 3.6 says: all but letters, digits and -._~, in \
                       upper-case hex; a blank is %20.";
    let mut add = |code, what: &str, escapes: Escapes| {
        all.push(Mistake::new(Part::Escapes, code, what, HOW, move |draft| {
            draft.escapes = escapes
        }));
    };
    add(
        "signature.lower_case_escapes",
        "The client wrote escapes in lower case.",
        Escapes::LowerHex,
    );
    add(
        "signature.form_encoded",
        "The client escaped as forms do it.",
        Escapes::Form,
    );
    add(
        "signature.escaped_too_much",
        "The client escaped the characters -._~, too.",
        Escapes::TooMany,
    );
}

pub(super) fn wrap(all: &mut Vec<Mistake>) {
    let mut add = |code, what: &str, advice: &str, make: Box<dyn Fn(&mut Draft)>| {
        all.push(Mistake {
            code,
            what: what.to_owned(),
            advice: advice.to_owned(),
            part: Part::Wrap,
            make,
        });
    };
    const END: &str = "Sign the base string without anything before or behind it.";
    for (what, end) in [
        (
            "The client signed the base string with a line feed at its end.",
            "\n",
        ),
        (
            "The client signed the base string with CR LF at its end.",
            "\r\n",
        ),
        (
            "The client signed the base string with an ampersand at its end.",
            "&",
        ),
        (
            "The client signed the base string with a blank at its end.",
            " ",
        ),
    ] {
        add(
            "signature.end",
            what,
            END,
            Box::new(move |draft| draft.end = end),
        );
    }
    const HASHED: &str =
        "Hand the base string itself to the signing function: RSA-SHA256 hashes it.";
    for (code, what, advice, wrap) in [
        (
            "signature.hashed_twice",
            "The client signed the SHA-256 of the base string in place of the base string.",
            HASHED,
            Wrap::Digest,
        ),
        (
            "signature.hashed_twice",
            "The client signed the hex digits of the base string's SHA-256.",
            HASHED,
            Wrap::HexDigest,
        ),
        (
            "signature.utf16",
            "The client signed the base string in UTF-16.",
            "Turn the base string into bytes as UTF-8.",
            Wrap::Utf16Little,
        ),
        (
            "signature.utf16",
            "The client signed the base string in UTF-16 (big endian).",
            "Turn the base string into bytes as UTF-8.",
            Wrap::Utf16Big,
        ),
    ] {
        add(code, what, advice, Box::new(move |draft| draft.wrap = wrap));
    }
    const PARTS: &str = "Join METHOD & escaped URL & escaped parameters by ampersands.";
    for (what, layout) in [
        (
            "The client signed URL and parameters without the method.",
            Layout::WithoutMethod,
        ),
        (
            "The client signed the parameters alone.",
            Layout::ParametersAlone,
        ),
        (
            "The client joined method, URL and parameters without ampersands.",
            Layout::WithoutAmpersands,
        ),
    ] {
        add(
            "signature.parts",
            what,
            PARTS,
            Box::new(move |draft| draft.layout = layout),
        );
    }
}
