//! Goes through the checks: notes each outcome, and keeps the first failure apart from later ones.

use super::recorded::Recorded;
use super::report::{Cause, Explanation, Step, StepId, Verdict};

/// An explanation under way.
pub(super) struct Walk {
    call: String,
    steps: Vec<Step>,
    failed: Option<StepId>,
    cause: Option<Cause>,
    left_out: Vec<StepId>,
    accepted: bool,
    pub(super) base_strings: Vec<String>,
}

impl Walk {
    pub(super) fn new(call: &Recorded) -> Self {
        let at = call.at.map(|at| at.format(", %Y-%m-%d %H:%M:%S UTC"));
        let at = at.map(|at| at.to_string()).unwrap_or_default();
        Self {
            call: format!("{} {}{at}", call.method, call.target),
            steps: Vec::new(),
            failed: None,
            cause: None,
            left_out: Vec::new(),
            accepted: call
                .answer
                .as_ref()
                .is_some_and(|answer| answer.status < 400),
            base_strings: Vec::new(),
        }
    }

    /// Whether a check has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// The verdict of a check that was made.
    pub(super) fn reached(&self, step: StepId) -> Option<Verdict> {
        let known = self.steps.iter().find(|known| known.step == step);
        known.map(|known| known.verdict)
    }

    /// The check is in order.
    pub(super) fn passed(&mut self, step: StepId, found: impl Into<String>) {
        let verdict = match self.has_failed() {
            false => Verdict::Passed,
            true => Verdict::NotReached,
        };
        self.note(step, verdict, Some(found.into()), None, None);
    }

    /// The check refuses the call.
    pub(super) fn failed(
        &mut self,
        step: StepId,
        found: impl Into<String>,
        expected: impl Into<String>,
        cause: Cause,
    ) {
        let (found, expected) = (Some(found.into()), Some(expected.into()));
        if self.has_failed() {
            self.note(step, Verdict::NotReached, found, expected, Some(cause));
        } else {
            self.failed = Some(step);
            self.cause = Some(cause);
            self.note(step, Verdict::Failed, found, expected, None);
        }
    }

    /// Something that the check needs is not known; `why` says what.
    pub(super) fn not_checked(&mut self, step: StepId, why: impl Into<String>) {
        let verdict = match self.has_failed() {
            false => Verdict::NotChecked,
            true => Verdict::NotReached,
        };
        self.note(step, verdict, Some(why.into()), None, None);
    }

    /// A check with this verdict.
    pub(super) fn told(&mut self, step: StepId, verdict: Verdict, found: String) {
        self.note(step, verdict, Some(found), None, None);
    }

    /// Calls of this kind have no such check.
    pub(super) fn leave_out(&mut self, steps: &[StepId]) {
        self.left_out.extend(steps);
    }

    fn note(
        &mut self,
        step: StepId,
        verdict: Verdict,
        found: Option<String>,
        expected: Option<String>,
        further: Option<Cause>,
    ) {
        self.steps.push(Step {
            step,
            title: step.title(),
            verdict,
            found,
            expected,
            further,
        });
    }

    pub(super) fn finish(mut self) -> Explanation {
        for step in StepId::ALL {
            let known = self.steps.iter().any(|known| known.step == step);
            if !known && !self.left_out.contains(&step) {
                let verdict = match self.has_failed() {
                    true => Verdict::NotReached,
                    false => Verdict::NotChecked,
                };
                self.note(step, verdict, None, None, None);
            }
        }
        let place = |step: &Step| StepId::ALL.iter().position(|known| *known == step.step);
        self.steps.sort_by_key(place);
        let summary = match (&self.cause, self.accepted) {
            (None, true) => "The gateway accepted this call.".to_owned(),
            (None, false) => "Nothing wrong was found with this call.".to_owned(),
            (Some(cause), false) => cause.what.clone(),
            (Some(cause), true) => format!(
                "The gateway accepted this call when it came. By what is known now it would be \
                 refused: {}",
                cause.what
            ),
        };
        Explanation {
            call: self.call,
            summary,
            failed: self.failed,
            cause: self.cause,
            steps: self.steps,
            base_strings: self.base_strings,
        }
    }
}
