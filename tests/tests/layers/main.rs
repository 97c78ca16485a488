//! The files of a crate lie in layers: each imports only from those below, and no two import each other.
//!
//! `docs/architecture.md` draws the layers of the crates that are held to this.

mod circles;
mod copies;
mod drawing;
mod imports;
mod tokens;

use std::fs;
use std::path::Path;

use crate::circles::{circles, groups};
use crate::drawing::problems;
use crate::imports::{Files, Imports, imports};

/// The crates whose files lie in layers.
const IN_LAYERS: [&str; 3] = ["memo-engines", "memo-macros", "memo"];

/// The project.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// All source files of a crate, by their modules.
fn files(name: &str) -> Files {
    let src = root().join(name).join("src");
    let mut files = Files::new();
    let mut open = vec![src.clone()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("the directory of a crate can be read") {
            let path = entry.expect("its entries can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file can be read");
                let module = path.strip_prefix(&src).expect("it lies below").with_extension("");
                let module = module.to_str().expect("a name of ours").replace('\\', "/");
                let module = if module == "lib" { String::new() } else { module };
                files.insert(module.trim_end_matches("/mod").to_owned(), text);
            }
        }
    }
    files
}

/// A file as people call it.
fn named(module: &str) -> String {
    if module.is_empty() { "lib.rs".to_owned() } else { format!("{module}.rs") }
}

/// The circles of a crate, a line for each.
fn told(imports: &Imports) -> Vec<String> {
    let circle = |circle: Vec<String>| circle.iter().map(|file| named(file)).collect::<Vec<_>>().join(" -> ");
    circles(imports).into_iter().map(circle).collect()
}

#[test]
fn no_two_files_import_each_other() {
    for name in IN_LAYERS {
        let imports = imports(&files(name));
        assert!(imports.len() > 10, "{name}: only {} files were found", imports.len());
        let circles = told(&imports);
        assert!(
            circles.is_empty(),
            "files of `{name}` import each other; move what both need into a file below both:\n{}",
            circles.join("\n")
        );
    }
}

#[test]
fn the_layers_are_as_they_are_drawn() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).expect("it can be read");
    for name in IN_LAYERS {
        let (_, section) =
            text.split_once(&format!("\n### `{name}/src`\n")).expect("the crate has a section");
        let end =
            section.find("\n## ").into_iter().chain(section.find("\n### ")).min().unwrap_or(section.len());
        let problems = problems(&section[..end], &imports(&files(name)));
        assert!(
            problems.is_empty(),
            "`docs/architecture.md` draws `{name}` otherwise:\n{}",
            problems.join("\n")
        );
    }
}

#[test]
#[ignore = "it prints all imports of files that lead to each other"]
fn circles_that_are_left() {
    for name in IN_LAYERS {
        let imports = imports(&files(name));
        assert!(imports.len() > 10, "{name}: only {} files were found", imports.len());
        let circles = told(&imports);
        println!("{name}: {} groups of files that import each other", circles.len());
        circles.iter().for_each(|circle| println!("  {circle}"));
        for group in groups(&imports) {
            println!("{name}: {} files lead to each other, and import of each other", group.len());
            for file in &group {
                let others: Vec<_> = imports[file].intersection(&group).map(|other| named(other)).collect();
                println!("  {}: {}", named(file), others.join(" "));
            }
        }
    }
}
