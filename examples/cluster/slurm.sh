#!/bin/bash
#SBATCH --job-name=weft
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=8
#SBATCH --time=02:00:00

# The program stops a minute before this time, and ends with 75: what is done stands.
export WEFT_INTERNAL_JOB_END=$(($(date +%s) + 7200))

srun --kill-on-bad-exit=1 --cpu-bind=cores ./program
code=$?
if [ $code -eq 75 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit $code
