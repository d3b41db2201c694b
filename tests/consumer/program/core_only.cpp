#include <weft/error.hpp>
#include <weft/version.hpp>

#include <cstdio>
#include <type_traits>

static_assert(WEFT_VERSION >= 100);
static_assert(std::is_base_of_v<weft::Error, weft::TaskError>);

int main() { std::puts("core " WEFT_VERSION_STRING); }
