#!/bin/bash
# Runs a program on several hosts that share this folder: HOSTS="a b c" ./ssh.sh ./program ARGUMENTS
# Rank 0, with the scheduler and the client, is on the first host.
set -eu
hosts=($HOSTS)
address=$PWD/.weft-$$.address   # written by rank 0 with mode 0600, removed at the end
words=$(printf ' %q' "$@" "--weft-address-file=$address")
for rank in "${!hosts[@]}"; do
  ssh "${hosts[$rank]}" "cd $(printf %q "$PWD") && WEFT_RANK=$rank WEFT_RANKS=${#hosts[@]}$words" &
  [ "$rank" -ne 0 ] || first=$!
done
wait "$first"
