//! A font family as CSS may have it.
//!
//! An issuer may write `O'Neil, sans-serif`, and its answer echoes that. In a style sheet the
//! apostrophe would open a string, so no family goes there but through [`css_families`].

/// Names that mean a kind of font and are written without quotation marks.
const GENERIC: [&str; 6] = [
    "serif",
    "sans-serif",
    "monospace",
    "cursive",
    "fantasy",
    "system-ui",
];

/// Each family as a quoted string without apostrophes, generic names as they are, and behind them
/// the system's own font. Nothing but letters, digits, blanks and hyphens survives.
pub fn css_families(families: &str) -> String {
    let mut list: Vec<String> = Vec::new();
    for family in families.split(',') {
        let kept = family
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == ' ' || *c == '-');
        let name = kept.collect::<String>();
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let lower = name.to_ascii_lowercase();
        if GENERIC.contains(&lower.as_str()) {
            list.push(lower);
        } else if !name.is_empty() {
            list.push(format!("\"{name}\""));
        }
    }
    for fallback in ["system-ui", "sans-serif"] {
        if !list.iter().any(|family| family == fallback) {
            list.push(fallback.to_owned());
        }
    }
    list.join(", ")
}

#[cfg(test)]
mod tests {
    use super::css_families;

    #[test]
    fn a_family_stays_inside_its_string() {
        for (families, css) in [
            (
                "Mark Offc For MC",
                r#""Mark Offc For MC", system-ui, sans-serif"#,
            ),
            ("O'Neil, sans-serif", r#""ONeil", sans-serif, system-ui"#),
            (
                "'Open Sans' , Arial",
                r#""Open Sans", "Arial", system-ui, sans-serif"#,
            ),
            ("SANS-SERIF", "sans-serif, system-ui"),
            ("',',", "system-ui, sans-serif"),
            ("a\"b;}*{x:url(/)}", r#""abxurl", system-ui, sans-serif"#),
        ] {
            assert_eq!(css_families(families), css, "{families}");
        }
    }
}
