#!/bin/sh
# Instructions per u64 -> u64 hit, and per miss that inserts and evicts, counted by valgrind: the same on a busy machine as
# on a quiet one. Two runs of each contender that differ in the number of calls; the loop around them is taken off.
#
#   benches/callgrind.sh [hits | misses] [CONTENDER...]
#
# Without either of these, both; without contenders, memo where it is built in, quick_cache by hand, the forms of `cached`,
# the limit.
#
#   FEATURES="ours tracing" SUBSCRIBER=info benches/callgrind.sh hits memo
#
# With other features of the crate `memo-benches`; while a subscriber of `tracing` wants events of that level.
set -eu
cd "$(dirname "$0")/.."

features=${FEATURES-ours}
cargo build --quiet --package memo-benches --bin hit --profile bench --features "$features"
hit=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/hit

case "${1-}" in
hits | misses) kinds=$1 && shift ;;
*) kinds="hits misses" ;;
esac

few=40000
many=240000

instructions() { # CONTENDER N [MODE]
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$hit" "$@" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

per_call() { # CONTENDER [MODE]
    contender=$1 && shift
    echo "$(instructions "$contender" $many "$@") $(instructions "$contender" $few "$@") $((many - few))" |
        awk '{ if (NF < 3) exit 1; print ($1 - $2) / $3 }'
}

# The contenders come as arguments, since their names have spaces.
hits() {
    if [ $# -eq 0 ]; then
        set -- limit quick_cache "cached" "cached unsync_reads" "cached max_size" "cached concurrent"
        case " $features " in *" ours "*) set -- memo "$@" ;; esac
    fi
    table hit ${SUBSCRIBER:+"$SUBSCRIBER"} -- "$@"
}

misses() {
    if [ $# -eq 0 ]; then
        set -- limit quick_cache "quick_cache get_or_insert_with" "cached max_size" "cached concurrent max_size"
        case " $features " in *" ours "*) set -- memo "memo single_flight = false" "$@" ;; esac
    fi
    table miss miss -- "$@"
}

table() { # WHAT [MODE] -- CONTENDER...
    what=$1 && shift
    mode=
    if [ "$1" != -- ]; then
        mode=$1 && shift
    fi
    shift
    loop=$(per_call loop ${mode:+"$mode"})
    for name; do
        per_call "$name" ${mode:+"$mode"} | awk -v name="$name" -v loop="$loop" -v what="$what" \
            '{ printf "%-32s %7.1f instructions per %s\n", name, $1 - loop, what }'
    done
}

for kind in $kinds; do
    "$kind" "$@"
done
