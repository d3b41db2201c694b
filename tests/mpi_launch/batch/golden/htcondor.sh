#!/bin/bash
# Hands itself in, by: bash FILE
if [ $# -eq 0 ]; then
  SCRIPT=$(realpath "$0") condor_submit -terse - <<'END'
universe = parallel
machine_count = 4
batch_name = regrid
executable = /bin/bash
transfer_executable = false
should_transfer_files = NO
arguments = "'$ENV(SCRIPT)' $(Cluster) $(Node)"
request_cpus = 32
request_gpus = 2
request_memory = 120G
accounting_group = climate
output = regrid.$(Cluster).$(Node).out
error = regrid.$(Cluster).$(Node).err
log = regrid.$(Cluster).log
periodic_remove = JobStatus == 2 && time() - JobCurrentStartDate > 9000
on_exit_remove = ExitBySignal || ExitCode != 75
queue
END
  exit
fi

# The program stops a minute before this time, and ends with 75: what is done stands.
export WEFT_INTERNAL_JOB_END=$(($(date +%s) + 9000))
module load openmpi

# $1 is the number of the job, $2 of this machine. All machines must see this folder: the ranks meet in it.
export WEFT_RANKS=8 WEFT_THREADS=16 WEFT_ADDRESS_FILE=$PWD/.weft-$1.address
program() {
  WEFT_RANK=$1 ./regrid 'in put.nc' --weft-ledger=summary 'it'\''s'
}
first=$(($2 * 2))
for ((rank = first + 1; rank < first + 2; ++rank)); do program $rank & done
program $first
code=$?
wait
exit $code
