#!/bin/bash
#SBATCH --job-name=weft
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=1
#SBATCH --time=01:00:00

# The program stops a minute before this time, and ends with 75: what is done stands.
export WEFT_INTERNAL_JOB_END=$(($(date +%s) + 3600))

srun --kill-on-bad-exit=1 --cpu-bind=cores ./program
code=$?
exit $code
