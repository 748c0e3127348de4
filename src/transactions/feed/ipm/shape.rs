//! How long each data element is: the elements that clearing messages have.

/// The length of a data element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// So many bytes.
    Fixed(usize),
    /// Its length comes before it, in so many digits.
    Variable(usize),
}

/// ICC data: the one element whose content is binary.
pub(super) const BINARY: usize = 55;

/// Elements that hold private subelements (PDS), in the order in which they are filled.
pub(super) const PRIVATE: [usize; 5] = [48, 62, 123, 124, 125];

/// The shape of an element; `None` if clearing messages have no such element: what follows it in a
/// record cannot be found then.
pub(super) fn of(element: usize) -> Option<Shape> {
    use Shape::{Fixed, Variable};
    Some(match element {
        23 | 24 | 40 | 49 | 50 | 51 => Fixed(3),
        14 | 25 | 26 => Fixed(4),
        3 | 38 | 73 => Fixed(6),
        9 | 10 | 41 | 71 => Fixed(8),
        4 | 5 | 6 | 12 | 22 | 37 => Fixed(12),
        42 => Fixed(15),
        30 => Fixed(24),
        2 | 31 | 32 | 33 | 43 | 93 | 94 | 95 | 100 => Variable(2),
        48 | 54 | 55 | 62 | 63 | 72 | 105 | 111 | 123 | 124 | 125 | 127 => Variable(3),
        _ => return None,
    })
}
