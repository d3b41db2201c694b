#pragma once

#include <weft/bag.hpp>

#include <string>
#include <vector>

namespace weft {

/// Opens what lies at addresses (http://, https://, s3://) as a bag of lines, without their ends: one partition an
/// address, read by the task that needs it. Each is asked for when its task runs, and again where an attempt fails as
/// for any remote object; the server need not know ranges. Throws Error at once for what is no address: files are for
/// read_text.
Bag<std::string> from_url(const std::vector<std::string>& urls,
                          const std::source_location& where = std::source_location::current());
Bag<std::string> from_url(const std::string& url, const std::source_location& where = std::source_location::current());

}  // namespace weft
