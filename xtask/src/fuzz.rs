//! `cargo xtask fuzz`: every fuzz target for a while, beginning with the seeds kept in the repository.

use std::path::Path;

use crate::Result;
use crate::run::{cargo, entries, quietly, root, run};

/// Runs each target of `fuzz/fuzz_targets` for `seconds`.
pub(crate) fn fuzz(seconds: u64) -> Result<()> {
    quietly(&mut cargo(&["+nightly", "fuzz", "--version"])).map_err(|error| {
        format!(
            "{error}\nfuzzing needs nightly Rust and cargo-fuzz. Type:\n\n    \
             rustup toolchain install nightly && cargo install --locked cargo-fuzz\n"
        )
    })?;
    let home = root().join("fuzz");
    let targets = targets(&home)?;
    for target in &targets {
        println!("==> fuzzing {target} for {seconds} s");
        let corpus = home.join("corpus").join(target);
        copy_seeds(&home.join("seeds").join(target), &corpus)?;
        let limit = format!("-max_total_time={seconds}");
        run(&mut cargo(&["+nightly", "fuzz", "run", target, "--", &limit]))?;
    }
    println!("{} fuzz targets ran, no finding", targets.len());
    Ok(())
}

/// Checks that the fuzz targets still compile, with the stable compiler everybody has.
pub(crate) fn compiles() -> Result<()> {
    let mut command = cargo(&["check", "--manifest-path", "fuzz/Cargo.toml"]);
    // Nothing is linked by a check, so the fuzzing engine need not be built from its C++ source. Naming a library
    // keeps its build script from doing so.
    run(command.env("CUSTOM_LIBFUZZER_PATH", "/not-linked/libfuzzer.a"))
}

fn targets(home: &Path) -> Result<Vec<String>> {
    let directory = home.join("fuzz_targets");
    let names: Vec<String> = entries(&directory)?
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    if names.is_empty() { Err(format!("no fuzz target in {}", directory.display())) } else { Ok(names) }
}

/// The fuzzer adds what it finds to its corpus; the seeds in the repository stay as they are.
fn copy_seeds(seeds: &Path, corpus: &Path) -> Result<()> {
    std::fs::create_dir_all(corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
    for seed in entries(seeds)? {
        let Some(name) = seed.file_name() else { continue };
        std::fs::copy(&seed, corpus.join(name)).map_err(|error| format!("{}: {error}", seed.display()))?;
    }
    Ok(())
}
