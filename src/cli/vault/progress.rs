//! Progress of a pass over the rows. Rows that do not fit go to standard output, as results do.

use crate::cli::progress::Progress;
use crate::rotation::Event;

/// The bar of a pass.
pub(super) struct Passing(Progress);

impl Passing {
    pub(super) fn new(label: &'static str) -> anyhow::Result<Self> {
        Progress::new(label, "rows").map(Self)
    }

    pub(super) fn show(&self, event: &Event<'_>) {
        match event {
            Event::RowsToDo(rows) => self.0.set_length(*rows),
            Event::Rows(rows) => self.0.inc(*rows),
            Event::Anchor { chain, broken } => {
                self.0
                    .println(&format!("BROKEN audit_purges: chain {chain}: {broken}"));
            }
            Event::Misfit { key, misfit } => self.0.println(&format!("BROKEN {key}: {misfit}")),
        }
    }

    pub(super) fn finish(&self) {
        self.0.finish();
    }
}
