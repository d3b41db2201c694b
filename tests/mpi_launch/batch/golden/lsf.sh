#!/bin/bash
#BSUB -J regrid
#BSUB -n 8
#BSUB -R "span[ptile=2] affinity[core(16)]"
#BSUB -gpu "num=2"
#BSUB -R "rusage[mem=120G]"
#BSUB -W 02:30
#BSUB -q short
#BSUB -P climate
#BSUB -o regrid.%J.out

# The program stops a minute before this time, and ends with 75: what is done stands.
export WEFT_INTERNAL_JOB_END=$(($(date +%s) + 9000))
module load openmpi

mpirun -n 8 --map-by ppr:2:node:pe=16 --bind-to core ./regrid 'in put.nc' --weft-ledger=summary 'it'\''s'
code=$?
if [ $code -eq 75 ]; then
  brequeue "$LSB_JOBID"
fi
exit $code
