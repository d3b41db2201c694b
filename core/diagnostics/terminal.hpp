#pragma once

#include <string>
#include <string_view>

namespace weft::terminal {

// One owner of the standard error: lines of the log, and below them at most one line that is redrawn in place (the bar
// of the progress display). Both go through here, so that neither lands in the middle of the other. Any thread.

/// Writes whole lines (each ends with a newline) to the standard error in one piece, above the status line if there is
/// one.
void write_lines(std::string_view lines);

/// Shows `line` in place of the last status line; stays on the last row of the terminal until cleared.
void show_status(const std::string& line);

/// Erases the status line.
void clear_status();

/// Sends everything to another file descriptor, -1 for the standard error again: for tests.
void redirect(int descriptor);

/// Returns whether the standard error (or what it was redirected to) is a terminal that can redraw a line.
bool can_redraw();

/// Returns the width of the terminal in columns; 80 if unknown.
int columns();

}  // namespace weft::terminal
