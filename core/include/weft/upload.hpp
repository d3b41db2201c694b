#pragma once

#include <source_location>
#include <string>

namespace weft {

class Client;

/// Copies a file to every worker of a client, those that join later or come back too; tasks find it by its name:
///
///     upload_file(client, "tables/rates.csv");
///     client.submit([](double x) { return rate(uploaded_file("rates.csv"), x); }, 3.0);
///
/// Returns the name: that of the file without its folders, or the one given. The copies lie in a temporary folder of
/// each worker and go with the client. A file of a name that is there already takes its place; tasks that have it open
/// keep what they read. Returns when all workers have it. Throws Error where the file cannot be read, is larger than
/// 256 MiB (those belong on a file system that workers reach, or in scatter), or inside of tasks.
std::string upload_file(const Client& client, const std::string& path, std::string name = {},
                        const std::source_location& where = std::source_location::current());

/// Returns the path of this worker's copy of an uploaded file. Throws Error, naming those that there are, for another.
std::string uploaded_file(const std::string& name);

}  // namespace weft
