#include "core/client/live_page.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <utility>

namespace weft {
namespace {

PageMaker& maker() {
  static PageMaker* const instance = new PageMaker;
  return *instance;
}

}  // namespace

void set_page_maker(PageMaker made) { maker() = std::move(made); }

std::unique_ptr<LivePage> make_live_page(const Client& client) {
  if (client.settings().page == "off") return nullptr;
  if (!maker()) {
    throw ConfigError("--weft-page (" + client.settings().origin("page").where +
                      "): this program holds nothing that draws the page: link weft::weft and include <weft/run.hpp> "
                      "or <weft/weft.hpp>");
  }
  return maker()(client);
}

}  // namespace weft
