#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <weft/config.hpp>

namespace weft {

// Each reads the text of one option; throws ConfigError with a sentence about the text alone (the caller adds the
// option and the place).

bool parse_bool(std::string_view text);
std::int64_t parse_count(std::string_view text);
double parse_number(std::string_view text);
/// Reads 4096, "64 KiB", "1.5GB": K, M, G, T, P with iB are powers of 1024, with B or alone powers of 1000.
std::uint64_t parse_bytes(std::string_view text);
ByteAmount parse_share(std::string_view text);
/// Reads 10, 500ms, 50us, 2min, 1h, 1d as seconds.
double parse_duration(std::string_view text);
/// Checks that the text is one of "a|b|c"; names the nearest if not.
std::string parse_choice(std::string_view text, std::string_view choices);
/// Checks "level" or "room=level" entries separated by commas, with rooms that weft::logging knows.
std::string parse_levels(std::string_view text);

/// Writes values as the parsers read them, for `weft config`.
std::string exact_bytes_text(std::uint64_t bytes);
std::string share_text(const ByteAmount& amount);
std::string duration_text(double seconds);
std::string number_text(double value);

}  // namespace weft
