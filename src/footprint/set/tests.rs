//! The compiled-in set, and sets that break a rule.

use super::super::{Carrier, Country, builtin};
use super::*;

fn files() -> SetFiles<'static> {
    SetFiles {
        emission_factors: "naics,title,kg_co2e_per_usd_no_margin,kg_co2e_per_usd,kg_co2_per_usd,useeio\n\
            111110,Soy,0.4,0.5,0.2,A\n222220,Beans,0.1,0.1,0.1,B\n",
        adjustments: "naics,multiplier,lower,upper,reason\n222220,2.5,2,3,imports\n",
        regional_factors: "country,naics,kg_co2e_per_eur,kg_co2_per_eur\nSWE,111110,0.3,0.1\nSWE,222220,0.2,0.1\n",
        mcc: "mcc_from,mcc_to,description,area,method,basket,confidence,reason\n\
            0742,0742,Food,food,spend,111110=0.25;222220=0.75,medium,\n\
            3000,3350,Fuel,fuel,fuel,petrol=0.7;111110=0.3,low,\n\
            6011,6011,Cash,cash,not_scored,,none,unknown\n",
        areas: "area,code,main_category,sub_category\nfood,101,Food,All food\nfuel,301,Transport,Fuel\ncash,901,None,Cash\n",
        carriers: "carrier,unit,kg_co2e_use,kg_co2e_upstream,note\npetrol,litre,2.3,0.5,x\nelectricity,kWh,grid,0,x\n",
    }
}

fn parse(files: &SetFiles<'_>) -> Result<FactorSet, Faults> {
    FactorSet::parse(SetId::of_operator("own-1").unwrap(), files)
}

#[test]
fn the_compiled_in_set() {
    let set = builtin::set().unwrap();
    let counts = Counts {
        industries: 1016,
        adjusted: 37,
        tables: 30,
        regional: 7710,
        codes: 1319,
        not_scored: 28,
        areas: 58,
    };
    assert_eq!(set.counts(), counts);
    assert_eq!(set.id().as_str(), builtin::SET_ID);
    let category = |code: &str| set.category(Mcc::parse(code).unwrap());
    assert_eq!(
        category("3350").unwrap().description,
        "Airlines, one code per carrier"
    );
    assert_eq!(
        category("3351").unwrap().description,
        "Car rental, one code per agency"
    );
    assert!(category("1234").is_none());
    let groceries = category("5411").unwrap();
    assert_eq!(set.area(groceries).map(|area| area.code), Some(101));
    assert_eq!(
        set.area_by_code(101).map(|area| area.id.as_str()),
        Some("groceries")
    );
    assert_eq!(category("742"), category("0742"));
    let electricity = set.carrier(Carrier::Electricity).unwrap();
    assert_eq!(electricity.kg_use, None);
}

#[test]
fn a_set_of_an_operators_own() {
    let set = parse(&files()).unwrap();
    let sweden = Country::from_alpha3("SWE").unwrap();
    let food = set.category_index(Mcc::parse("742").unwrap()).unwrap();
    let grams = |table| set.basket(food, table).unwrap().co2e.to_string();
    // 0.25 x 0.5 + 0.75 x 0.1 x 2.5, and 0.25 x 0.3 + 0.75 x 0.2.
    assert_eq!([0, set.table_number(sweden)].map(grams), ["312.5", "225"]);
    assert_eq!(set.basis(sweden).code(), "SWE");
    for code in ["USD2022", "SWE"] {
        assert_eq!(Basis::parse(code).map(Basis::code), Some(code));
    }
    // Tables of countries and multipliers may be missing altogether.
    let mut bare = files();
    bare.regional_factors = "country,naics,kg_co2e_per_eur,kg_co2_per_eur\n";
    bare.adjustments = "naics,multiplier,lower,upper,reason\n";
    assert_eq!(parse(&bare).unwrap().basis(sweden), Basis::Usd2022);
}

#[test]
fn ids_of_operators() {
    for id in ["own", "2027.1_se-b"] {
        assert_eq!(SetId::of_operator(id).unwrap().as_str(), id);
    }
    assert_eq!(SetId::of_operator("ig-2027.1"), Err(SetIdError::Reserved));
    assert!(SetId::stored("ig-2027.1").is_some());
    for id in ["", "-own", "Own", "o w", "ö", &"a".repeat(41)] {
        assert_eq!(SetId::of_operator(id), Err(SetIdError::Malformed), "{id}");
    }
}

/// Replaces a part of one file and expects the fault.
macro_rules! refused {
    ($($file:ident: $old:literal -> $new:literal => $fault:literal;)*) => {$({
        let mut changed = files();
        assert!(changed.$file.contains($old), "{}", $old);
        let text = changed.$file.replacen($old, $new, 1);
        changed.$file = &text;
        let faults = parse(&changed).unwrap_err().to_string();
        assert!(faults.contains($fault), "{} for {}: {faults}", $fault, $new);
    })*};
}

#[test]
fn what_breaks_a_rule_is_named() {
    refused! {
        mcc: "222220=0.75" -> "222220=0.74" => "mcc.csv, line 2, column basket: weights must add up to exactly 1, not 0.99";
        mcc: "222220=0.75" -> "333330=0.75" => "column basket: 333330 is not in emission_factors.csv";
        mcc: "222220=0.75" -> "111110=0.75" => "column basket: 111110 comes twice";
        mcc: "222220=0.75" -> "coal=0.75" => "column basket: \"coal\" is neither a NAICS code nor a carrier";
        mcc: "222220=0.75" -> "petrol=0.75" => "column basket: must not name an energy carrier unless";
        mcc: "222220=0.75" -> "222220=-0.75" => "column basket: must be key=weight";
        mcc: "222220=0.75" -> "222220" => "column basket: must be key=weight";
        mcc: "petrol=0.7" -> "diesel=0.7" => "column basket: diesel needs its rows in carriers.csv";
        mcc: "petrol=0.7" -> "222220=0.7" => "column basket: must name an energy carrier";
        mcc: "petrol=0.7;111110=0.3,low" -> "petrol=0.7;111110=0.3,medium" => "column confidence: must be low for method fuel";
        mcc: "0742,0742" -> "742,742" => "line 2, column mcc_from: must be 4 digits";
        mcc: "0742,0742" -> "0742,0741" => "line 2, column mcc_to: must not be below mcc_from";
        mcc: "0742,0742" -> "3350,3351" => "column mcc_from: overlaps another row";
        mcc: "Food,food" -> "Food,drink" => "column area: is not in areas.csv";
        mcc: "Food,food" -> ",food" => "column description: must not be empty";
        mcc: "spend" -> "guess" => "column method: must be spend, fuel or not_scored";
        mcc: "medium," -> "none," => "column confidence: must be low, medium or high";
        mcc: "medium," -> "medium,why" => "column reason: must be empty unless";
        mcc: "none,unknown" -> "low," => "column confidence: must be none for not_scored";
        mcc: "none,unknown" -> "none," => "column reason: must say why it is not scored";
        mcc: "not_scored,," -> "not_scored,111110=1," => "column basket: must be empty for not_scored";
        emission_factors: "0.5,0.2" -> "0.5,0.6" => "column kg_co2_per_usd: must not be above";
        emission_factors: "0.5,0.2" -> "-0.5,0.2" => "column kg_co2e_per_usd: must be a number from 0 to 1000";
        emission_factors: "222220" -> "111110" => "column naics: comes twice";
        emission_factors: "222220" -> "22222" => "column naics: must be a NAICS code";
        adjustments: "222220" -> "333330" => "adjustments.csv, line 2, column naics: is not in emission_factors.csv";
        adjustments: "2.5," -> "0," => "column multiplier: must be a number";
        regional_factors: "SWE,222220" -> "NOR,222220" => "111110 is not in regional_factors.csv for NOR";
        regional_factors: "SWE,222220" -> "SWE,111110" => "column naics: comes twice for this country";
        regional_factors: "SWE,222220" -> "ZZZ,222220" => "column country: must be an ISO 3166";
        areas: "301" -> "101" => "column code: comes twice";
        areas: "301" -> "31" => "column code: must be a number from 100 to 999";
        areas: "fuel,301" -> "food,301" => "column area: comes twice";
        carriers: "litre" -> "gallon" => "column unit: must be litre for petrol";
        carriers: "grid" -> "0.5" => "column kg_co2e_use: must be grid for electricity";
        carriers: "electricity,kWh,grid" -> "petrol,litre,1" => "column carrier: comes twice";
    }
}

#[test]
fn faults_of_all_files_come_together() {
    let mut changed = files();
    changed.areas = "area,code\n";
    changed.carriers = "";
    let faults = parse(&changed).unwrap_err().to_string();
    let expected = "areas.csv, line 1: the header must be area,code,main_category,sub_category\ncarriers.csv: is empty";
    assert_eq!(faults, expected);
}
