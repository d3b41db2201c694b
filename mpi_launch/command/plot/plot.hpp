#pragma once

namespace weft::command::data {

class Given;

int run_plot(const Given& given);

}  // namespace weft::command::data
