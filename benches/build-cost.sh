#!/bin/sh
# What a hello-world pays for `memo` and for `cached`, default features each: crates, and seconds
# of a clean debug build. The two are built in turns, three times; ratios are of the medians.
#
#   benches/build-cost.sh [ROUNDS]
set -eu
memo=$(cd "$(dirname "$0")/../memo" && pwd)
rounds=${1:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

hello() { # NAME DEPENDENCY IMPORT ATTRIBUTE
    mkdir -p "$work/$1/src"
    cat > "$work/$1/Cargo.toml" <<TOML
[package]
name = "hello-$1"
edition = "2024"

[dependencies]
$2

[workspace]
TOML
    cat > "$work/$1/src/main.rs" <<RUST
use $3;

#[$4]
fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

fn main() {
    println!("{}", fib(30));
}
RUST
    (cd "$work/$1" && cargo fetch --quiet)
}

crates() { # NAME
    (cd "$work/$1" && cargo tree --offline --prefix none --edges normal,build --format '{p}' |
        sed 's/ (\*)$//' | sort -u | grep -cv '^hello-')
}

build() { # NAME; appends the seconds to NAME.seconds
    rm -rf "$work/target"
    start=$(date +%s%N)
    (cd "$work/$1" && CARGO_TARGET_DIR="$work/target" cargo build --quiet --offline)
    end=$(date +%s%N)
    echo "$start $end" | awk '{ print ($2 - $1) / 1e9 }' >> "$work/$1.seconds"
    test "$("$work/target/debug/hello-$1")" = 832040
}

seconds() { # NAME
    sort -n "$work/$1.seconds" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

hello memo "memo = { path = \"$memo\" }" memo::memoize memoize
hello cached 'cached = "4.1"' cached::macros::cached cached

round=0
while [ "$round" -lt "$rounds" ]; do
    build memo
    build cached
    round=$((round + 1))
done

line() { # WHAT MEMO CACHED
    echo "$2 $3" | awk -v what="$1" '{
        printf "%-24s memo %6.2f   cached %6.2f   ratio %.2f   goal ≤ 1: %s\n",
            what, $1, $2, $1 / $2, ($1 <= $2) ? "met" : "MISSED"
    }'
}
line "crates" "$(crates memo)" "$(crates cached)"
line "seconds, clean and debug" "$(seconds memo)" "$(seconds cached)"
