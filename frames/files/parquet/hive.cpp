#include "frames/files/parquet/hive.hpp"

#include <algorithm>

namespace weft::frames::parquet {
namespace {

/// Undoes "%20".
std::string plain(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace

std::vector<FolderValue> folder_values(const std::string& path) {
  std::vector<FolderValue> found;
  std::size_t begin = 0;
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', begin)) {
    const std::string_view folder = std::string_view(path).substr(begin, slash - begin);
    begin = slash + 1;
    const std::size_t sign = folder.find('=');
    if (sign == std::string_view::npos || sign == 0) continue;
    FolderValue one{plain(folder.substr(0, sign)), plain(folder.substr(sign + 1))};
    // The name that all writers of such folders use for a missing value.
    if (*one.value == "__HIVE_DEFAULT_PARTITION__") one.value.reset();
    if (find_folder(found, one.name) == nullptr) found.push_back(std::move(one));
  }
  return found;
}

const FolderValue* find_folder(const std::vector<FolderValue>& folders, const std::string& name) {
  const auto found =
      std::find_if(folders.begin(), folders.end(), [&](const FolderValue& one) { return one.name == name; });
  return found == folders.end() ? nullptr : &*found;
}

Column folder_column(const FolderValue& folder, std::size_t rows) {
  std::vector<std::string> list;
  if (folder.value) list.push_back(*folder.value);
  return Column::categories(Chunk<std::int32_t>(rows, folder.value ? 0 : -1), Column::of(list));
}

}  // namespace weft::frames::parquet
