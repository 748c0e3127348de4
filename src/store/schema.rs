//! The tables as Diesel sees them: the columns of `migrations/`, in the same order, for both
//! databases.

#![expect(missing_docs, reason = "each column is described in migrations/")]

diesel::table! {
    issuers (issuer_id) {
        issuer_id -> Integer,
        client_id -> Text,
        name -> Text,
        customer_id -> Nullable<Text>,
        email -> Text,
        currency_code -> Text,
        country_code -> Text,
        country_name -> Text,
        terms_and_condition_url -> Nullable<Text>,
        privacy_notice_url -> Nullable<Text>,
        opt_out_url -> Nullable<Text>,
        theme -> Nullable<Text>,
        status -> Text,
        donation -> Bool,
        enrolment_epoch -> Integer,
        responses -> Text,
        unicode_names -> Bool,
        rsa_pss -> Bool,
        created_at -> BigInt,
        updated_at -> BigInt,
        envelopes -> Text,
        field_level_headers -> Bool,
        accept_expired_signing -> Bool,
        self_service_ranges -> Nullable<Text>,
        changed_in -> BigInt,
        answers -> Text,
        time_zone -> Text,
        factor_set -> Nullable<Text>,
        dashboard -> Nullable<Text>,
    }
}

diesel::table! {
    account_ranges (prefix) {
        prefix -> Text,
        issuer_id -> Integer,
        position -> Integer,
        added -> Bool,
    }
}

diesel::table! {
    issuer_certificates (issuer_id, purpose, fingerprint, consumer_key) {
        issuer_id -> Integer,
        purpose -> Text,
        fingerprint -> Text,
        consumer_key -> Text,
        pem -> Text,
        not_before -> Nullable<BigInt>,
        not_after -> Nullable<BigInt>,
    }
}

diesel::table! {
    registry_version (id) {
        id -> Integer,
        version -> BigInt,
    }
}

diesel::table! {
    data_keys (purpose, version) {
        purpose -> Text,
        version -> Integer,
        state -> Text,
        kek_id -> Text,
        wrapped -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    vault_generation (id) {
        id -> Integer,
        version -> BigInt,
    }
}

diesel::table! {
    users (issuer_id, user_id) {
        issuer_id -> Integer,
        user_id -> Text,
        status -> Text,
        enrolment_epoch -> Integer,
        name -> Nullable<Binary>,
        email -> Nullable<Binary>,
        phone -> Nullable<Binary>,
        billing_address -> Nullable<Binary>,
        locale -> Nullable<Binary>,
        email_index -> Nullable<Binary>,
        email_index_key -> Nullable<Integer>,
        seal_key -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
        introduced_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    cards (issuer_id, user_id) {
        issuer_id -> Integer,
        user_id -> Text,
        last_four -> Text,
        pan_index -> Binary,
        pan_index_key -> Integer,
        card -> Binary,
        seal_key -> Integer,
        created_at -> BigInt,
    }
}

diesel::table! {
    oauth_nonces (issuer_id, nonce) {
        issuer_id -> Integer,
        nonce -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    opened_keys (key_hash) {
        key_hash -> Binary,
        message_hash -> Binary,
        issuer_id -> Integer,
        field_level -> Bool,
        gateway_key -> BigInt,
        opened_at -> BigInt,
    }
}

diesel::table! {
    gateway_keys_held (gateway_key) {
        gateway_key -> BigInt,
        held_at -> BigInt,
    }
}

diesel::table! {
    gateway_key_usage (fingerprint) {
        fingerprint -> Text,
        last_used_at -> BigInt,
    }
}

diesel::table! {
    audit_entries (chain, seq) {
        chain -> Text,
        seq -> BigInt,
        at -> BigInt,
        actor -> Text,
        action -> Text,
        outcome -> Text,
        reason -> Nullable<Text>,
        issuer_id -> Nullable<Integer>,
        subject -> Nullable<Text>,
        request_id -> Nullable<Text>,
        origin -> Nullable<Text>,
        previous_hash -> Binary,
        hash -> Binary,
        detail -> Nullable<Text>,
    }
}

diesel::table! {
    audit_heads (chain) {
        chain -> Text,
        seq -> BigInt,
        hash -> Binary,
    }
}

diesel::table! {
    audit_anchors (chain) {
        chain -> Text,
        seq -> BigInt,
        by_chain -> Text,
        by_seq -> BigInt,
    }
}

diesel::table! {
    audit_purges (chain) {
        chain -> Text,
        seq -> BigInt,
        hash -> Binary,
        first_at -> BigInt,
        last_at -> BigInt,
        purged_at -> BigInt,
        seal_key -> Integer,
        mac -> Binary,
    }
}

diesel::table! {
    node_heartbeats (node) {
        node -> Text,
        beat_at -> BigInt,
    }
}

diesel::table! {
    transaction_imports (import_key) {
        import_key -> Binary,
        run -> Text,
        position -> BigInt,
        record -> BigInt,
        digest -> Binary,
        counts -> Text,
        rejects -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    scoring_jobs (issuer_id, user_id) {
        issuer_id -> Integer,
        user_id -> Text,
        status -> Text,
        window_from -> BigInt,
        window_to -> BigInt,
        attempts -> Integer,
        created_at -> BigInt,
        next_at -> BigInt,
        scored -> Integer,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    retained_transactions (issuer_id, retained_id) {
        issuer_id -> Integer,
        retained_id -> Text,
        pan_index -> Binary,
        pan_index_key -> Integer,
        content -> Binary,
        seal_key -> Integer,
        received_at -> BigInt,
    }
}

diesel::table! {
    transaction_ledgers (issuer_id, user_id) {
        issuer_id -> Integer,
        user_id -> Text,
        content -> Binary,
        seal_key -> Integer,
        updated_at -> BigInt,
    }
}

diesel::table! {
    transaction_months (issuer_id, user_id, month) {
        issuer_id -> Integer,
        user_id -> Text,
        month -> Integer,
        content -> Binary,
        seal_key -> Integer,
        updated_at -> BigInt,
    }
}

diesel::table! {
    factor_loads (load_id) {
        load_id -> Integer,
        kind -> Text,
        set_id -> Nullable<Text>,
        file -> Text,
        checksum -> Text,
        row_count -> Integer,
        kept -> Integer,
        content -> Text,
        loaded_at -> BigInt,
        loaded_by -> Text,
    }
}

diesel::table! {
    factor_version (id) {
        id -> Integer,
        version -> BigInt,
    }
}

diesel::table! {
    directory_apps (app_id) {
        app_id -> Integer,
        name -> Text,
        anonymous -> Bool,
        created_at -> BigInt,
    }
}

diesel::table! {
    directory_keys (key_hash) {
        key_hash -> Binary,
        key_id -> Text,
        app_id -> Integer,
        klaim_id -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    directory_users (app_id, klaim_id) {
        app_id -> Integer,
        klaim_id -> Text,
        user_id -> Text,
        number -> Nullable<BigInt>,
        name -> Nullable<Binary>,
        first_name -> Nullable<Binary>,
        last_name -> Nullable<Binary>,
        username -> Nullable<Binary>,
        email -> Nullable<Binary>,
        metadata -> Nullable<Binary>,
        email_index -> Nullable<Binary>,
        email_index_key -> Nullable<Integer>,
        seal_key -> Integer,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(directory_apps, directory_keys);
diesel::allow_tables_to_appear_in_same_query!(issuers, users, cards, scoring_jobs);
diesel::allow_tables_to_appear_in_same_query!(audit_heads, audit_anchors);
