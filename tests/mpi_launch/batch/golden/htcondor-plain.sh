#!/bin/bash
# Hands itself in, by: bash FILE
if [ $# -eq 0 ]; then
  SCRIPT=$(realpath "$0") condor_submit -terse - <<'END'
universe = vanilla
batch_name = weft
executable = /bin/bash
transfer_executable = false
should_transfer_files = NO
arguments = "'$ENV(SCRIPT)' $(Cluster) 0"
request_cpus = 1
output = weft.$(Cluster).out
error = weft.$(Cluster).err
log = weft.$(Cluster).log
periodic_remove = JobStatus == 2 && time() - JobCurrentStartDate > 3600
queue
END
  exit
fi

# The program stops a minute before this time, and ends with 75: what is done stands.
export WEFT_INTERNAL_JOB_END=$(($(date +%s) + 3600))

# $1 is the number of the job, $2 of this machine. All machines must see this folder: the ranks meet in it.
export WEFT_RANKS=1 WEFT_THREADS=1 WEFT_ADDRESS_FILE=$PWD/.weft-$1.address
program() {
  WEFT_RANK=$1 ./program
}
first=$(($2 * 1))
for ((rank = first + 1; rank < first + 1; ++rank)); do program $rank & done
program $first
code=$?
wait
exit $code
