#!/bin/sh
# Instructions per u64 -> u64 hit, counted by valgrind: the same on a busy machine as on a quiet one.
# Two runs of each contender that differ in the number of hits; the loop around them is taken off.
#
#   benches/callgrind.sh [CONTENDER...]
#
# Without arguments: memo where it is built in, quick_cache by hand, the forms of `cached`, the limit.
#
#   FEATURES="ours tracing" SUBSCRIBER=info benches/callgrind.sh memo
#
# With other features of the crate `memo-benches`; while a subscriber of `tracing` wants events of that level.
set -eu
cd "$(dirname "$0")/.."

features=${FEATURES-ours}
cargo build --quiet --package memo-benches --bin hit --profile bench --features "$features"
hit=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/hit

if [ $# -eq 0 ]; then
    set -- limit quick_cache "cached" "cached unsync_reads" "cached max_size" "cached concurrent"
    case " $features " in *" ours "*) set -- memo "$@" ;; esac
fi

few=40000
many=240000

instructions() { # CONTENDER N
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$hit" "$1" "$2" ${SUBSCRIBER:+"$SUBSCRIBER"} 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

per_hit() { # CONTENDER
    echo "$(instructions "$1" $many) $(instructions "$1" $few) $((many - few))" |
        awk '{ if (NF < 3) exit 1; print ($1 - $2) / $3 }'
}

loop=$(per_hit loop)
for contender; do
    per_hit "$contender" | awk -v name="$contender" -v loop="$loop" \
        '{ printf "%-24s %7.1f instructions per hit\n", name, $1 - loop }'
done
