//! The acts of an issuer's call, each with the results that it alone can have.
//!
//! The writer takes every [`Act`] and has one [`Outcome`] for all of them. Here, and nowhere else,
//! one becomes the other's type: so a use case handles what can happen to its own act.

use super::{Action, Attempt};
use crate::ids::CardholderId;
use crate::store::transactions::Posting;
use crate::store::writer::{Act, CardholderUpdate, NewCardholder, Outcome, Termination};

/// What an attempt can commit.
pub trait TypedAct<'a> {
    /// What can become of it, besides the refusals that the attempt handles itself.
    type Result;

    /// As the writer takes it.
    fn into_act(self) -> Act;

    /// The result of a committed act; `None` if only other acts have this outcome. It gets the
    /// attempt back, for an act that was committed without using up the nonce.
    fn result(outcome: Outcome, attempt: Attempt<'a>) -> Option<Self::Result>;
}

/// A card and its holder come on board.
pub struct Enrol(pub NewCardholder);

/// What became of [`Enrol`].
pub enum Enrolled<'a> {
    /// The cardholder is durable.
    Done,
    /// The issuer has a cardholder with this card: this one, unless it was erased at this moment.
    CardTaken(Option<CardholderId>),
    /// The card's holder, whose id this is, has to register again. The attempt goes on as
    /// [`ReEnrol`], sealed for this id: nothing is written yet, and the nonce is unused.
    MustReEnrol(CardholderId, Box<Attempt<'a>>),
}

impl<'a> TypedAct<'a> for Enrol {
    type Result = Enrolled<'a>;

    fn into_act(self) -> Act {
        Act::Enrol(Box::new(self.0))
    }

    fn result(outcome: Outcome, attempt: Attempt<'a>) -> Option<Enrolled<'a>> {
        match outcome {
            Outcome::Done => Some(Enrolled::Done),
            Outcome::CardTaken(holder) => Some(Enrolled::CardTaken(holder)),
            Outcome::MustReEnrol(existing) => {
                let attempt = Attempt {
                    action: Action::ReEnrolCardholder,
                    ..attempt.about(Some(&existing))
                };
                Some(Enrolled::MustReEnrol(existing, Box::new(attempt)))
            }
            _ => None,
        }
    }
}

/// A cardholder who had to register again does.
pub struct ReEnrol(pub NewCardholder);

/// What became of [`ReEnrol`].
pub enum ReEnrolled {
    /// The cardholder is durable, under the id of before.
    Done,
    /// Another call has re-enrolled the holder of this card first: this one.
    CardTaken(Option<CardholderId>),
}

impl TypedAct<'_> for ReEnrol {
    type Result = ReEnrolled;

    fn into_act(self) -> Act {
        Act::ReEnrol(Box::new(self.0))
    }

    fn result(outcome: Outcome, _: Attempt<'_>) -> Option<ReEnrolled> {
        match outcome {
            Outcome::Done => Some(ReEnrolled::Done),
            Outcome::CardTaken(holder) => Some(ReEnrolled::CardTaken(holder)),
            _ => None,
        }
    }
}

/// What became of a [`CardholderUpdate`].
pub enum Updated {
    /// The new values are durable.
    Done,
    /// There is no such cardholder, or not an active one any more.
    Gone,
}

impl TypedAct<'_> for CardholderUpdate {
    type Result = Updated;

    fn into_act(self) -> Act {
        Act::Update(Box::new(self))
    }

    fn result(outcome: Outcome, _: Attempt<'_>) -> Option<Updated> {
        match outcome {
            Outcome::Done => Some(Updated::Done),
            Outcome::CardholderGone => Some(Updated::Gone),
            _ => None,
        }
    }
}

impl TypedAct<'_> for Termination {
    type Result = ();

    fn into_act(self) -> Act {
        Act::Terminate(Box::new(self))
    }

    fn result(outcome: Outcome, _: Attempt<'_>) -> Option<()> {
        (outcome == Outcome::Done).then_some(())
    }
}

/// Transactions are entered into cardholders' months.
pub struct Post(pub Posting);

impl TypedAct<'_> for Post {
    type Result = ();

    fn into_act(self) -> Act {
        Act::Post(Box::new(self.0))
    }

    fn result(outcome: Outcome, _: Attempt<'_>) -> Option<()> {
        (outcome == Outcome::Done).then_some(())
    }
}

/// Nothing but the nonce and the audit entry.
pub struct Record;

impl TypedAct<'_> for Record {
    type Result = ();

    fn into_act(self) -> Act {
        Act::Record
    }

    fn result(outcome: Outcome, _: Attempt<'_>) -> Option<()> {
        (outcome == Outcome::Done).then_some(())
    }
}
