#include "mpi_launch/batch/script.hpp"

#include <weft/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace weft::launch {

namespace {

std::string clock_text(std::uint64_t seconds) {
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

void check_one_line(const char* what, const std::string& text) {
  if (text.find_first_of("\n\r") != std::string::npos) {
    throw ConfigError(std::string("the ") + what + " of a batch job may not have a line break in it");
  }
}

void check(const BatchJob& job) {
  if (job.command.empty()) throw ConfigError("a batch job needs a program: weft submit ... -- ./program ARGUMENTS");
  if (job.nodes == 0 || job.ranks_per_node == 0 || job.cores_per_rank == 0) {
    throw ConfigError("a batch job needs at least one node, one rank a node and one core a rank");
  }
  if (job.walltime_s < 60) throw ConfigError("a batch job takes at least a minute (--time=1min)");
  check_one_line("name", job.name);
  check_one_line("queue", job.queue);
  check_one_line("account", job.account);
  check_one_line("memory", job.memory_per_node);
  if (job.name.empty() || job.name.find(' ') != std::string::npos)
    throw ConfigError("the name of a batch job is one word");
}

struct Script {
  std::string text = "#!/bin/bash\n";
  std::string_view mark;

  void option(const std::string& words) { text += fmt::format("{} {}\n", mark, words); }
  void option(const char* name, const std::string& value) {
    if (!value.empty()) option(name + value);
  }
};

void slurm_head(Script& script, const BatchJob& job) {
  script.mark = "#SBATCH";
  script.option("--job-name=" + job.name);
  script.option(fmt::format("--nodes={}", job.nodes));
  script.option(fmt::format("--ntasks-per-node={}", job.ranks_per_node));
  script.option(fmt::format("--cpus-per-task={}", job.cores_per_rank));
  if (job.gpus_per_node > 0) script.option(fmt::format("--gpus-per-node={}", job.gpus_per_node));
  script.option("--mem=", job.memory_per_node);
  script.option("--partition=", job.queue);
  script.option("--account=", job.account);
  script.option("--time=" + clock_text(job.walltime_s));
}

void pbs_head(Script& script, const BatchJob& job) {
  script.mark = "#PBS";
  script.option("-N " + job.name);
  std::string select = fmt::format("-l select={}:ncpus={}:mpiprocs={}", job.nodes,
                                   job.ranks_per_node * job.cores_per_rank, job.ranks_per_node);
  if (job.gpus_per_node > 0) select += fmt::format(":ngpus={}", job.gpus_per_node);
  if (!job.memory_per_node.empty()) select += ":mem=" + job.memory_per_node;
  script.option(select);
  script.option("-l walltime=" + clock_text(job.walltime_s));
  script.option("-q ", job.queue);
  script.option("-A ", job.account);
  script.option("-j oe");
}

void lsf_head(Script& script, const BatchJob& job) {
  script.mark = "#BSUB";
  script.option("-J " + job.name);
  script.option(fmt::format("-n {}", job.nodes * job.ranks_per_node));
  script.option(fmt::format("-R \"span[ptile={}] affinity[core({})]\"", job.ranks_per_node, job.cores_per_rank));
  if (job.gpus_per_node > 0) script.option(fmt::format("-gpu \"num={}\"", job.gpus_per_node));
  if (!job.memory_per_node.empty()) script.option("-R \"rusage[mem=" + job.memory_per_node + "]\"");
  const std::uint64_t minutes = (job.walltime_s + 59) / 60;
  script.option(fmt::format("-W {:02}:{:02}", minutes / 60, minutes % 60));
  script.option("-q ", job.queue);
  script.option("-P ", job.account);
  script.option("-o " + job.name + ".%J.out");
}

void sge_head(Script& script, const BatchJob& job) {
  script.mark = "#$";
  script.option("-N " + job.name);
  script.option("-cwd");
  script.option("-j y");
  script.option("-S /bin/bash");
  // Every site names its parallel environments itself; "mpi" is the most usual name.
  script.option(fmt::format("-pe mpi {}", job.nodes * job.ranks_per_node * job.cores_per_rank));
  if (job.gpus_per_node > 0) script.option(fmt::format("-l gpu={}", job.gpus_per_node));
  script.option("-l h_vmem=", job.memory_per_node);
  script.option("-l h_rt=" + clock_text(job.walltime_s));
  script.option("-q ", job.queue);
  script.option("-P ", job.account);
}

std::string launch_line(BatchSystem system, const BatchJob& job) {
  std::string program;
  for (const std::string& word : job.command) program += " " + shell_word(word);
  const std::uint32_t ranks = job.nodes * job.ranks_per_node;
  switch (system) {
    case BatchSystem::Slurm:
      // srun starts Open MPI and MPICH programs through PMIx; where the site's has none, weft's ranks meet by a file.
      return "srun --kill-on-bad-exit=1 --cpu-bind=cores" + program;
    case BatchSystem::Pbs:
    case BatchSystem::Lsf:
    case BatchSystem::Sge:
      return fmt::format("mpirun -n {} --map-by ppr:{}:node:pe={} --bind-to core{}", ranks, job.ranks_per_node,
                         job.cores_per_rank, program);
  }
  return "";
}

const char* resubmit_line(BatchSystem system) {
  switch (system) {
    case BatchSystem::Slurm:
      return "scontrol requeue \"$SLURM_JOB_ID\"";
    case BatchSystem::Pbs:
      return "qrerun \"$PBS_JOBID\"";
    case BatchSystem::Lsf:
      return "brequeue \"$LSB_JOBID\"";
    case BatchSystem::Sge:
      return "exit 99";  // Grid Engine runs a job again that ends so
  }
  return "";
}

}  // namespace

BatchSystem batch_system(const std::string& name) {
  if (name == "slurm") return BatchSystem::Slurm;
  if (name == "pbs" || name == "torque") return BatchSystem::Pbs;
  if (name == "lsf") return BatchSystem::Lsf;
  if (name == "sge" || name == "uge") return BatchSystem::Sge;
  throw ConfigError("there is no batch system '" + name + "'; known: slurm, pbs, lsf, sge");
}

std::string shell_word(const std::string& word) {
  const auto plain = [](char letter) {
    return std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%").find(letter) !=
           std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string quoted = "'";
  for (const char letter : word) {
    if (letter == '\'') {
      quoted += "'\\''";
    } else {
      quoted += letter;
    }
  }
  return quoted + "'";
}

std::string batch_script(BatchSystem system, const BatchJob& job) {
  check(job);
  Script script;
  switch (system) {
    case BatchSystem::Slurm:
      slurm_head(script, job);
      break;
    case BatchSystem::Pbs:
      pbs_head(script, job);
      break;
    case BatchSystem::Lsf:
      lsf_head(script, job);
      break;
    case BatchSystem::Sge:
      sge_head(script, job);
      break;
  }
  std::string& text = script.text;
  text += "\n# The program stops a minute before this time, and ends with 75: what is done stands.\n";
  text += fmt::format("export WEFT_INTERNAL_JOB_END=$(($(date +%s) + {}))\n", job.walltime_s);
  if (system == BatchSystem::Pbs) text += "cd \"$PBS_O_WORKDIR\"\n";
  for (const std::string& line : job.prologue) text += line + "\n";
  text += "\n" + launch_line(system, job) + "\ncode=$?\n";
  if (job.resume) text += fmt::format("if [ $code -eq 75 ]; then\n  {}\nfi\n", resubmit_line(system));
  text += "exit $code\n";
  return text;
}

std::vector<std::string> submit_command(BatchSystem system, const std::string& script) {
  switch (system) {
    case BatchSystem::Slurm:
      return {"sbatch", script};
    case BatchSystem::Pbs:
    case BatchSystem::Sge:
      return {"qsub", script};
    case BatchSystem::Lsf:
      return {"sh", "-c", "bsub < " + shell_word(script)};
  }
  return {};
}

}  // namespace weft::launch
