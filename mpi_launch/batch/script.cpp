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

/// HTCondor reads no options out of a script: this one hands in a description of itself, and is what the job runs.
void htcondor_head(Script& script, const BatchJob& job) {
  if (!job.queue.empty()) throw ConfigError("HTCondor has no queues: leave --queue out (--account is a group there)");
  std::string& text = script.text;
  const auto set = [&text](const char* name, const std::string& value) {
    if (!value.empty()) text += fmt::format("{} = {}\n", name, value);
  };
  text += "# Hands itself in, by: bash FILE\nif [ $# -eq 0 ]; then\n";
  text += "  SCRIPT=$(realpath \"$0\") condor_submit -terse - <<'END'\n";
  // One machine is had from any pool; several at once only where the pool has a dedicated scheduler.
  set("universe", job.nodes > 1 ? "parallel" : "vanilla");
  if (job.nodes > 1) set("machine_count", std::to_string(job.nodes));
  set("batch_name", job.name);
  set("executable", "/bin/bash");
  set("transfer_executable", "false");
  set("should_transfer_files", "NO");
  set("arguments", fmt::format("\"'$ENV(SCRIPT)' $(Cluster) {}\"", job.nodes > 1 ? "$(Node)" : "0"));
  set("request_cpus", std::to_string(job.ranks_per_node * job.cores_per_rank));
  if (job.gpus_per_node > 0) set("request_gpus", std::to_string(job.gpus_per_node));
  set("request_memory", job.memory_per_node);
  set("accounting_group", job.account);
  set("output", job.name + (job.nodes > 1 ? ".$(Cluster).$(Node).out" : ".$(Cluster).out"));
  set("error", job.name + (job.nodes > 1 ? ".$(Cluster).$(Node).err" : ".$(Cluster).err"));
  set("log", job.name + ".$(Cluster).log");
  set("periodic_remove", fmt::format("JobStatus == 2 && time() - JobCurrentStartDate > {}", job.walltime_s));
  if (job.resume) set("on_exit_remove", "ExitBySignal || ExitCode != 75");
  text += "queue\nEND\n  exit\nfi\n";
}

void oar_head(Script& script, const BatchJob& job) {
  if (!job.memory_per_node.empty())
    throw ConfigError("OAR gives out memory with the cores: leave --memory out, and ask for more --cores");
  script.mark = "#OAR";
  script.option("-n " + job.name);
  const std::uint32_t cores = job.ranks_per_node * job.cores_per_rank;
  const std::uint32_t gpus = job.gpus_per_node;
  // Where there are GPUs, they stand above the cores in the tree of resources.
  const std::string node =
      gpus > 0 ? fmt::format("gpu={}/core={}", gpus, (cores + gpus - 1) / gpus) : fmt::format("core={}", cores);
  script.option(fmt::format("-l /nodes={}/{},walltime={}", job.nodes, node, clock_text(job.walltime_s)));
  script.option("-q ", job.queue);
  script.option("--project=", job.account);
  script.option("-O " + job.name + ".%jobid%.out");
  script.option("-E " + job.name + ".%jobid%.out");
  if (job.resume) script.option("-t idempotent");
}

/// HTCondor starts one script on each machine, and nothing connects them: the ranks meet by a file.
std::string htcondor_lines(const BatchJob& job, const std::string& program) {
  return fmt::format(
      "# $1 is the number of the job, $2 of this machine. All machines must see this folder: the ranks meet in it.\n"
      "export WEFT_RANKS={} WEFT_THREADS={} WEFT_ADDRESS_FILE=$PWD/.weft-$1.address\n"
      "program() {{\n  WEFT_RANK=$1{}\n}}\n"
      "first=$(($2 * {}))\n"
      "for ((rank = first + 1; rank < first + {}; ++rank)); do program $rank & done\n"
      "program $first\ncode=$?\nwait\n",
      job.nodes * job.ranks_per_node, job.cores_per_rank, program, job.ranks_per_node, job.ranks_per_node);
}

/// Returns the lines that run the program and leave its exit code in `code`.
std::string launch_lines(BatchSystem system, const BatchJob& job) {
  std::string program;
  for (const std::string& word : job.command) program += " " + shell_word(word);
  if (job.plain) return program.substr(1) + "\ncode=$?\n";
  const std::uint32_t ranks = job.nodes * job.ranks_per_node;
  switch (system) {
    case BatchSystem::Slurm:
      // srun starts Open MPI and MPICH programs through PMIx; where the site's has none, weft's ranks meet by a file.
      return "srun --kill-on-bad-exit=1 --cpu-bind=cores" + program + "\ncode=$?\n";
    case BatchSystem::HtCondor:
      return htcondor_lines(job, program);
    case BatchSystem::Pbs:
    case BatchSystem::Lsf:
    case BatchSystem::Sge:
    case BatchSystem::Oar:
      // Open MPI finds the nodes of the other systems by itself, and a way to them.
      return fmt::format("mpirun{} -n {} --map-by ppr:{}:node:pe={} --bind-to core{}\ncode=$?\n",
                         system == BatchSystem::Oar ? " --hostfile \"$OAR_NODEFILE\" --mca plm_rsh_agent oarsh" : "",
                         ranks, job.ranks_per_node, job.cores_per_rank, program);
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
    case BatchSystem::Oar:
      return "exit 99";  // Grid Engine runs a job again that ends so, and OAR one that is idempotent
    case BatchSystem::HtCondor:
      break;  // on_exit_remove
  }
  return "";
}

}  // namespace

BatchSystem batch_system(const std::string& name) {
  if (name == "slurm") return BatchSystem::Slurm;
  if (name == "pbs" || name == "torque") return BatchSystem::Pbs;
  if (name == "lsf") return BatchSystem::Lsf;
  if (name == "sge" || name == "uge") return BatchSystem::Sge;
  if (name == "htcondor" || name == "condor") return BatchSystem::HtCondor;
  if (name == "oar") return BatchSystem::Oar;
  throw ConfigError("there is no batch system '" + name + "'; known: slurm, pbs, lsf, sge, htcondor, oar");
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
    case BatchSystem::HtCondor:
      htcondor_head(script, job);
      break;
    case BatchSystem::Oar:
      oar_head(script, job);
      break;
  }
  std::string& text = script.text;
  text += "\n# The program stops a minute before this time, and ends with 75: what is done stands.\n";
  text += fmt::format("export WEFT_INTERNAL_JOB_END=$(($(date +%s) + {}))\n", job.walltime_s);
  if (system == BatchSystem::Pbs) text += "cd \"$PBS_O_WORKDIR\"\n";
  for (const std::string& line : job.prologue) text += line + "\n";
  text += "\n" + launch_lines(system, job);
  const std::string_view again = resubmit_line(system);
  if (job.resume && !again.empty()) text += fmt::format("if [ $code -eq 75 ]; then\n  {}\nfi\n", again);
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
    case BatchSystem::HtCondor:
      return {"bash", script};
    case BatchSystem::Oar:
      return {"oarsub", "-S", script.find('/') == std::string::npos ? "./" + script : script};
  }
  return {};
}

}  // namespace weft::launch
