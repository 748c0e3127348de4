//! A colour, and how well one can be told from another (WCAG 2.2, relative luminance).

use std::fmt;

/// Red, green and blue in sRGB.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    /// `#000000`
    pub const BLACK: Self = Self([0; 3]);
    /// `#FFFFFF`
    pub const WHITE: Self = Self([255; 3]);

    /// Of three numbers.
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    /// From `#RGB` or `#RRGGBB`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let digits: Vec<u8> = digits
            .chars()
            .map(|digit| {
                digit
                    .to_digit(16)
                    .and_then(|digit| u8::try_from(digit).ok())
            })
            .collect::<Option<_>>()?;
        match digits.as_slice() {
            [r, g, b] => Some(Self([r * 17, g * 17, b * 17])),
            [r, s, g, h, b, c] => Some(Self([r * 16 + s, g * 16 + h, b * 16 + c])),
            _ => None,
        }
    }

    /// 0 is black, 1 is white.
    pub fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// From 1 (the same) to 21 (black on white).
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        if one > two { one / two } else { two / one }
    }

    /// Whether black is more legible on it than white.
    pub fn is_light(self) -> bool {
        self.contrast(Self::BLACK) > self.contrast(Self::WHITE)
    }

    /// `percent` of the way to `other`.
    #[must_use]
    pub fn mixed(self, other: Self, percent: u8) -> Self {
        let percent = u16::from(percent.min(100));
        let mut channels = self.0;
        for (channel, goal) in channels.iter_mut().zip(other.0) {
            let sum = u16::from(*channel) * (100 - percent) + u16::from(goal) * percent;
            *channel = u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX);
        }
        Self(channels)
    }

    /// The nearest colour that has at least this contrast to every one of `grounds`: mixed in
    /// steps of 5 % with black or white, whichever stands out more from the first. `None` if none
    /// has.
    pub fn repaired(self, grounds: &[Self], least: f64) -> Option<Self> {
        let goal = match grounds.first() {
            Some(ground) if ground.is_light() => Self::BLACK,
            Some(_) => Self::WHITE,
            None => return Some(self),
        };
        (0..=20u8)
            .map(|step| self.mixed(goal, step * 5))
            .find(|colour| {
                grounds
                    .iter()
                    .all(|ground| colour.contrast(*ground) >= least)
            })
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02X}{green:02X}{blue:02X}")
    }
}

impl fmt::Debug for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_contrasts() {
        let near = |one: f64, two: f64| (one - two).abs() < 0.01;
        assert!(near(Colour::BLACK.contrast(Colour::WHITE), 21.0));
        let grey = Colour::parse("#999").unwrap();
        assert_eq!(grey.to_string(), "#999999");
        assert!(near(grey.contrast(Colour::WHITE), 2.85));
        assert_eq!(Colour::parse("#09aF1b").unwrap().to_string(), "#09AF1B");
        for text in ["", "#", "#12", "#12345", "123456", "#ggg"] {
            assert_eq!(Colour::parse(text), None, "{text}");
        }
    }

    #[test]
    fn any_text_can_be_made_legible_on_any_ground() {
        let steps = [0u8, 51, 102, 119, 128, 153, 204, 255];
        for r in steps {
            for g in steps {
                for b in steps {
                    let ground = Colour::new(r, g, b);
                    for text in [ground, Colour::BLACK, Colour::WHITE] {
                        let repaired = text.repaired(&[ground], 4.5).unwrap();
                        assert!(repaired.contrast(ground) >= 4.5, "{text} on {ground}");
                    }
                }
            }
        }
    }
}
