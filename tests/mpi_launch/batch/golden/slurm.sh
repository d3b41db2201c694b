#!/bin/bash
#SBATCH --job-name=regrid
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=16
#SBATCH --gpus-per-node=2
#SBATCH --mem=120G
#SBATCH --partition=short
#SBATCH --account=climate
#SBATCH --time=02:30:00

# The program stops a minute before this time, and ends with 75: what is done stands.
export WEFT_INTERNAL_JOB_END=$(($(date +%s) + 9000))
module load openmpi

srun --kill-on-bad-exit=1 --cpu-bind=cores ./regrid 'in put.nc' --weft-ledger=summary 'it'\''s'
code=$?
if [ $code -eq 75 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit $code
