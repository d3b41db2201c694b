#include <weft/weft.hpp>

#include <cstdio>

int main() { std::puts("everything " WEFT_VERSION_STRING); }
