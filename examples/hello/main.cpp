// Three functions and their wiring: the smallest program with a graph in it.
#include <weft/weft.hpp>

#include <iostream>
#include <string>

std::string greet(const std::string& name) { return "hello, " + name; }
std::string shout(const std::string& text) { return text + "!"; }
std::string join(const std::string& left, const std::string& right) { return left + " " + right; }

int main(int argc, char** argv) {
  return weft::run(argc, argv, [](weft::Client& client, weft::Args) {
    auto left = weft::delayed(greet)("warp");
    auto right = weft::delayed(shout)(weft::delayed(greet)("weft"));
    std::cout << client.compute(weft::delayed(join)(left, right)) << '\n';
  });
}
