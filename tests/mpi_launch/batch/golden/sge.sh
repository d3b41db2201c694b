#!/bin/bash
#$ -N regrid
#$ -cwd
#$ -j y
#$ -S /bin/bash
#$ -pe mpi 128
#$ -l gpu=2
#$ -l h_vmem=120G
#$ -l h_rt=02:30:00
#$ -q short
#$ -P climate

# The program stops a minute before this time, and ends with 75: what is done stands.
export WEFT_INTERNAL_JOB_END=$(($(date +%s) + 9000))
module load openmpi

mpirun -n 8 --map-by ppr:2:node:pe=16 --bind-to core ./regrid 'in put.nc' --weft-ledger=summary 'it'\''s'
code=$?
if [ $code -eq 75 ]; then
  exit 99
fi
exit $code
