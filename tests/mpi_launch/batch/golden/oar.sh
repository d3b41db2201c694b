#!/bin/bash
#OAR -n regrid
#OAR -l /nodes=4/gpu=2/core=16,walltime=02:30:00
#OAR -q short
#OAR --project=climate
#OAR -O regrid.%jobid%.out
#OAR -E regrid.%jobid%.out
#OAR -t idempotent

# The program stops a minute before this time, and ends with 75: what is done stands.
export WEFT_INTERNAL_JOB_END=$(($(date +%s) + 9000))
module load openmpi

mpirun --hostfile "$OAR_NODEFILE" --mca plm_rsh_agent oarsh -n 8 --map-by ppr:2:node:pe=16 --bind-to core ./regrid 'in put.nc' --weft-ledger=summary 'it'\''s'
code=$?
if [ $code -eq 75 ]; then
  exit 99
fi
exit $code
