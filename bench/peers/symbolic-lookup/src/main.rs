//! symbolic-lookup FILE (ELF, or a .sym text): reads addresses, one hexadecimal number a line, from
//! standard input, looks each up in a symcache made from the file in memory, with the name and line
//! of every frame and its file's record, and prints one line of JSON: lookups a second as given
//! ("random") and sorted, seconds to make the cache ("convert"), its size.
use std::io::{BufRead, Cursor};
use std::time::Instant;
use symbolic::common::ByteView;
use symbolic::debuginfo::Object;
use symbolic::symcache::{SymCache, SymCacheConverter};

fn touch_all(cache: &SymCache, addresses: &[u64]) -> (f64, usize) {
    let start = Instant::now();
    let mut touched = 0;
    for &address in addresses {
        for frame in cache.lookup(address) {
            touched += frame.function().name().len() + frame.line() as usize;
            touched += usize::from(frame.file().is_some());
        }
    }
    (addresses.len() as f64 / start.elapsed().as_secs_f64(), touched)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: symbolic-lookup FILE < ADDRESSES")?;
    let view = ByteView::open(&path)?;
    let object = Object::parse(&view)?;
    let start = Instant::now();
    let mut converter = SymCacheConverter::new();
    converter.process_object(&object)?;
    let mut bytes = Vec::new();
    converter.serialize(&mut Cursor::new(&mut bytes))?;
    let convert = start.elapsed().as_secs_f64();
    let cache = SymCache::parse(&bytes)?;

    let mut addresses = Vec::new();
    for line in std::io::stdin().lock().lines() {
        addresses.push(u64::from_str_radix(line?.trim_start_matches("0x"), 16)?);
    }
    touch_all(&cache, &addresses);
    let (random, touched) = touch_all(&cache, &addresses);
    addresses.sort_unstable();
    let (sorted, _) = touch_all(&cache, &addresses);
    println!(
        "{{\"random\":{random:.0},\"sorted\":{sorted:.0},\"convert\":{convert:.3},\"size\":{},\"touched\":{touched}}}",
        bytes.len()
    );
    Ok(())
}
