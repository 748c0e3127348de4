//! An explanation as plain text, for terminals and files.

use super::diff::Part;
use super::report::{Cause, Explanation};
use std::fmt;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.call)?;
        match (&self.cause, self.failed) {
            (Some(cause), Some(step)) => {
                writeln!(f, "{}: {}", step.title(), cause.code)?;
                writeln!(f, "  {}", self.summary)?;
                told(f, cause)?;
            }
            _ => writeln!(f, "  {}", self.summary)?,
        }
        writeln!(f)?;
        for step in &self.steps {
            let found = step.found.as_deref().unwrap_or_default();
            let line = format!("  {:<12} {:<21} {found}", step.verdict.word(), step.title);
            writeln!(f, "{}", line.trim_end())?;
            if let Some(expected) = &step.expected {
                writeln!(f, "{:37}expected: {expected}", "")?;
            }
            if let Some(further) = &step.further {
                writeln!(f, "{:37}would fail: {}", "", further.code)?;
                writeln!(f, "{:37}{}", "", further.what)?;
                writeln!(f, "{:37}{}", "", further.advice)?;
            }
        }
        Ok(())
    }
}

fn told(f: &mut fmt::Formatter<'_>, cause: &Cause) -> fmt::Result {
    writeln!(f, "  To do: {}", cause.advice)?;
    if let Some(proof) = &cause.proof {
        writeln!(f, "  Proof: {proof}")?;
    }
    for detail in &cause.details {
        writeln!(f, "    {}: {}: {}", detail.field, detail.rule, detail.found)?;
    }
    let Some(diff) = &cause.diff else {
        return Ok(());
    };
    writeln!(f, "  {}:", diff.of)?;
    writeln!(f, "    gateway  {}", diff.gateway)?;
    writeln!(f, "    client   {}", diff.client)?;
    write!(f, "    differ   ")?;
    for part in &diff.parts {
        match part {
            Part::Same(text) => write!(f, "{}", shortened(text))?,
            Part::Gateway(text) => write!(f, "[-{text}-]")?,
            Part::Client(text) => write!(f, "{{+{text}+}}")?,
        }
    }
    writeln!(f)
}

/// The ends of a long common part.
fn shortened(text: &str) -> String {
    const ENDS: usize = 24;
    let count = text.chars().count();
    if count <= 2 * ENDS + 5 {
        return text.to_owned();
    }
    let start: String = text.chars().take(ENDS).collect();
    let end: String = text.chars().skip(count - ENDS).collect();
    format!("{start} ... {end}")
}
