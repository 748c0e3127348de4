//! The caller's span, from the headers of W3C Trace Context
//! (<https://www.w3.org/TR/trace-context/>).

/// `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
const LENGTH: usize = 55;
/// The flag `sampled`.
const SAMPLED: u8 = 1;

/// The span of the caller that this call belongs to. Its `tracestate` is not read: it is a free
/// text that nobody has signed, and the gateway makes no calls of its own to pass it on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Never all zero.
    pub(super) trace_id: [u8; 16],
    /// Never all zero.
    pub(super) span_id: [u8; 8],
    /// The caller has sampled its span.
    pub(super) sampled: bool,
}

impl Parent {
    /// Reads the values of all `traceparent` headers. `None`: there is none, or it is malformed, or
    /// there are several (section 4.3).
    pub fn read<'a>(mut traceparent: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let (Some(only), None) = (traceparent.next(), traceparent.next()) else {
            return None;
        };
        let (trace_id, span_id, flags) = ids(only)?;
        Some(Self {
            trace_id,
            span_id,
            sampled: flags & SAMPLED != 0,
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn read(traceparent: &[&str]) -> Option<Parent> {
        Parent::read(traceparent.iter().map(|header| header.as_bytes()))
    }

    #[test]
    fn a_parent_is_read_with_its_flag() {
        for (flags, sampled) in [("00", false), ("01", true), ("02", false), ("ff", true)] {
            let parent = read(&[&format!("00-{TRACE}-{SPAN}-{flags}")]).unwrap();
            assert_eq!(hex::encode(parent.trace_id), TRACE);
            assert_eq!(hex::encode(parent.span_id), SPAN);
            assert_eq!(parent.sampled, sampled);
        }
        let later = format!("cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like");
        assert!(read(&[&later]).unwrap().sampled);
        assert!(read(&[&format!("cc-{TRACE}-{SPAN}-01")]).is_some());
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
            assert_eq!(read(&[&bad]), None, "{bad}");
        }
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[&good, &good]), None, "two");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(parent: Vec<u8>) {
            Parent::read([parent.as_slice()].into_iter());
        }
    }
}
