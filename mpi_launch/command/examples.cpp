#include "mpi_launch/command/examples.hpp"

namespace weft::command {
namespace {

struct Example {
  const char* subcommand;
  const char* line;
  const char* says;
};

constexpr Example kExamples[] = {
    {"config", "weft config", "every option, its value, and where that came from"},
    {"config", "weft config --weft-threads=4", "the same for a program that is started so"},
    {"config", "weft config --markdown", "the reference page of all options"},
    {"demo", "weft demo", "on the cores of this machine"},
    {"demo", "weft demo --limit 1000000 --weft-threads=2", "a small one, on two slots"},
    {"demo", "mpirun -n 3 --oversubscribe weft demo", "on three ranks"},
    {"doctor", "weft doctor", "what weft finds on this host"},
    {"doctor", "weft doctor | grep cores", "one line of it"},
    {"doctor", "mpirun -n 2 --oversubscribe weft doctor", "what each rank finds where it runs"},
    {"submit", "weft submit --scheduler slurm -- ./program", "print the script"},
    {"submit", "weft submit --scheduler pbs --nodes 4 --cores 16 --time 2h --resume -- ./program input.h5",
     "one that hands itself in again when its time is over"},
    {"submit", "weft submit --scheduler slurm --file job.sh -- weft reduce mean --dim time data mean.nc", "write it"},
    {"replay", "weft demo --limit 1000000 --weft-record=run.rec", "a run that is recorded"},
    {"replay", "weft replay run.rec", "its decisions are made again and compared"},
    {"replay", "weft replay run.rec && echo same", "exit 0: they are the same"},
    {"graph", "weft graph work.graph", "what a saved graph holds"},
    {"graph", "weft graph work.graph --svg work.svg", "a picture of it"},
    {"graph", "weft graph work.graph --dot work.dot", "for Graphviz"},
    {"scheduler", "weft scheduler -- ./program", "workers and clients find it by the file weft.address"},
    {"scheduler", "weft scheduler --address-file job.address -- ./program", "by another file"},
    {"scheduler", "weft scheduler -- ./program --weft-log-level=info", "say who comes and goes"},
    {"worker", "weft worker weft.address", "all cores of this host for a job that runs"},
    {"worker", "weft worker job.address --threads 8 --memory 16GiB", "a part of it"},
    {"worker", "weft worker job.address --wait 600", "wait ten minutes for the job"},
    {"journal", "weft journal run.journal", "how many results, in which files, of which program"},
    {"journal", "weft journal run.journal --clean", "begin anew"},
    {"journal", "weft journal run.journal --clean --unused 7d", "keep what was written in the last week"},
    {"dump", "weft dump job.address", "what each worker runs, and what waits for what"},
    {"dump", "weft dump job.address > state.txt", "to keep it beside a report of a fault"},
    {"dump", "weft dump job.address | grep 'waits for a worker'", "what could run now"},
};

}  // namespace

std::vector<PageExample> examples_of(const std::string& subcommand) {
  std::vector<PageExample> out;
  for (const Example& one : kExamples) {
    if (subcommand == one.subcommand) out.push_back({one.line, one.says});
  }
  return out;
}

}  // namespace weft::command
