#pragma once

#include <weft/ids.hpp>
