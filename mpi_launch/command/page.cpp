#include "mpi_launch/command/page.hpp"

#include <weft/error.hpp>

namespace weft::command {
namespace {

constexpr const char* kExits = "0 done, 1 failed or different, 2 wrong command line, 75 run it again.";

std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '-' ? std::string("\\-") : c == '\\' ? std::string("\\e") : std::string(1, c);
  // A line of roff that begins so would be a request.
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("\\'") : std::string(1, c);
  return out + "'";
}

std::string fish_completions(const std::vector<Page>& pages) {
  std::string out;
  for (const Page& page : pages) {
    out += "complete -c weft -n __fish_use_subcommand -a " + page.name + " -d " + quoted(page.summary) + "\n";
    for (const PageOption& option : page.options) {
      out += "complete -c weft -n '__fish_seen_subcommand_from " + page.name + "' -l " + option.name +
             (option.value.empty() ? "" : " -r") + " -d " + quoted(option.help) + "\n";
    }
  }
  return out;
}

}  // namespace

std::string signature(const PageOption& option) {
  return "--" + option.name + (option.value.empty() ? "" : " " + option.value);
}

std::string help_text(const Page& page) {
  std::string out;
  for (const PageExample& one : page.examples) {
    const std::string line = "  " + one.command;
    out += line + std::string(line.size() < 58 ? 58 - line.size() : 1, ' ') + "# " + one.says + "\n";
  }
  out += "\n" + page.summary + ".\n\nusage: weft " + page.name + " [options]" +
         (page.words.empty() ? "" : " " + page.words) + "\n\n";
  for (const PageOption& option : page.options) {
    std::string line = "  " + signature(option);
    line += line.size() < 26 ? std::string(26 - line.size(), ' ') : "\n" + std::string(26, ' ');
    out += line + option.help + "\n";
  }
  return out + (page.footer.empty() ? "" : "\n" + page.footer + "\n");
}

std::string manual_text(const Page& page) {
  std::string out = ".TH WEFT-" + page.name + " 1\n.SH NAME\nweft-" + page.name + " \\- " + roff(page.summary) +
                    "\n.SH SYNOPSIS\n.B weft " + page.name + "\n[options] " + roff(page.words) + "\n.SH EXAMPLES\n";
  for (const PageExample& one : page.examples) out += ".TP\n.B " + roff(one.command) + "\n" + roff(one.says) + "\n";
  out += ".SH OPTIONS\n";
  for (const PageOption& one : page.options) out += ".TP\n.B " + roff(signature(one)) + "\n" + roff(one.help) + "\n";
  return out + ".SH EXIT STATUS\n" + kExits + "\n";
}

std::string completions_text(const std::string& shell, const std::vector<Page>& pages) {
  if (shell == "fish") return fish_completions(pages);
  if (shell != "bash" && shell != "zsh") {
    throw ConfigError("weft completions: '" + shell + "' is no known shell; there are bash, zsh and fish");
  }
  std::string out, names = "help completions";
  if (shell == "zsh") out += "autoload -U +X bashcompinit && bashcompinit\n";
  out += "_weft() {\n  local words\n  case \"${COMP_WORDS[1]}\" in\n";
  for (const Page& page : pages) {
    names += " " + page.name;
    out += "    " + page.name + ") words='";
    for (const PageOption& option : page.options) out += "--" + option.name + " ";
    out += "' ;;\n";
  }
  return out + "    *) words='" + names +
         "' ;;\n  esac\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ] || [[ \"${COMP_WORDS[COMP_CWORD]}\" == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n  else\n"
         "    COMPREPLY=($(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\"))\n  fi\n}\ncomplete -o filenames -F _weft "
         "weft\n";
}

}  // namespace weft::command
