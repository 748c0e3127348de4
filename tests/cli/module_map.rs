//! The map in docs/architecture.md is true: a module of `src/` imports what its row of the table
//! allows, and rows allow only what stands below them, so that there are no circles.
//!
//! Tests are exempt: what is under `#[cfg(test)]`, files named `tests.rs`, folders named `tests`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENT: &str = "docs/architecture.md";
const HEAD: &str = "| module | what | may import |";

/// May import everything in a row below.
const ALL_BELOW: &str = "all below";
/// May import nothing of ours.
const NOTHING: &str = "nothing";
/// May import the modules of the last row alone. Rows that name others may import these, too.
const LEAVES: &str = "the shared ones";

/// Names of modules.
type Names = BTreeSet<String>;

/// A row of the table.
struct Row {
    modules: Vec<String>,
    may_import: String,
}

/// The names in backticks.
fn quoted(cell: &str) -> Vec<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

fn rows(document: &str) -> Vec<Row> {
    let table = document.lines().skip_while(|line| *line != HEAD).skip(2);
    let rows = table.take_while(|line| line.starts_with('|')).map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 3, "{DOCUMENT}: three cells in: {line}");
        Row {
            modules: quoted(cells[0]),
            may_import: cells[2].trim().to_owned(),
        }
    });
    rows.collect()
}

/// What each module may import; every fault of the table itself is added to `faults`.
fn allowed(rows: &[Row], faults: &mut Vec<String>) -> BTreeMap<String, Names> {
    let names = |rows: &[Row]| -> Names { rows.iter().flat_map(|r| r.modules.clone()).collect() };
    let leaves: Names = names(rows.last().map(std::slice::from_ref).unwrap_or_default());
    let mut allowed = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        let below = names(&rows[at + 1..]);
        let may: Names = match row.may_import.as_str() {
            ALL_BELOW => below.clone(),
            NOTHING => Names::new(),
            LEAVES => leaves.clone(),
            list => {
                let named = quoted(list);
                for name in named.iter().filter(|name| !below.contains(*name)) {
                    faults.push(format!(
                        "{DOCUMENT}: the row of {:?} names `{name}`, which has no row below it",
                        row.modules
                    ));
                }
                let rest = list.split('`').step_by(2).collect::<String>();
                if named.is_empty() || !rest.chars().all(|c| c == ',' || c == ' ') {
                    faults.push(format!(
                        "{DOCUMENT}: \"{list}\" is none of \"{ALL_BELOW}\", \"{NOTHING}\", \
                         \"{LEAVES}\" and a list of `names`"
                    ));
                }
                named.into_iter().chain(leaves.clone()).collect()
            }
        };
        for module in &row.modules {
            if allowed.insert(module.clone(), may.clone()).is_some() {
                faults.push(format!("{DOCUMENT}: `{module}` has two rows"));
            }
        }
    }
    allowed
}

/// The text without comments and without what is compiled for tests alone; the second part names
/// the modules that are declared for tests alone.
fn without_tests(text: &str) -> (String, Vec<String>) {
    let (mut kept, mut test_modules) = (String::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push_str(line.split("//").next().unwrap_or_default());
            kept.push('\n');
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut first = lines.next().unwrap_or_default();
        while first.trim_start().starts_with("#[") {
            first = lines.next().unwrap_or_default();
        }
        if let Some((_, name)) = first.trim_end_matches(';').split_once("mod ")
            && first.ends_with(';')
        {
            test_modules.push(name.to_owned());
        }
        if first.ends_with('{') {
            let end = format!("{indent}}}");
            let _skipped = lines.by_ref().take_while(|line| *line != end).count();
        }
    }
    (kept, test_modules)
}

/// The modules that a text names by `crate::`, in braces too, or by as many `super::` as its file
/// is deep.
fn imports(text: &str, depth: usize) -> Names {
    let mut found = Names::new();
    for start in ["crate::".to_owned(), "super::".repeat(depth)] {
        for (at, _) in text.match_indices(&start) {
            let before = &text[..at];
            if before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
                || before.ends_with("super::")
            {
                continue;
            }
            let after = &text[at + start.len()..];
            match after.strip_prefix('{') {
                Some(group) => found.extend(first_level(group)),
                None => found.extend(first_word(after)),
            }
        }
    }
    found.remove("super");
    found
}

fn first_word(text: &str) -> Option<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    (end > 0 && text.starts_with(is_name)).then(|| text[..end].to_owned())
}

/// The first word of each member of a group of imports whose `{` is behind us.
fn first_level(group: &str) -> Names {
    let (mut depth, mut start, mut found) = (1, 0, Names::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && character == ',') {
            found.extend(first_word(group[start..at].trim_start()));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    found
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each file's module path: `["store", "audit"]`.
fn module_path(source: &Path, file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(source).unwrap().with_extension("");
    let parts = relative
        .iter()
        .map(|part| part.to_str().unwrap().to_owned());
    parts.filter(|part| part != "mod").collect()
}

/// What lib.rs takes from crates of the workspace and gives out as modules of its own.
fn aliases(lib: &str) -> Names {
    let uses = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub use ")?.strip_suffix(';'));
    let names = uses.map(|path| path.rsplit([' ', ':']).next().unwrap_or(path));
    names.map(str::to_owned).collect()
}

#[test]
fn every_import_is_one_that_the_table_allows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = root.join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    files.sort();
    let mut texts: Vec<(Vec<String>, PathBuf, String)> = Vec::new();
    let mut test_modules: Vec<Vec<String>> = Vec::new();
    for file in files {
        let (text, tests) = without_tests(&fs::read_to_string(&file).unwrap());
        let path = module_path(&source, &file);
        let inner = tests
            .into_iter()
            .map(|name| [path.clone(), vec![name]].concat());
        test_modules.extend(inner);
        texts.push((path, file, text));
    }
    texts.retain(|(path, ..)| {
        let is_root = path.len() == 1 && (path[0] == "lib" || path[0] == "main");
        let is_test = path.iter().any(|part| part == "tests")
            || test_modules.iter().any(|test| path.starts_with(test));
        !is_root && !is_test
    });

    let mut faults = Vec::new();
    let rows = rows(&fs::read_to_string(root.join(DOCUMENT)).unwrap());
    let allowed = allowed(&rows, &mut faults);
    let lib = fs::read_to_string(source.join("lib.rs")).unwrap();
    let mut modules = aliases(&lib);
    modules.extend(texts.iter().map(|(path, ..)| path[0].clone()));
    for module in modules.iter().filter(|m| !allowed.contains_key(*m)) {
        let of = texts.iter().filter(|(path, ..)| path[0] == *module);
        let imported: Names = of
            .flat_map(|(path, _, text)| imports(text, path.len()))
            .filter(|name| modules.contains(name) && name != module)
            .collect();
        faults.push(format!(
            "{DOCUMENT}: `{module}` has no row; today it imports: {}",
            list(&imported)
        ));
    }
    for row in allowed.keys().filter(|row| !modules.contains(*row)) {
        faults.push(format!(
            "{DOCUMENT}: there is a row of `{row}`, but no such module"
        ));
    }
    let mut arrows = 0;
    for (path, file, text) in &texts {
        let module = &path[0];
        let Some(may) = allowed.get(module) else {
            continue;
        };
        let imported = imports(text, path.len());
        for name in imported
            .iter()
            .filter(|n| modules.contains(*n) && *n != module)
        {
            arrows += 1;
            if !may.contains(name) {
                faults.push(format!(
                    "{} imports `{name}`, which the row of `{module}` in {DOCUMENT} does not allow: \
                     move the code, or name `{name}` in the last column (its row must stand below)",
                    file.strip_prefix(root).unwrap().display()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    assert!(arrows > 100, "the files were read: {arrows}");
}

fn list(names: &Names) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn names(names: &[&str]) -> Names {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn imports_are_found_wherever_they_stand_but_in_tests_and_comments() {
    let text = "\
use crate::{
    a,
    b::{self, x},
    c as d,
};
use super::super::e::E;
use super::inner;
// use crate::comment;
fn f() { crate::g::g(); }
pub(in crate::h) struct S;
use other_crate::not_ours;
#[cfg(test)]
use crate::test_only;
#[cfg(test)]
mod helper;
#[cfg(test)]
mod tests {
    use crate::of_tests;
}
use crate::last;
";
    let (kept, test_modules) = without_tests(text);
    let lib = "pub use oauth as o;\npub use payload::json;\npub mod a;\nuse b::c;\n";
    assert_eq!(aliases(lib), names(&["json", "o"]));
    assert_eq!(test_modules, ["helper"]);
    let found = imports(&kept, 2);
    assert_eq!(found, names(&["a", "b", "c", "e", "g", "h", "last"]));
}

#[test]
fn a_table_that_points_up_or_says_something_else_is_refused() {
    let document = |second: &str| {
        format!(
            "{HEAD}\n| --- | --- | --- |\n| `a` | x | all below |\n| `b` | x | {second} |\n| `c`, `d` | x | nothing |\n"
        )
    };
    let faults_of = |second: &str| {
        let mut faults = Vec::new();
        let allowed = allowed(&rows(&document(second)), &mut faults);
        assert_eq!(allowed["a"], names(&["b", "c", "d"]));
        assert_eq!(allowed["d"], Names::new());
        (allowed["b"].clone(), faults.len())
    };
    assert_eq!(faults_of("`c`"), (names(&["c", "d"]), 0));
    assert_eq!(faults_of("the shared ones"), (names(&["c", "d"]), 0));
    assert_eq!(faults_of("nothing"), (Names::new(), 0));
    assert_eq!(faults_of("`a`").1, 1, "up");
    assert_eq!(faults_of("`b`").1, 1, "to itself");
    assert_eq!(faults_of("little").1, 1);
    assert_eq!(faults_of("`c` and others").1, 1);
}
