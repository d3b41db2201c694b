#include "mpi_launch/command/graph_command.hpp"

#include <weft/picture.hpp>
#include <weft/plan.hpp>

#include "core/graph/graph_file.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace weft::command {

namespace {

struct Words {
  std::string file;
  std::string svg;
  std::string dot;
};

void show(const Words& words) {
  const GraphFile content = read_graph_file(words.file);
  const Described described = Described::file(words.file);
  std::printf("%s: a graph of %zu tasks, saved by %s (digest %016llx, weft %s)\n", words.file.c_str(),
              content.tasks.size(), content.program.c_str(), static_cast<unsigned long long>(content.program_digest),
              content.weft_version.c_str());
  for (const GraphFile::Name& name : content.names) {
    const GraphFile::Kind& kind = content.kinds[content.tasks[name.task].kind];
    std::printf("  %-20s %s\n", name.name.c_str(), kind.result.c_str());
  }
  std::fputs(explain(described).c_str(), stdout);
  if (!words.svg.empty()) write_svg(words.svg, described, {.title = words.file});
  if (!words.dot.empty()) write_dot(words.dot, described, {.title = words.file});
}

}  // namespace

void add_graph(CLI::App& app) {
  auto* sub = app.add_subcommand("graph", "Show what the file of a saved graph holds, and draw it");
  auto words = std::make_shared<Words>();
  sub->add_option("FILE", words->file, "What graph.save(path) wrote")->required();
  sub->add_option("--svg", words->svg, "Draw it into this file");
  sub->add_option("--dot", words->dot, "Write it for Graphviz into this file");
  sub->callback([words] { show(*words); });
}

}  // namespace weft::command
