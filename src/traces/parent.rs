//! The caller's span, from the headers of W3C Trace Context
//! (<https://www.w3.org/TR/trace-context/>).

/// `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
const LENGTH: usize = 55;
/// The flag `sampled`.
const SAMPLED: u8 = 1;
/// A longer `tracestate` is left out as a whole (section 3.3.1.5 has us keep at least 512).
const LONGEST_STATE: usize = 512;
/// Members of a `tracestate` (section 3.3.1.1).
const MEMBERS: usize = 32;

/// The span of the caller that this call belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Never all zero.
    pub(super) trace_id: [u8; 16],
    /// Never all zero.
    pub(super) span_id: [u8; 8],
    /// The caller has sampled its span.
    pub(super) sampled: bool,
    /// `tracestate`; empty if there is none.
    pub(super) state: String,
}

impl Parent {
    /// Reads the values of all headers of these names. `None`: there is no `traceparent`, or it is
    /// malformed, or there are several; then `tracestate` does not count (section 4.3). A malformed
    /// `tracestate` alone is left out.
    pub fn read<'a>(
        mut traceparent: impl Iterator<Item = &'a [u8]>,
        tracestate: impl Iterator<Item = &'a [u8]>,
    ) -> Option<Self> {
        let (Some(only), None) = (traceparent.next(), traceparent.next()) else {
            return None;
        };
        let (trace_id, span_id, flags) = ids(only)?;
        Some(Self {
            trace_id,
            span_id,
            sampled: flags & SAMPLED != 0,
            state: state(tracestate).unwrap_or_default(),
        })
    }
}

/// Trace id, span id and flags of a `traceparent`.
fn ids(header: &[u8]) -> Option<([u8; 16], [u8; 8], u8)> {
    let (known, rest) = header.split_at_checked(LENGTH)?;
    let mut parts = known.split(|byte| *byte == b'-');
    let [version] = digits(parts.next()?)?;
    let trace_id: [u8; 16] = digits(parts.next()?)?;
    let span_id: [u8; 8] = digits(parts.next()?)?;
    let [flags] = digits(parts.next()?)?;
    // Later versions may append to what version 0 has (section 4.2).
    let ends_well = match version {
        0xff => false,
        0 => rest.is_empty(),
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    let zero = trace_id == [0; 16] || span_id == [0; 8];
    (parts.next().is_none() && ends_well && !zero).then_some((trace_id, span_id, flags))
}

/// Hexadecimal digits in lower case, exactly as many as fit.
fn digits<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let lower = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let mut bytes = [0; N];
    let fits = text.iter().all(lower) && hex::decode_to_slice(text, &mut bytes).is_ok();
    fits.then_some(bytes)
}

/// All `tracestate` headers as one, if each member is well formed.
fn state<'a>(headers: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let mut all = String::new();
    for header in headers {
        let header = std::str::from_utf8(header).ok()?;
        for member in header
            .split(',')
            .map(|member| member.trim_matches([' ', '\t']))
        {
            if member.is_empty() {
                continue;
            }
            if !is_member(member) {
                return None;
            }
            if !all.is_empty() {
                all.push(',');
            }
            all.push_str(member);
        }
        if all.len() > LONGEST_STATE {
            return None;
        }
    }
    (all.split(',').count() <= MEMBERS).then_some(all)
}

/// `key=value` (section 3.3.1.3).
fn is_member(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else {
        return false;
    };
    let of_key = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    let begins = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let of_value = |b: u8| matches!(b, b' '..=b'~') && b != b'=';
    (1..=256).contains(&key.len())
        && key.as_bytes().first().is_some_and(begins)
        && key.bytes().all(of_key)
        && (1..=256).contains(&value.len())
        && value.bytes().all(of_value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn read(traceparent: &[&str], tracestate: &[&str]) -> Option<Parent> {
        Parent::read(
            traceparent.iter().map(|header| header.as_bytes()),
            tracestate.iter().map(|header| header.as_bytes()),
        )
    }

    #[test]
    fn a_parent_is_read_with_its_flag() {
        for (flags, sampled) in [("00", false), ("01", true), ("02", false), ("ff", true)] {
            let parent = read(&[&format!("00-{TRACE}-{SPAN}-{flags}")], &[]).unwrap();
            assert_eq!(hex::encode(parent.trace_id), TRACE);
            assert_eq!(hex::encode(parent.span_id), SPAN);
            assert_eq!((parent.sampled, parent.state.as_str()), (sampled, ""));
        }
        let later = format!("cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like");
        assert!(read(&[&later], &[]).unwrap().sampled);
        assert!(read(&[&format!("cc-{TRACE}-{SPAN}-01")], &[]).is_some());
    }

    #[test]
    fn a_malformed_parent_is_none() {
        let good = format!("00-{TRACE}-{SPAN}-01");
        let zeros = "0".repeat(32);
        for bad in [
            String::new(),
            "00".to_owned(),
            good.to_uppercase(),
            format!("{good}-"),
            format!("{good}-00"),
            format!("cc-{TRACE}-{SPAN}-01.what-the-future-will-not-be-like"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("0g-{TRACE}-{SPAN}-01"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-0x"),
            format!("00-{TRACE}{SPAN}--01"),
            format!("00_{TRACE}-{SPAN}-01"),
            format!(" {good}"),
            format!("{good}, {good}"),
        ] {
            assert_eq!(read(&[&bad], &["a=b"]), None, "{bad}");
        }
        assert_eq!(read(&[], &["a=b"]), None);
        assert_eq!(read(&[&good, &good], &[]), None, "two");
    }

    #[test]
    fn a_state_is_kept_as_one_or_left_out() {
        let state = |headers: &[&str]| {
            let parent = read(&[&format!("00-{TRACE}-{SPAN}-01")], headers);
            parent.unwrap().state
        };
        assert_eq!(state(&["a=1, b@c=2,,", "d=  x"]), "a=1,b@c=2,d=  x");
        let many = |count: usize| {
            let members: Vec<_> = (0..count).map(|n| format!("k{n}=v")).collect();
            members.join(",")
        };
        assert_eq!(state(&[&many(32)]), many(32));
        let long = format!("a={}", "x".repeat(256));
        assert_eq!(state(&[&long]), long);
        for bad in [
            "a",
            "=b",
            "a=",
            "A=b",
            "a=b=c",
            "a=\u{e9}",
            "a b=c",
            &many(33),
            &format!("a={}", "x".repeat(257)),
            &format!("{long},b={}", "x".repeat(256)),
        ] {
            assert_eq!(state(&[bad]), "", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(parent: Vec<u8>, state: Vec<u8>) {
            let good = format!("00-{TRACE}-{SPAN}-01");
            Parent::read([parent.as_slice()].into_iter(), [state.as_slice()].into_iter());
            Parent::read([good.as_bytes()].into_iter(), [state.as_slice()].into_iter());
        }
    }
}
