#!/bin/bash
#PBS -N regrid
#PBS -l select=4:ncpus=32:mpiprocs=2:ngpus=2:mem=120G
#PBS -l walltime=02:30:00
#PBS -q short
#PBS -A climate
#PBS -j oe

# The program stops a minute before this time, and ends with 75: what is done stands.
export WEFT_INTERNAL_JOB_END=$(($(date +%s) + 9000))
cd "$PBS_O_WORKDIR"
module load openmpi

mpirun -n 8 --map-by ppr:2:node:pe=16 --bind-to core ./regrid 'in put.nc' --weft-ledger=summary 'it'\''s'
code=$?
if [ $code -eq 75 ]; then
  qrerun "$PBS_JOBID"
fi
exit $code
