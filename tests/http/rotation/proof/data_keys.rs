//! New data keys one after the other, and in the midst of them one `reseal` and one `rotate-index`.

use super::load::Load;
use super::{Installation, Operator};
use issuer_gateway::rotation::{self, Event, Limits, Passed, primary};
use std::num::NonZeroU32;

/// Calls that are answered under each data key at least.
const CALLS: usize = 50;

/// Slow enough for many changes of keys to happen beside a pass.
const SLOW: Limits = Limits {
    rows_per_second: NonZeroU32::new(200),
    ..UNLIMITED
};

/// As fast as it goes.
pub(super) const UNLIMITED: Limits = Limits {
    batch: NonZeroU32::new(50).unwrap(),
    rows_per_second: None,
};

/// Makes so many new primary data keys; after half of them the passes begin.
pub(super) fn rotate(installation: &Installation, load: &Load, times: usize) {
    let operator = Operator::new(&installation.original);
    std::thread::scope(|scope| {
        let mut passes = Vec::new();
        for number in 0..times {
            load.wait_for(CALLS);
            if number == times / 2 {
                passes.push(scope.spawn(|| reseal(&Operator::new(&installation.original), SLOW)));
                passes.push(scope.spawn(|| rotate_index(&Operator::new(&installation.original))));
            }
            operator
                .run(primary::rotate_seal(&operator.store, &operator.vault))
                .unwrap();
        }
        for pass in passes {
            let passed = pass.join().unwrap();
            assert!(passed.rows > 0 && !passed.retired.is_empty(), "{passed:?}");
            assert_eq!(passed.misfits, 0, "{passed:?}");
        }
    });
}

/// `vault reseal`.
pub(super) fn reseal(operator: &Operator, limits: Limits) -> Passed {
    let Operator { store, vault, .. } = operator;
    operator
        .run(rotation::reseal(store, vault, limits, &mut no_misfit))
        .unwrap()
}

/// `vault rotate-index`.
fn rotate_index(operator: &Operator) -> Passed {
    let Operator { store, vault, .. } = operator;
    let begun = operator.run(primary::begin_index_rotation(store, vault));
    assert_eq!(begun, Ok(2));
    operator
        .run(rotation::reindex(store, vault, SLOW, &mut no_misfit))
        .unwrap()
}

/// Fails at a row that does not fit.
pub(super) fn no_misfit(event: Event<'_>) {
    assert!(!matches!(event, Event::Misfit { .. }), "{event:?}");
}
