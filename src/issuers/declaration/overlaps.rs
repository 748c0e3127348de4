//! Values that two issuers of one file may not share.

use crate::store::issuers::IssuerDeclaration;
use std::collections::HashSet;

/// No client id or account range twice in one file, in time that grows with the file.
pub(super) fn check(declarations: &[IssuerDeclaration], problems: &mut Vec<String>) {
    let mut client_ids = HashSet::new();
    for declaration in declarations {
        if !client_ids.insert(&declaration.client_id) {
            problems.push(format!(
                "issuer {}: client_id: is declared twice",
                declaration.client_id
            ));
        }
    }
    let mut ranges: Vec<(&str, &str)> = declarations
        .iter()
        .flat_map(|declaration| {
            let client_id = declaration.client_id.as_str();
            let ranges = declaration.account_ranges.iter();
            ranges.map(move |range| (range.as_str(), client_id))
        })
        .collect();
    ranges.sort_unstable();
    // In the order of texts a range stands right before those that begin with it.
    let mut wider: Vec<(&str, &str)> = Vec::new();
    for (range, client_id) in ranges {
        while wider
            .last()
            .is_some_and(|(outer, _)| !range.starts_with(outer))
        {
            wider.pop();
        }
        if let Some((outer, other_id)) = wider.last() {
            problems.push(format!(
                "issuer {client_id}: account_ranges: {range} touches {outer} of issuer {other_id}"
            ));
        }
        wider.push((range, client_id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClientId;
    use crate::payload::EnvelopeForm;
    use crate::store::issuers::{Envelopes, ProfileColumns, Responses};

    fn declaration(client_id: &str, ranges: &[&str]) -> IssuerDeclaration {
        IssuerDeclaration {
            client_id: ClientId::parse(client_id).unwrap(),
            name: String::new(),
            profile: ProfileColumns {
                customer_id: None,
                email: String::new(),
                currency_code: String::new(),
                country_code: String::new(),
                country_name: String::new(),
                terms_and_condition_url: None,
                privacy_notice_url: None,
                opt_out_url: None,
                theme: None,
            },
            donation: false,
            responses: Responses::Mirror,
            unicode_names: false,
            rsa_pss: true,
            envelopes: Envelopes::Both,
            field_level_headers: false,
            accept_expired_signing: false,
            answers: EnvelopeForm::Jwe,
            self_service_ranges: None,
            dashboard: None,
            time_zone: chrono_tz::UTC,
            factor_set: None,
            account_ranges: ranges.iter().map(ToString::to_string).collect(),
            certificates: Vec::new(),
        }
    }

    #[test]
    fn every_range_that_lies_in_another_is_named_once() {
        let mut problems = Vec::new();
        let a = declaration("a", &["5344", "2223", "9"]);
        let b = declaration("b", &["534403", "53440312", "5345", "2223"]);
        check(&[a, b], &mut problems);
        let touches: Vec<_> = problems
            .iter()
            .map(|problem| problem.replace("account_ranges: ", ""))
            .collect();
        assert_eq!(
            touches,
            [
                "issuer b: 2223 touches 2223 of issuer a",
                "issuer b: 534403 touches 5344 of issuer a",
                "issuer b: 53440312 touches 534403 of issuer b",
            ]
        );
    }
}
