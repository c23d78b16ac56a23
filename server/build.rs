//! Puts the built app, where there is one, into the binary: a table of the files in `../dist`, each
//! with its brotli form when `x.br` stands beside `x`. Without `dist/` the table is empty and the
//! server says how to build the app.

use std::{
    env,
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let dist = PathBuf::from(var("CARGO_MANIFEST_DIR")).join("../dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    if dist.is_dir() {
        collect(&dist.canonicalize()?, &mut files)?;
    }
    files.sort();
    let mut table = String::from("static FILES: &[File] = &[\n");
    for file in files.iter().filter(|file| file.extension().is_none_or(|end| end != "br")) {
        let path = file.strip_prefix(dist.canonicalize()?).map_err(io::Error::other)?;
        let brotli = PathBuf::from(format!("{}.br", file.display()));
        let brotli = match files.contains(&brotli) {
            true => format!("Some(include_bytes!({brotli:?}))"),
            false => "None".to_owned(),
        };
        let path = path.display();
        let line = format!(
            "    File {{ path: \"/{path}\", plain: include_bytes!({file:?}), brotli: {brotli} }},"
        );
        writeln!(table, "{line}").map_err(io::Error::other)?;
    }
    table.push_str("];\n");
    fs::write(PathBuf::from(var("OUT_DIR")).join("files.rs"), table)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn var(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
