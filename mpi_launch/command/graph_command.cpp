#include "mpi_launch/command/graph_command.hpp"

#include <weft/picture.hpp>
#include <weft/plan.hpp>

#include "core/graph/graph_file.hpp"
#include "mpi_launch/command/say.hpp"
#include "mpi_launch/command/subcommands.hpp"

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

std::string json_of(const GraphFile& content) {
  std::string names;
  for (const GraphFile::Name& name : content.names) {
    names += (names.empty() ? "" : ",") +
             json_object({{"name", json_text(name.name)},
                          {"result", json_text(content.kinds[content.tasks[name.task].kind].result)}});
  }
  return json_object({{"tasks", std::to_string(content.tasks.size())},
                      {"program", json_text(content.program)},
                      {"weft", json_text(content.weft_version)},
                      {"names", "[" + names + "]"}});
}

void show(const Words& words, const Shared& shared) {
  const GraphFile content = read_graph_file(words.file);
  const Described described = Described::file(words.file);
  if (shared.json) {
    print(json_of(content) + "\n");
  } else if (!shared.quiet) {
    std::printf("%s: a graph of %zu tasks, saved by %s (digest %016llx, weft %s)\n", words.file.c_str(),
                content.tasks.size(), content.program.c_str(), static_cast<unsigned long long>(content.program_digest),
                content.weft_version.c_str());
    for (const GraphFile::Name& name : content.names) {
      const GraphFile::Kind& kind = content.kinds[content.tasks[name.task].kind];
      std::printf("  %-20s %s\n", name.name.c_str(), kind.result.c_str());
    }
    print(explain(described));
  }
  if (shared.dry_run) return;
  if (!words.svg.empty()) write_svg(words.svg, described, {.title = words.file});
  if (!words.dot.empty()) write_dot(words.dot, described, {.title = words.file});
}

}  // namespace

void add_graph(CLI::App& app) {
  auto* sub = app.add_subcommand("graph", "Show what the file of a saved graph holds, and draw it");
  auto words = std::make_shared<Words>();
  sub->add_option("FILE", words->file, "what graph.save(path) wrote")->required();
  sub->add_option("--svg", words->svg, "draw it into this file")->type_name("FILE");
  sub->add_option("--dot", words->dot, "write it for Graphviz into this file")->type_name("FILE");
  const auto shared = add_shared(*sub);
  sub->callback([words, shared] { show(*words, *shared); });
}

}  // namespace weft::command
