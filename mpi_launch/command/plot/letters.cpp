// Letters as points: five across, seven down, and two rows below for tails; from the first row's left on, the highest
// bit first.
#include "mpi_launch/command/plot/letters.hpp"

namespace weft::command::plot {
namespace {

// From the space to the tilde, and a degree sign.
constexpr std::uint64_t kLetters[96] = {
    0x000000000000, 0x042108401000, 0x0a5280000000, 0x0a57d5f52800, 0x047d1c5f1000, 0x19c88889cc00, 0x0c9511593400,
    0x042100000000, 0x022210820800, 0x082084222000, 0x00255d520000, 0x00213e420000, 0x000000031844, 0x00003e000000,
    0x000000031800, 0x010888884000, 0x0e8ceb98b800, 0x046108423800, 0x0e8844447c00, 0x0e884c18b800, 0x0232a5f10800,
    0x1f878218b800, 0x06443d18b800, 0x1f0884421000, 0x0e8c5d18b800, 0x0e8c5e113000, 0x003180630000, 0x003180630880,
    0x011110410400, 0x0007c1f00000, 0x104104444000, 0x0e8844401000, 0x0e8deb783c00, 0x0e8c7f18c400, 0x1e8c7d18f800,
    0x0e8c2108b800, 0x1e8c6318f800, 0x1f843d087c00, 0x1f843d084000, 0x0e8c2f18bc00, 0x118c7f18c400, 0x0e2108423800,
    0x071084293000, 0x119531494400, 0x108421087c00, 0x11dd6b18c400, 0x11ce6b39c400, 0x0e8c6318b800, 0x1e8c7d084000,
    0x0e8c63593400, 0x1e8c7d494400, 0x0f841c10f800, 0x1f2108421000, 0x118c6318b800, 0x118c62a51000, 0x118c6b5dc400,
    0x118a88a8c400, 0x118a88421000, 0x1f0888887c00, 0x0e4210843800, 0x108208208400, 0x0e1084213800, 0x045440000000,
    0x0000000003e0, 0x082000000000, 0x000382f8bc00, 0x1087a318f800, 0x0003e1083c00, 0x010be318bc00, 0x0003a3f83c00,
    0x064790842000, 0x0003e318bc2e, 0x1087a318c400, 0x040308423800, 0x020184210a4c, 0x1084a98a4800, 0x0c2108423800,
    0x0006ab5ad400, 0x0007a318c400, 0x0003a318b800, 0x0007a318fa10, 0x0003e318bc21, 0x0005b1084000, 0x0003e0e0f800,
    0x084790841800, 0x00046318bc00, 0x000463151000, 0x0004635aa800, 0x000454454400, 0x00046318bc2e, 0x0007c4447c00,
    0x022110420800, 0x042108421000, 0x082104422000, 0x00022a200000, 0x0c9498000000,
};

/// The next character of a text in UTF-8: those of the table, and what stands in for others.
char take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const std::string_view whole = text.substr(0, length);
  text.remove_prefix(whole.size());
  if (whole == "\xc2\xb0") return '\x7f';
  if (whole == "\xc2\xb2") return '2';
  if (whole == "\xc2\xb3") return '3';
  if (whole == "\xc2\xb5" || whole == "\xce\xbc") return 'u';
  return first >= 0x20 && first < 0x7f ? static_cast<char>(first) : '?';
}

}  // namespace

std::vector<std::uint64_t> letters_of(std::string_view text) {
  std::vector<std::uint64_t> out;
  while (!text.empty()) out.push_back(kLetters[static_cast<std::size_t>(take_character(text) - ' ')]);
  return out;
}

}  // namespace weft::command::plot
