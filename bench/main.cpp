// weft_bench list | weft_bench CASE [--key value ...] [--json]

#include <malloc.h>

#include <weft/config.hpp>

#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/cases.hpp"

#if WEFT_BENCH_LAUNCHES
#include <weft/run.hpp>
#endif
#if WEFT_BENCH_ARRAYS
#include "bench/arrays/array_cases.hpp"
#endif

namespace weft::bench {
namespace {

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (auto* const list : {&shape_cases, &latency_cases, &metg_cases, &memory_cases, &machine_cases, &formula_cases,
                           &transfer_cases, &cluster_cases, &recover_cases}) {
    for (const Case& one : list()) all.push_back(one);
  }
#if WEFT_BENCH_ARRAYS
  for (auto* const list : {&array_flow_cases, &array_climate_cases, &array_algebra_cases, &array_floor_cases}) {
    for (const Case& one : list()) all.push_back(one);
  }
#endif
  return all;
}

void print_list() {
  for (const Case& one : all_cases()) {
    std::printf("%s: %s\n", one.name, one.summary);
    for (const Option& option : one.options)
      std::printf("    --%-14s %-12s %s\n", option.name, option.initial, option.meaning);
  }
}

void print_usage(std::FILE* file) {
  std::fputs("usage: weft_bench list | weft_bench CASE [--key value ...] [--json]\ncases:", file);
  for (const Case& one : all_cases()) std::fprintf(file, " %s", one.name);
  std::fputs("\n", file);
}

int run(std::vector<std::string> words) {
  if (words.empty()) {
    print_usage(stderr);
    return 2;
  }
  const std::string name = words.front();
  words.erase(words.begin());
  if (name == "--help" || name == "-h") {
    print_usage(stdout);
    return 0;
  }
  if (name == "list") {
    print_list();
    return 0;
  }
  const bool json = std::erase(words, "--json") > 0;
  for (const Case& one : all_cases()) {
    if (name != one.name) continue;
    one.run(one, Arguments(name, one.options, words), Output(json));
    return 0;
  }
  throw std::invalid_argument("no case is named '" + name + "'; `weft_bench list` shows all");
}

}  // namespace

void Output::print(const Line& line) const {
  std::printf("%s\n", (json_ ? line.to_json() : line.to_text()).c_str());
  std::fflush(stdout);
}

Options client_options(const Arguments& arguments) {
  Options options;
  options.scheduler = arguments.text("scheduler");
  options.threads = arguments.integer("threads");
  options.progress = "off";
  options.config = "none";
  return options;
}

void keep_freed_memory() {
  constexpr int kLargest = 32 << 20;  // the most that the C library takes for the second
  mallopt(M_TRIM_THRESHOLD, 0x7fff'ffff);
  mallopt(M_MMAP_THRESHOLD, kLargest);
}

void wrong_result(std::string_view what) {
  throw std::runtime_error("wrong result: " + std::string(what) + "; its time means nothing");
}

}  // namespace weft::bench

int main(int argc, char** argv) {
  try {
    return weft::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft_bench: %s\n", error.what());
    return 1;
  }
}
