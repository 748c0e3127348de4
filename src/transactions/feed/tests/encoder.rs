//! Writes clearing files, for tests: the format as scoring.md 12.2 has it, from the other side.

use std::collections::BTreeMap;

/// A message by its elements.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) mti: String,
    pub(super) elements: BTreeMap<usize, String>,
}

/// Code page 500 of the characters that tests write.
fn ebcdic(letter: char) -> u8 {
    let place = |from: char| u8::try_from(u32::from(letter) - u32::from(from)).unwrap();
    match letter {
        '0'..='9' => 0xf0 + place('0'),
        'A'..='I' => 0xc1 + place('A'),
        'J'..='R' => 0xd1 + place('J'),
        'S'..='Z' => 0xe2 + place('S'),
        'a'..='i' => 0x81 + place('a'),
        'j'..='r' => 0x91 + place('j'),
        's'..='z' => 0xa2 + place('s'),
        ' ' => 0x40,
        '\\' => 0xe0,
        '-' => 0x60,
        '.' => 0x4b,
        'é' => 0x51,
        other => panic!("{other:?}"),
    }
}

pub(super) fn text(text: &str, in_ebcdic: bool) -> Vec<u8> {
    let latin1 = |letter: char| u8::try_from(u32::from(letter)).unwrap();
    text.chars()
        .map(|letter| {
            if in_ebcdic {
                ebcdic(letter)
            } else {
                latin1(letter)
            }
        })
        .collect()
}

impl Message {
    pub(super) fn new(mti: &str, elements: &[(usize, &str)]) -> Self {
        Self {
            mti: mti.to_owned(),
            elements: elements
                .iter()
                .map(|(n, text)| (*n, (*text).to_owned()))
                .collect(),
        }
    }

    pub(super) fn with(mut self, element: usize, text: &str) -> Self {
        self.elements.insert(element, text.to_owned());
        self
    }

    pub(super) fn without(mut self, element: usize) -> Self {
        self.elements.remove(&element);
        self
    }

    pub(super) fn encode(&self, in_ebcdic: bool) -> Vec<u8> {
        let mut bitmap = 1u128 << 127;
        let mut content = Vec::new();
        for (element, value) in &self.elements {
            bitmap |= 1 << (128 - element);
            let length = value.chars().count();
            let prefix = match element {
                2 | 31 | 32 | 33 | 43 | 93 | 94 | 95 | 100 => format!("{length:02}"),
                48 | 54 | 55 | 62 | 63 | 72 | 105 | 111 | 123..=125 | 127 => format!("{length:03}"),
                _ => String::new(),
            };
            content.extend(text(&prefix, in_ebcdic));
            content.extend(text(value, in_ebcdic && *element != 55));
        }
        let mut record = text(&self.mti, in_ebcdic);
        record.extend(bitmap.to_be_bytes());
        record.extend(content);
        record
    }
}

/// A file of these records.
pub(super) fn file(records: &[Vec<u8>], blocked: bool) -> Vec<u8> {
    let mut data = Vec::new();
    for record in records {
        data.extend(u32::try_from(record.len()).unwrap().to_be_bytes());
        data.extend(record);
    }
    data.extend([0; 4]);
    if !blocked {
        return data;
    }
    let mut blocks = Vec::new();
    for chunk in data.chunks(1_012) {
        blocks.extend(chunk);
        blocks.resize(blocks.len().next_multiple_of(1_014), 0x40);
    }
    blocks
}

pub(super) fn purchase() -> Message {
    Message::new(
        "1240",
        &[
            (2, "5344035555555557"),
            (3, "000000"),
            (4, "000000005420"),
            (6, "000000005000"),
            (12, "260115143000"),
            (24, "200"),
            (26, "5411"),
            (31, "12345678901234567890123"),
            (43, "ICA MAXI\\STORGATAN 1\\LUND\\22100        SWE"),
            (49, "752"),
            (51, "978"),
        ],
    )
}

pub(super) fn refund() -> Message {
    purchase()
        .with(3, "200000")
        .with(31, "22345678901234567890123")
}
