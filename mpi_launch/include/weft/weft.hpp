#pragma once

/// Everything a program usually needs. Pulls in the standard library only.

#include <weft/error.hpp>
#include <weft/version.hpp>
