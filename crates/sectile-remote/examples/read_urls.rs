//! Reads the metadata of objects by ranges, several at a time, and prints what it cost.
//!
//!     cargo run -p sectile-remote --example read_urls -- s3://bucket/app.wasm https://example.com/app.wasm

use sectile::drive::FetchOptions;
use sectile::{Escaped, Limits};
use sectile_remote::{Object, RemoteOptions, read_many};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let urls: Vec<String> = std::env::args().skip(1).collect();
    let options = RemoteOptions::default();
    let objects = urls.iter().map(|url| Object::open(url, &options)).collect::<Result<Vec<_>, _>>()?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(read_many(objects, 8, FetchOptions::default(), Limits::default(), |index, outcome| {
        let (url, cost) = (Escaped::new(&urls[index]), outcome.cost());
        match outcome.into_result() {
            Ok(metadata) => {
                println!("{url}: {} items, {} bytes in {} requests", metadata.items().len(), cost.bytes, cost.reads);
            }
            Err(error) => println!("{url}: {}", error.message()),
        }
    }));
    Ok(())
}
