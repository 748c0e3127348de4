//! Who may look now, and what there is to see: asked of the database on every request, so that a
//! deletion, a suspension or the donation toggle ends every open view at the next click.

use super::facts::{
    Counted, DonationFacts, Facts, IssuerFacts, MonthFacts, NoticeFacts, Payment, PaymentKind,
    Scoring, Uncounted,
};
use super::language::Language;
use super::token::{Claims, TOLERANCE};
use crate::enrolment::profile::Address;
use crate::footprint::{Benchmarks, Country, Explanation, Month, Purchase, Scorer};
use crate::gateway::Gateway;
use crate::issuers::dashboard::Units;
use crate::issuers::{Issuer, IssuerStatus};
use crate::refusal::Refusal;
use crate::store::audit::AuditDraft;
use crate::store::cardholders::{CardholderStatus, Visitor};
use crate::store::scoring_jobs::JobState;
use crate::store::writer::{Act, Commit, Nonce, Outcome};
use crate::transactions::item::Kind;
use crate::transactions::read::{self, CardholderMonths};
use crate::transactions::stored::{ScoreOutcome, StoredTransaction};
use crate::vault::{Place, SealedColumn};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// Full months that the view looks back.
const MONTHS: i32 = 12;
/// How long a change of the method is announced.
const NOTICE: TimeDelta = TimeDelta::days(90);
/// How long after an enrolment the months before it may still be on their way.
const ON_THE_WAY: TimeDelta = TimeDelta::hours(24);

static BENCHMARKS: LazyLock<Option<Benchmarks>> = LazyLock::new(|| Benchmarks::builtin().ok());

/// A cardholder who may look.
pub struct Viewer {
    /// What the token says.
    pub claims: Claims,
    /// The issuer, active.
    pub issuer: Arc<Issuer>,
    visitor: Visitor,
}

impl Viewer {
    /// `None`: not any more. Why is for nobody to learn.
    ///
    /// # Errors
    /// What the database says.
    pub async fn admit(gateway: &Gateway, claims: Claims) -> Result<Option<Self>, Refusal> {
        let issuer = gateway.registry.issuer(claims.issuer_id);
        let Some(issuer) = issuer.filter(|issuer| issuer.status == IssuerStatus::Active) else {
            return Ok(None);
        };
        let found = gateway.store.visitor(issuer.id, &claims.user_id).await?;
        let visitor = found.filter(|visitor| {
            visitor.status == CardholderStatus::Active
                && visitor.enrolment_epoch == claims.epoch
                && claims.epoch >= issuer.enrolment_epoch
        });
        Ok(visitor.map(|visitor| Self {
            claims,
            issuer,
            visitor,
        }))
    }

    /// Notes that a view was opened. False: the issuer's addresses open one view each, and this
    /// one has opened its own.
    ///
    /// # Errors
    /// What the writer says.
    pub async fn note_opened(
        &self,
        gateway: &Gateway,
        request_id: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, Refusal> {
        let actor = format!("cardholder {}", self.claims.user_id);
        let audit = AuditDraft {
            issuer_id: Some(self.issuer.id),
            subject: Some(self.claims.user_id.as_str().to_owned()),
            request_id: Some(request_id.to_owned()),
            detail: Some(format!("token={}", self.claims.id_name())),
            ..AuditDraft::accepted(now.timestamp_micros(), &actor, "dashboard.open")
        };
        let commit = Commit {
            nonce: self.issuer.dashboard.single_use.then(|| self.once()),
            act: Act::Record,
            audit,
            opening: None,
            sealed_under: None,
        };
        Ok(gateway.writer.commit(commit).await? != Outcome::Replayed)
    }

    /// The start token as something that the database takes once, on whatever node, and forgets
    /// after the token's end.
    fn once(&self) -> Nonce {
        Nonce {
            issuer_id: self.issuer.id,
            value: format!("view {}", self.claims.id_name()),
            expires_at: (self.claims.expires + TOLERANCE).timestamp_micros(),
        }
    }

    /// Notes that the introduction was closed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn introduce(&self, gateway: &Gateway, now: DateTime<Utc>) -> Result<(), Refusal> {
        let at = now.timestamp_micros();
        let user_id = &self.claims.user_id;
        gateway.store.introduce(self.issuer.id, user_id, at).await?;
        Ok(())
    }

    /// Everything that a page of this moment can say.
    ///
    /// # Errors
    /// What the database and the vault say; [`Refusal::Unavailable`] if this node does not know
    /// the factor set yet.
    pub async fn facts(
        &self,
        gateway: &Gateway,
        language: Language,
        now: DateTime<Utc>,
    ) -> Result<Sight, Refusal> {
        let issuer = &self.issuer;
        let today = issuer.today(now);
        let first = Month::of(today).plus(-MONTHS);
        let from = (&gateway.store, &gateway.vault);
        let stored = read::cardholder(from, issuer.id, &self.claims.user_id, first).await?;
        let scorers = gateway.footprints.current();
        let scorer = match &stored {
            Some(stored) => scorers.get(&stored.ledger.set),
            None => Some(scorers.default_scorer()),
        };
        let scorer = Arc::clone(scorer.ok_or(Refusal::Unavailable)?);
        let notice = stored
            .as_ref()
            .and_then(|stored| notice(issuer, stored, now));
        let (stored, written) = stored
            .map(|stored| (stored.months, stored.written))
            .unwrap_or_default();
        let country = self.country(gateway)?;
        let benchmarks = BENCHMARKS.as_ref();
        let months: BTreeMap<Month, MonthFacts> = stored
            .iter()
            .filter(|(_, month)| !month.transactions.is_empty())
            .map(|(month, stored)| {
                let payments = stored.transactions.iter().map(payment).collect();
                let mut facts = MonthFacts::new(stored.sums.clone(), payments);
                facts.updated = written.get(month).copied();
                (*month, facts)
            })
            .collect();
        let facts = Facts {
            issuer: issuer_facts(issuer),
            last_four: self.visitor.last_four.clone(),
            country,
            now,
            today,
            zone: issuer.time_zone,
            scoring: self.scoring(now, &months),
            months,
            notice,
            set: Arc::clone(scorer.set()),
            benchmark: benchmarks.and_then(|all| all.latest(country)),
            goal: benchmarks.and_then(|all| all.goal(country)),
            introduced: self.visitor.introduced,
            imperial: issuer.dashboard.units == Units::Imperial,
            donation: donation(issuer, language),
        };
        Ok(Sight {
            facts,
            scorer,
            stored: stored
                .into_values()
                .flat_map(|month| month.transactions)
                .collect(),
        })
    }

    /// The billing country, else the issuer's.
    fn country(&self, gateway: &Gateway) -> Result<Country, Refusal> {
        let Some(sealed) = &self.visitor.billing_address else {
            return Ok(self.issuer.country);
        };
        let place = Place::of_issuer(
            self.issuer.id,
            self.claims.user_id.as_str(),
            SealedColumn::CardholderBillingAddress,
        );
        let json = gateway.vault.current().open_sealed(place, sealed)?;
        let address = Address::from_json(&json);
        let address = address.map_err(|error| Refusal::Internal(error.reason()))?;
        let code = address.country_code().to_ascii_uppercase();
        Ok(Country::from_alpha3(&code).unwrap_or(self.issuer.country))
    }

    /// Payments are scored when they come, so what is there is done. In the first day after the
    /// enrolment those of the past may still be on their way.
    fn scoring(&self, now: DateTime<Utc>, months: &BTreeMap<Month, MonthFacts>) -> Scoring {
        let enrolled = DateTime::from_timestamp_micros(self.visitor.created_at).unwrap_or(now);
        match self.visitor.scoring {
            Some((JobState::Failed, _)) => Scoring::Failed,
            Some((JobState::Pending, _)) if months.is_empty() && now < enrolled + ON_THE_WAY => {
                Scoring::Waiting
            }
            Some((JobState::Running, scored)) => Scoring::Running {
                scored: scored.into(),
                total: months.values().map(MonthFacts::count).sum(),
            },
            _ => Scoring::Done,
        }
    }
}

/// The facts of a page, and what explains them.
pub struct Sight {
    /// What pages are made from.
    pub facts: Facts,
    scorer: Arc<Scorer>,
    stored: Vec<StoredTransaction>,
}

impl Sight {
    /// The steps of a payment's score, with the rows that it was made from; `None` if it counts
    /// nothing.
    pub fn explain(&self, id: &str) -> Option<Explanation<'_>> {
        let mut all = self.stored.iter();
        let transaction = all.find(|transaction| transaction.source.to_string() == id)?;
        let ScoreOutcome::Grams(score) = &transaction.scored.outcome else {
            return None;
        };
        let purchase = Purchase {
            mcc: transaction.mcc,
            amount: transaction.amount,
            date: transaction.date,
            country: transaction.country,
        };
        let as_of = score.as_of(transaction.date);
        Some(self.scorer.explain_as_of(&purchase, as_of))
    }
}

fn payment(stored: &StoredTransaction) -> Payment {
    Payment {
        id: stored.source.to_string(),
        date: stored.date,
        merchant: stored
            .merchant
            .as_ref()
            .map(|merchant| merchant.as_str().to_owned()),
        mcc: stored.mcc,
        area: stored.scored.area,
        amount: stored.amount,
        country: stored.country,
        kind: match stored.kind {
            Kind::Refund => PaymentKind::Refund,
            Kind::Reversal => PaymentKind::Reversal,
            Kind::Purchase | Kind::Authorisation => PaymentKind::Purchase,
        },
        counted: match &stored.scored.outcome {
            ScoreOutcome::Grams(score) => Counted::Grams {
                co2e: score.co2e,
                co2: score.co2,
                confidence: score.confidence,
            },
            ScoreOutcome::Category | ScoreOutcome::Never(_) => Counted::Not(Uncounted::Category),
            ScoreOutcome::InvalidMcc => Counted::Not(Uncounted::InvalidMcc),
            ScoreOutcome::OutOfRange => Counted::Not(Uncounted::OutOfRange),
        },
    }
}

fn notice(issuer: &Issuer, stored: &CardholderMonths, now: DateTime<Utc>) -> Option<NoticeFacts> {
    let notice = stored.ledger.notice.as_ref()?;
    let at = DateTime::from_timestamp_micros(notice.at)?;
    (now < at + NOTICE).then(|| NoticeFacts {
        date: issuer.local_date(at),
        before: notice.before,
        after: notice.after,
    })
}

fn issuer_facts(issuer: &Issuer) -> IssuerFacts {
    let columns = &issuer.profile.columns;
    IssuerFacts {
        name: issuer.name.clone(),
        terms: columns.terms_and_condition_url.clone(),
        privacy: columns.privacy_notice_url.clone(),
        opt_out: columns.opt_out_url.clone(),
        return_url: issuer.dashboard.return_url.clone(),
    }
}

fn donation(issuer: &Issuer, language: Language) -> Option<DonationFacts> {
    let (name, url) = issuer
        .dashboard
        .provider()
        .ok()
        .filter(|_| issuer.donation)?;
    let offered = Language::OFFERED
        .into_iter()
        .find(|(offered, _)| offered.reads_as(language))
        .map_or(Language::EnUs, |(offered, _)| offered);
    let text = issuer.dashboard.donation_texts.get(offered.tag())?;
    Some(DonationFacts {
        name: name.to_owned(),
        url: url.to_owned(),
        text: text.clone(),
    })
}
