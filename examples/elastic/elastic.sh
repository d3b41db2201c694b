#!/bin/bash
# A job that others join while it runs: elastic.sh PROGRAM [WEFT], where WEFT is the `weft` command.
# Here all is on one host. Workers of other hosts join the same way, where they see the address file.
set -eu
program=$1
weft=${2:-weft}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
address=$folder/job.address   # rank 0 writes it with mode 0600, and removes it at the end

"$program" serve --weft-threads=1 "--weft-address-file=$address" &
job=$!
until [ -e "$address" ]; do sleep 0.05; done

"$weft" worker "$address" --threads 1 &   # two more workers
first=$!
"$weft" worker "$address" --threads 1 &
second=$!
sleep 0.5
kill -TERM "$first"                       # one leaves again: its results move to the others
wait "$first"

"$program" look "--weft-attach=$address"  # a second program, which shares what the first one has published
wait "$job" "$second"
