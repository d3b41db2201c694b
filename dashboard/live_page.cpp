#include "dashboard/live_page.hpp"

#include "core/client/live_page.hpp"
#include "core/diagnostics/terminal.hpp"
#include "dashboard/page.hpp"
#include "dashboard/request.hpp"
#include "dashboard/server.hpp"
#include "dashboard/state.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <fmt/format.h>

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace weft::dashboard {
namespace {

/// Other users of the host may connect, too: only who knows this sees anything.
std::string random_token() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw Error(std::string("the page gets no token: ") + std::strerror(errno));
  std::string token;
  for (const unsigned char byte : bytes) token += fmt::format("{:02x}", byte);
  return token;
}

/// Owns: the server, and what it shows.  Threading: made and destroyed by one thread; the server's thread answers.
class Page final : public LivePage {
 public:
  explicit Page(const Client& client)
      : token_(random_token()),
        state_(client),
        server_(
            page_port(client.settings().page, client.settings().origin("page").where),
            [this](const std::string& path) { return answer(path); }, [this] { state_.rest(); }) {
    char host[256] = "HOST";
    static_cast<void>(::gethostname(host, sizeof host - 1));
    terminal::write_lines(
        fmt::format("weft: page      {}\n"
                    "                from elsewhere: ssh -N -L {}:127.0.0.1:{} {}\n",
                    link(), server_.port(), server_.port(), host));
  }

  std::string link() const override { return fmt::format("http://127.0.0.1:{}/{}/", server_.port(), token_); }

 private:
  Answer answer(const std::string& path) {
    const std::string_view wanted = std::string_view(path).substr(1);
    const std::size_t end = wanted.find('/');
    if (!same_secret(token_, wanted.substr(0, end)) || end == std::string_view::npos) {
      return {404, "text/plain; charset=utf-8",
              "There is nothing here. The whole address of the page, with its token, stands at the start of the "
              "program's output.\n"};
    }
    const std::string_view name = wanted.substr(end + 1);
    if (name.empty()) return {200, "text/html; charset=utf-8", std::string(page_text())};
    if (name != "state.json") return {404, "text/plain; charset=utf-8", "there is nothing of this name\n"};
    try {
      return {200, "application/json", state_.json()};
    } catch (const std::exception& error) {
      return {500, "text/plain; charset=utf-8", std::string(error.what()) + "\n"};
    }
  }

  const std::string token_;
  State state_;  // used by the server's thread
  Server server_;
};

}  // namespace

std::uint16_t page_port(const std::string& words, const std::string& where) {
  if (words == "on") return 0;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), port);
  if (words.empty() || error != std::errc() || end != words.data() + words.size() || port == 0) {
    throw ConfigError(where + ": the page is '" + words +
                      "'; it takes on (any free port), off, or the number of a port, 1 to 65535");
  }
  return port;
}

void install_live_page() {
  set_page_maker([](const Client& client) { return std::unique_ptr<LivePage>(std::make_unique<Page>(client)); });
}

}  // namespace weft::dashboard
