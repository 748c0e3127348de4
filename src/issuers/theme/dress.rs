//! An issuer's theme as the pages wear it: checked against what can be read.
//!
//! The text or the bar gives way, never the ground. What the issuer sent is still what its profile
//! shows; [`Dress::warnings`] says what was changed, for `issuer apply`, `issuer show` and the log.

use super::colour::Colour;
use super::{Theme, css_families};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Contrast of text (WCAG 1.4.3).
const TEXT: f64 = 4.5;
/// Contrast of shapes and edges (WCAG 1.4.11).
const SHAPE: f64 = 3.0;

const DARK_PAGE: Colour = Colour::new(0x16, 0x18, 0x1B);
const DARK_CARD: Colour = Colour::new(0x1F, 0x22, 0x26);
const DARK_TEXT: Colour = Colour::new(0xE6, 0xE8, 0xEB);

/// Keys of a font, its variable, and the sizes (px) that it is held between.
const FONTS: [(&str, &str, u16, u16); 5] = [
    ("title", "title", 20, 40),
    ("subTitle", "heading", 16, 28),
    ("paragraph", "body", 14, 22),
    ("buttonText", "button", 14, 22),
    ("link", "link", 14, 22),
];

/// Colours that were made to fit one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Of the page.
    pub page: Colour,
    /// Of cards and rows of tables.
    pub card: Colour,
    /// Text on the page.
    pub page_text: Colour,
    /// Text on cards.
    pub card_text: Colour,
    /// Secondary text on cards.
    pub card_muted: Colour,
    /// Secondary text on the page.
    pub page_muted: Colour,
    /// Bars and columns.
    pub bar: Colour,
    /// Buttons.
    pub button: Colour,
    /// Text on buttons.
    pub button_text: Colour,
    /// The edge of buttons: their own colour, or the text's where the button alone would not show.
    pub button_edge: Colour,
    /// Edges of cards and rows; ornament.
    pub line: Colour,
    /// What a bar does not fill; ornament.
    pub track: Colour,
}

/// All that a page wears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dress {
    /// By day.
    pub light: Palette,
    /// For who asked their device for a dark one; `None` if the theme is dark by itself, or the
    /// operator wants none.
    pub dark: Option<Palette>,
    fonts: String,
    warnings: Vec<String>,
}

impl Dress {
    /// The dress of a theme. `dark` says whether a dark one is made for a light theme.
    pub fn of(theme: &Theme, dark: bool) -> Self {
        let values = theme.with_defaults();
        let colour = |key: &str, otherwise: Colour| {
            values
                .get(key)
                .and_then(|text| Colour::parse(text))
                .unwrap_or(otherwise)
        };
        let wanted = Wanted {
            page: colour("backgroundColor", Colour::WHITE),
            card: colour("widgetBackgroundColor", Colour::WHITE),
            text: colour("fontColor", Colour::BLACK),
            bar: colour("barGraphColor", Colour::BLACK),
            button: colour("buttonColor", Colour::BLACK),
            button_text: colour("buttonTextColor", Colour::WHITE),
        };
        let mut warnings = Vec::new();
        let light = wanted.palette(&mut warnings);
        let by_night = Wanted {
            page: DARK_PAGE,
            card: DARK_CARD,
            text: DARK_TEXT,
            ..wanted
        };
        Self {
            dark: (dark && wanted.page.is_light()).then(|| by_night.night()),
            light,
            fonts: fonts(&values),
            warnings,
        }
    }

    /// What had to be changed, each with its pair and ratio.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether it asks for this family of fonts.
    pub fn names(&self, family: &str) -> bool {
        self.fonts.contains(&format!("\"{family}\""))
    }

    /// The value of `<meta name="color-scheme">`.
    pub fn scheme(&self) -> &'static str {
        match (self.dark, self.light.page.is_light()) {
            (Some(_), _) => "light dark",
            (None, true) => "light",
            (None, false) => "dark",
        }
    }

    /// Custom properties for the page's style sheet. Nothing of it can leave its declaration:
    /// colours are parsed, sizes are numbers, and families go through [`css_families`].
    pub fn css(&self) -> String {
        let mut css = format!(
            ":root{{color-scheme:{};{}{}}}",
            self.scheme(),
            self.light.css(),
            self.fonts
        );
        if let Some(dark) = &self.dark {
            let _ = write!(
                css,
                "@media (prefers-color-scheme:dark){{:root{{{}}}}}",
                dark.css()
            );
        }
        css
    }
}

impl Palette {
    fn css(&self) -> String {
        format!(
            "--page:{};--card:{};--page-text:{};--card-text:{};--page-muted:{};--card-muted:{};\
             --bar:{};--button:{};--button-text:{};--button-edge:{};--line:{};--track:{};",
            self.page,
            self.card,
            self.page_text,
            self.card_text,
            self.page_muted,
            self.card_muted,
            self.bar,
            self.button,
            self.button_text,
            self.button_edge,
            self.line,
            self.track
        )
    }
}

#[derive(Clone, Copy)]
struct Wanted {
    page: Colour,
    card: Colour,
    text: Colour,
    bar: Colour,
    button: Colour,
    button_text: Colour,
}

impl Wanted {
    fn palette(self, warnings: &mut Vec<String>) -> Palette {
        let mut fix = |names: &str, colour: Colour, ground: Colour, least: f64| {
            let ratio = colour.contrast(ground);
            if ratio < least {
                warnings.push(format!(
                    "{names}: contrast {ratio:.2}, at least {least} is needed"
                ));
            }
            legible(colour, ground, least)
        };
        let page_text = fix("fontColor on backgroundColor", self.text, self.page, TEXT);
        let card_text = fix(
            "fontColor on widgetBackgroundColor",
            self.text,
            self.card,
            TEXT,
        );
        let bar = fix(
            "barGraphColor on widgetBackgroundColor",
            self.bar,
            self.card,
            SHAPE,
        );
        let button_text = fix(
            "buttonTextColor on buttonColor",
            self.button_text,
            self.button,
            TEXT,
        );
        let ratio = self
            .button
            .contrast(self.page)
            .min(self.button.contrast(self.card));
        let button_edge = if ratio < SHAPE {
            warnings.push(format!(
                "buttonColor on backgroundColor and widgetBackgroundColor: contrast {ratio:.2}, \
                 at least {SHAPE} is needed"
            ));
            card_text
        } else {
            self.button
        };
        Palette {
            page: self.page,
            card: self.card,
            page_text,
            card_text,
            card_muted: legible(card_text.mixed(self.card, 30), self.card, TEXT),
            page_muted: legible(page_text.mixed(self.page, 30), self.page, TEXT),
            bar,
            button: self.button,
            button_text,
            button_edge,
            line: self.card.mixed(card_text, 20),
            track: self.card.mixed(card_text, 8),
        }
    }

    /// Bars and buttons are lightened until they show; our own pair is legible as it is.
    fn night(mut self) -> Palette {
        let grounds = [self.card, self.page];
        self.bar = self.bar.repaired(&grounds, SHAPE).unwrap_or(self.text);
        self.button = self.button.repaired(&grounds, SHAPE).unwrap_or(self.text);
        self.palette(&mut Vec::new())
    }
}

fn legible(colour: Colour, ground: Colour, least: f64) -> Colour {
    let otherwise = if ground.is_light() {
        Colour::BLACK
    } else {
        Colour::WHITE
    };
    colour.repaired(&[ground], least).unwrap_or(otherwise)
}

fn fonts(values: &BTreeMap<&str, &str>) -> String {
    let mut css = String::new();
    for (key, variable, least, most) in FONTS {
        let value = |end: &str| values.get(format!("{key}{end}").as_str()).copied();
        let families = css_families(value("FontType").unwrap_or_default());
        let size = value("FontSize").and_then(|size| size.strip_suffix("px"));
        let pixels = size.and_then(|size| size.parse().ok()).unwrap_or(least);
        // The style sheet says how many pixels a rem is: 16, or 17 with the system font of iOS.
        let pixels = pixels.clamp(least, most);
        let _ = write!(
            css,
            "--{variable}-font:{families};--{variable}-size:calc({pixels}rem/var(--px));"
        );
    }
    css
}

#[cfg(test)]
mod tests;
