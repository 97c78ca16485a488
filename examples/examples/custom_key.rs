//! `key` and `skip`: what counts, where that is not all the arguments.

use memo::memoize;

/// Neither `Hash` nor `Eq`, and no need for it: it is no part of a key.
struct Database {
    name: &'static str,
}

struct User {
    id: u32,
    last_seen: std::time::Instant,
}

/// The key in the author's words: nothing else counts.
#[memoize(key = (user.id, page))]
fn feed(db: &Database, user: &User, page: u32) -> Vec<String> {
    println!("  asking {} after {:?}", db.name, user.last_seen.elapsed());
    (0..3).map(|post| format!("post {} of user {}", page * 3 + post, user.id)).collect()
}

/// All arguments but one.
#[memoize(skip(db))]
fn row_count(db: &Database, table: &str) -> usize {
    db.name.len() * table.len()
}

fn main() {
    let db = Database { name: "archive" };
    let user = |id| User { id, last_seen: std::time::Instant::now() };

    let first = feed(&db, &user(1), 0);
    assert_eq!(first, feed(&db, &user(1), 0), "seen later, and still the same user");
    feed(&db, &user(1), 1);
    feed(&db, &user(2), 0);
    println!("{} feeds computed for 4 calls", feed::stats().computes);
    assert_eq!(feed::stats().computes, 3);

    assert_eq!(row_count(&db, "posts"), row_count(&Database { name: "copy" }, "posts"));
    // What is skipped is left out here too.
    assert_eq!(row_count::peek("posts"), Some(35));
}
