#pragma once

#include <functional>
#include <memory>
#include <string>

namespace weft {

class Client;

/// A page that shows what a client does, while both exist. Drawn by the room dashboard.
class LivePage {
 public:
  LivePage() = default;
  virtual ~LivePage() = default;
  LivePage(const LivePage&) = delete;
  LivePage& operator=(const LivePage&) = delete;
  /// Returns the address for a browser of this host.
  virtual std::string link() const = 0;
};

/// Makes the page of a client that was just opened; may return null where its process is to have none.
using PageMaker = std::function<std::unique_ptr<LivePage>(const Client&)>;
/// Whoever draws pages says so. Call it while no client is being opened.
void set_page_maker(PageMaker maker);
/// Returns the page that the client's settings ask for, or null. Throws ConfigError where nobody draws pages.
std::unique_ptr<LivePage> make_live_page(const Client& client);

}  // namespace weft
