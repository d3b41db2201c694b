#!/bin/bash
#PBS -N weft
#PBS -l select=2:ncpus=16:mpiprocs=2
#PBS -l walltime=02:00:00
#PBS -j oe

# The program stops a minute before this time, and ends with 75: what is done stands.
export WEFT_INTERNAL_JOB_END=$(($(date +%s) + 7200))
cd "$PBS_O_WORKDIR"

mpirun -n 4 --map-by ppr:2:node:pe=8 --bind-to core ./program
code=$?
if [ $code -eq 75 ]; then
  qrerun "$PBS_JOBID"
fi
exit $code
