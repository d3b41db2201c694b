#pragma once

#include <weft/ledger.hpp>
#include <weft/wire.hpp>

#include <string>

// How the books of workers come to the client's process.

namespace weft::cluster {

void write_books(Writer& writer, const LedgerReport& report);
/// Throws Error where the bytes are no books.
LedgerReport read_books(Reader& reader);
/// Adds the books of a worker to those of the whole run; its rows get its name.
void add_books(LedgerReport& all, const LedgerReport& of_worker, const std::string& worker);

}  // namespace weft::cluster
