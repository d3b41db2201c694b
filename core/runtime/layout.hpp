#pragma once

#include <weft/config.hpp>

#include <functional>
#include <string>

namespace weft {

/// Makes the block for a job of several processes; returns "" where there is one process alone.
using LayoutMaker = std::function<std::string(const Settings& settings)>;
/// Sets what `layout_text` asks first. Whoever starts processes sets it, before clients are opened.
void set_layout_maker(LayoutMaker maker);

/// Returns what a client with these settings would run on: scheduler, slots, memory, spill, and where each came from;
/// lines that end with '\n'. Opens nothing.
std::string layout_text(const Settings& settings);

}  // namespace weft
