//! Fonts of the operator's, served from the web view's own origin. Off by default.

use crate::config::FontFile;
use openssl::sha::sha256;
use std::fmt;
use std::io;

/// All fonts together, in bytes.
const MOST: usize = 40 * 1_024;
/// How a WOFF2 file begins.
const WOFF2: &[u8] = b"wOF2";

/// Why the fonts cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum FontError {
    /// A file cannot be read.
    #[error("dashboard.fonts: {file}: {error}")]
    File {
        /// Which.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// A file is of another kind.
    #[error("dashboard.fonts: {0}: not a WOFF2 file")]
    NotWoff2(String),
    /// Phones would wait for them.
    #[error("dashboard.fonts: {0} bytes in all, at most {MOST}")]
    TooLarge(usize),
}

/// A font as it is served.
#[derive(Clone, PartialEq, Eq)]
pub struct Font {
    /// As themes name it.
    pub family: String,
    /// `400`, or `100 900` for a variable font.
    pub weight: String,
    /// `font-HASH.woff2`, with its hash: browsers may keep it for good.
    pub name: String,
    /// WOFF2.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Font {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Font({} {})", self.family, self.weight)
    }
}

/// Reads the declared files.
///
/// # Errors
/// A file that is missing or of another kind; more than 40 KB in all.
pub fn read(declared: &[FontFile]) -> Result<Vec<Font>, FontError> {
    let mut fonts = Vec::with_capacity(declared.len());
    for font in declared {
        let file = font.file.display().to_string();
        let bytes = match std::fs::read(&font.file) {
            Ok(bytes) => bytes,
            Err(error) => return Err(FontError::File { file, error }),
        };
        if !bytes.starts_with(WOFF2) {
            return Err(FontError::NotWoff2(file));
        }
        let hash = hex::encode(sha256(&bytes));
        fonts.push(Font {
            family: font.family.clone(),
            weight: font.weight.clone(),
            name: format!("font-{}.woff2", hash.get(..16).unwrap_or_default()),
            bytes,
        });
    }
    let size = fonts.iter().map(|font| font.bytes.len()).sum();
    if size > MOST {
        return Err(FontError::TooLarge(size));
    }
    Ok(fonts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn declared(folder: &Path, name: &str, content: &[u8]) -> FontFile {
        let file = folder.join(name);
        std::fs::write(&file, content).unwrap();
        FontFile {
            family: "Bank Sans".to_owned(),
            file,
            weight: "400".to_owned(),
        }
    }

    #[test]
    fn only_small_woff2_files_are_served() {
        let folder = tempfile::tempdir().unwrap();
        let mut large = WOFF2.to_vec();
        large.resize(MOST / 2 + 1, 0);
        let one = declared(folder.path(), "one.woff2", &large);
        let fonts = read(std::slice::from_ref(&one)).unwrap();
        assert_eq!(fonts[0].bytes, large);
        assert!(fonts[0].name.starts_with("font-") && fonts[0].name.len() == 27);
        assert_eq!(format!("{:?}", fonts[0]), "Font(Bank Sans 400)");
        let both = [one.clone(), one];
        assert!(matches!(read(&both), Err(FontError::TooLarge(_))));
        let other = declared(folder.path(), "other.ttf", b"\0\x01\0\0");
        assert!(matches!(read(&[other]), Err(FontError::NotWoff2(_))));
        let mut missing = declared(folder.path(), "x", WOFF2);
        missing.file = folder.path().join("none");
        assert!(matches!(read(&[missing]), Err(FontError::File { .. })));
        assert_eq!(read(&[]).unwrap(), []);
    }
}
