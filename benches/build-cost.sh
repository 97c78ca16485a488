#!/bin/sh
# What `memo` costs beside `cached`, default features each:
#
#   hello   a hello-world: crates, and seconds of a clean debug build
#   many    300 memoized functions from u64 to u64, the crate alone: processor seconds of a check, of a debug build, of a debug
#           build after an edit of one body, and of a release build; sizes of the stripped binaries. Also without any attribute
#   pair    lines of LLVM IR, before optimization, that a pair of key and result types makes in the crate of the user
#   depth   what a recursion takes of the stack, debug and release
#
#   benches/build-cost.sh [hello | many | pair | depth] [ROUNDS]
#
# Without one of these, all. Builds are made in turns, three rounds unless told otherwise; what is printed are medians.
set -eu
memo=$(cd "$(dirname "$0")/../memo" && pwd)
case "${1-}" in
hello | many | pair | depth) parts=$1 && shift ;;
*) parts="hello many pair depth" ;;
esac
rounds=${1:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

functions=300

dependency() { # CONTENDER
    case $1 in
    memo) echo "memo = { path = \"$memo\" }" ;;
    cached) echo 'cached = "4.1"' ;;
    esac
}

attribute() { # CONTENDER
    case $1 in
    memo) echo '#[memo::memoize]' ;;
    cached) echo '#[cached::macros::cached]' ;;
    esac
}

package() { # NAME CONTENDER; the program is read from the standard input
    mkdir -p "$work/$1/src"
    cat > "$work/$1/Cargo.toml" <<TOML
[package]
name = "$1"
edition = "2024"

[dependencies]
$(dependency "$2")

[workspace]
TOML
    cat > "$work/$1/src/main.rs"
    (cd "$work/$1" && cargo fetch --quiet)
}

note() { # FILE FIGURE
    echo "$2" >> "$work/$1.figures"
}

median() { # FILE
    sort -n "$work/$1.figures" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

line() { # WHAT MEMO CACHED NONE
    echo "$2 $3 ${4:--}" | awk -v what="$1" '{
        ratio = $1 / $2
        verdict = (ratio <= 1) ? "met" : sprintf("MISSED by %.2f", ratio - 1)
        none = ($3 == "-") ? "" : sprintf("none %6.2f", $3)
        printf "%-46s %11s   memo %6.2f   cached %6.2f   ratio %5.2f   goal ≤ 1: %s\n", what, none, $1, $2, ratio, verdict
    }'
}

# --- a hello-world -------------------------------------------------------------------------------------------------------

hello_program() { # CONTENDER
    cat <<RUST
$(attribute "$1")
fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

fn main() {
    println!("{}", fib(30));
}
RUST
}

crates() { # CONTENDER
    (cd "$work/hello-$1" && cargo tree --offline --prefix none --edges normal,build --format '{p}' |
        sed 's/ (\*)$//' | sort -u | grep -cv '^hello-')
}

clean_build() { # CONTENDER
    rm -rf "$work/target"
    start=$(date +%s%N)
    (cd "$work/hello-$1" && CARGO_TARGET_DIR="$work/target" cargo build --quiet --offline)
    end=$(date +%s%N)
    note "hello-$1" "$(echo "$start $end" | awk '{ print ($2 - $1) / 1e9 }')"
    test "$("$work/target/debug/hello-$1")" = 832040
}

hello() {
    for contender in memo cached; do
        hello_program $contender | package hello-$contender $contender
    done
    for _ in $(seq "$rounds"); do
        clean_build memo
        clean_build cached
    done
    rm -rf "$work/target"
    echo "a hello-world"
    line "crates" "$(crates memo)" "$(crates cached)"
    line "clean debug build, s" "$(median hello-memo)" "$(median hello-cached)"
}

# --- many functions ------------------------------------------------------------------------------------------------------

many_program() { # CONTENDER
    for i in $(seq $functions); do
        attribute "$1"
        echo "fn f_$i(n: u64) -> u64 { n.wrapping_mul($i) ^ (n >> 3) }"
    done
    echo 'fn main() {'
    echo '    let n = std::env::args().count() as u64;'
    echo '    let mut sum = 0u64;'
    for i in $(seq $functions); do
        echo "    sum = sum.wrapping_add(f_$i(n));"
    done
    echo '    println!("{sum}");'
    echo '}'
}

# Processor seconds of cargo and all that it starts.
processor() { # COMMAND...
    ("$@" > "$work/said" 2>&1 || { cat "$work/said" >&2 && exit 1; }
    times) | awk '
        function seconds(text) { split(text, part, /[ms]/); return part[1] * 60 + part[2] }
        NR == 2 { print seconds($1) + seconds($2) }'
}

# Debug builds are incremental, release builds are not, as cargo has it unless told otherwise.
in_many() { # CONTENDER COMMAND...
    (
        cd "$work/many-$1"
        unset CARGO_INCREMENTAL
        export CARGO_TARGET_DIR="$work/target-$1"
        shift
        "$@"
    )
}

# Has cargo build the crate from nothing, and nothing else.
forget() { # CONTENDER
    touch "$work/many-$1/src/main.rs"
    rm -rf "$work/target-$1/debug/incremental"
}

measure_many() { # CONTENDER ROUND
    forget "$1"
    note "check-$1" "$(in_many "$1" processor cargo check --quiet --offline)"
    forget "$1"
    note "debug-$1" "$(in_many "$1" processor cargo build --quiet --offline)"
    sed -i "s/^fn f_17(.*/fn f_17(n: u64) -> u64 { n.wrapping_mul(17$2) ^ (n >> 5) }/" "$work/many-$1/src/main.rs"
    note "edited-$1" "$(in_many "$1" processor cargo build --quiet --offline)"
    touch "$work/many-$1/src/main.rs"
    note "release-$1" "$(in_many "$1" processor cargo build --release --quiet --offline)"
}

megabytes() { # CONTENDER PROFILE
    strip -o "$work/stripped" "$work/target-$1/$2/many-$1"
    wc -c < "$work/stripped" | awk '{ print $1 / 1e6 }'
}

many() {
    for contender in none memo cached; do
        many_program $contender | package many-$contender $contender
        in_many $contender cargo check --quiet --offline
        in_many $contender cargo build --quiet --offline
        in_many $contender cargo build --release --quiet --offline
    done
    for round in $(seq "$rounds"); do
        for contender in memo cached none; do
            measure_many $contender "$round"
        done
    done
    echo
    echo "$functions functions, the crate alone"
    for what in check debug edited release; do
        case $what in
        edited) name="debug after an edit of one body" ;;
        *) name=$what ;;
        esac
        line "$name, processor s" "$(median $what-memo)" "$(median $what-cached)" "$(median $what-none)"
    done
    for profile in debug release; do
        line "stripped $profile binary, MB" "$(megabytes memo $profile)" "$(megabytes cached $profile)" \
            "$(megabytes none $profile)"
    done
}

# --- a pair of types -----------------------------------------------------------------------------------------------------

pair_program() { # HOW MANY PAIRS
    attribute memo
    echo 'fn f(n: u64) -> u64 { n + 1 }'
    if [ "$1" = 2 ]; then
        attribute memo
        echo 'fn g(n: u32) -> String { n.to_string() }'
        echo 'fn main() { println!("{} {}", f(1), g(1)); }'
    else
        echo 'fn main() { println!("{}", f(1)); }'
    fi
}

# Lines of functions: of all, and of those of the near stores.
ir_lines() { # PACKAGE
    (
        cd "$work/$1"
        export CARGO_TARGET_DIR="$work/target-pair"
        cargo rustc --quiet --offline --release -- --emit=llvm-ir -C no-prepopulate-passes -C codegen-units=1
    )
    awk '/^define / { inside = 1; near = /memo4near|memo\.\.near/ }
        inside { all += 1; if (near) stores += 1 }
        /^}/ { inside = 0 }
        END { print all, stores }' "$work"/target-pair/release/deps/"$(echo "$1" | tr - _)"-*.ll
}

pair() {
    for pairs in 1 2; do
        pair_program $pairs | package pair-$pairs memo
    done
    echo
    echo "lines of LLVM IR, before optimization"
    echo "$(ir_lines pair-1) $(ir_lines pair-2)" | awk '{
        printf "%-46s memo %7d   near stores %6d\n", "a crate with one function", $1, $2
        verdict = ($4 - $2 <= 5000) ? "met" : sprintf("MISSED by %d", $4 - $2 - 5000)
        printf "%-46s memo %7d   near stores %6d   goal ≤ 5000: %s\n", "one more function, of other types", $3 - $1, $4 - $2, verdict
    }'
}

# --- depth ---------------------------------------------------------------------------------------------------------------

depth() {
    cd "$(dirname "$memo")"
    echo
    cargo run --quiet --package memo-benches --bin depth
    echo
    cargo run --quiet --release --package memo-benches --bin depth
}

for part in $parts; do
    $part
done
