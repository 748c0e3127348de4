use super::*;
use serde_json::{Value, json};

fn dress(theme: Value) -> Dress {
    Dress::of(&Theme::parse(theme.as_object().unwrap()).unwrap(), true)
}

fn themes() -> Vec<Value> {
    let mut themes = vec![
        json!({}),
        json!({"backgroundColor": "#fff", "widgetBackgroundColor": "#fff", "fontColor": "#fff",
               "barGraphColor": "#fff", "buttonColor": "#fff", "buttonTextColor": "#fff"}),
        json!({"backgroundColor": "#000", "widgetBackgroundColor": "#000", "fontColor": "#000",
               "barGraphColor": "#000", "buttonColor": "#000", "buttonTextColor": "#000"}),
        json!({"backgroundColor": "#101418", "widgetBackgroundColor": "#1b2025", "fontColor": "#ddd"}),
        json!({"backgroundColor": "#000", "widgetBackgroundColor": "#fff", "fontColor": "#777"}),
        json!({"titleFontSize": "999px", "paragraphFontSize": "1px", "linkFontType": "O'Neil"}),
    ];
    for colour in [
        "#777777", "#767676", "#c00", "#0a0", "#00f", "#ff0", "#f0f", "#0ff",
    ] {
        themes.push(
            json!({"backgroundColor": colour, "widgetBackgroundColor": "#888",
                           "fontColor": colour, "barGraphColor": "#888", "buttonColor": colour}),
        );
    }
    themes
}

#[test]
fn whatever_an_issuer_sends_can_be_read() {
    for theme in themes() {
        let dress = dress(theme.clone());
        for palette in [Some(dress.light), dress.dark].into_iter().flatten() {
            let pairs = [
                (palette.page_text, palette.page, TEXT),
                (palette.card_text, palette.card, TEXT),
                (palette.page_muted, palette.page, TEXT),
                (palette.card_muted, palette.card, TEXT),
                (palette.button_text, palette.button, TEXT),
                (palette.bar, palette.card, SHAPE),
                (palette.button_edge, palette.card, SHAPE),
            ];
            for (over, under, least) in pairs {
                assert!(over.contrast(under) >= least, "{over} on {under}: {theme}");
            }
        }
    }
}

#[test]
fn the_published_example_gets_dark_text_and_an_edge() {
    let dress = dress(json!({}));
    let Palette {
        button,
        button_text,
        button_edge,
        ..
    } = dress.light;
    assert_eq!(button.to_string(), "#999999");
    assert!(
        button_text.is_light() == Colour::BLACK.is_light(),
        "{button_text}"
    );
    assert_eq!(button_edge, Colour::BLACK);
    assert_eq!(dress.warnings().len(), 2);
    assert!(
        dress.warnings()[0].contains("2.85"),
        "{:?}",
        dress.warnings()
    );
}

#[test]
fn a_good_theme_is_left_alone() {
    let theme = json!({"backgroundColor": "#F4F6F8", "widgetBackgroundColor": "#FFFFFF",
                       "fontColor": "#1B2733", "barGraphColor": "#0B6E4F",
                       "buttonColor": "#0B6E4F", "buttonTextColor": "#FFFFFF"});
    let dress = dress(theme);
    assert_eq!(dress.warnings(), [] as [String; 0]);
    assert_eq!(dress.light.bar.to_string(), "#0B6E4F");
    assert_eq!(dress.light.button_edge, dress.light.button);
    assert_eq!(dress.scheme(), "light dark");
}

#[test]
fn a_dark_theme_has_one_palette() {
    let dress = dress(json!({"backgroundColor": "#101418"}));
    assert_eq!(dress.dark, None);
    assert_eq!(dress.scheme(), "dark");
    assert_eq!(Dress::of(&Theme::default(), false).scheme(), "light");
}

#[test]
fn sizes_are_held_between_bounds_and_grow_with_the_device() {
    let css = dress(json!({"titleFontSize": "999px", "paragraphFontSize": "1px"})).css();
    assert!(css.contains("--title-size:calc(40rem/var(--px));"), "{css}");
    assert!(css.contains("--body-size:calc(14rem/var(--px));"), "{css}");
}

#[test]
fn nothing_of_a_theme_leaves_its_declaration() {
    let theme = Theme::from_json(
        r#"{"titleFontType":"a';}body{x:url(//e.example)","fontColor":"red;}</style>","mine":"}"}"#,
    );
    let css = Dress::of(&theme.unwrap(), true).css();
    assert_eq!(css.matches('{').count(), 3);
    assert_eq!(css.matches('}').count(), 3);
    for text in ["</", "url(", "'", "mine"] {
        assert!(!css.contains(text), "{css}");
    }
}
