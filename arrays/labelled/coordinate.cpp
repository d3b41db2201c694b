// Labels along a dimension.
#include <weft/labelled.hpp>

#include "arrays/labelled/calendar.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace weft {

using labelled::Calendar;

namespace {

std::string text_of(const std::vector<io::Attribute>& attributes, const char* name) {
  const io::Attribute* const found = io::find_attribute(attributes, name);
  return found == nullptr ? std::string() : found->text();
}

std::string number_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

std::string label_text(const Label& label) {
  return std::holds_alternative<double>(label) ? number_text(std::get<double>(label)) : std::get<std::string>(label);
}

}  // namespace

Coordinate Coordinate::of_numbers(std::string name, std::vector<double> values, std::vector<io::Attribute> attributes) {
  Coordinate out;
  out.name_ = std::move(name);
  out.numbers_ = std::move(values);
  out.attributes_ = std::move(attributes);
  out.read_times();
  return out;
}

Coordinate Coordinate::of_texts(std::string name, std::vector<std::string> values) {
  Coordinate out;
  out.name_ = std::move(name);
  out.texts_ = std::move(values);
  return out;
}

void Coordinate::read_times() {
  const std::string units = text_of(attributes_, "units");
  if (units.find(" since ") == std::string::npos) return;
  const Calendar calendar = labelled::calendar_named(text_of(attributes_, "calendar"));
  std::optional<labelled::TimeUnits> times;
  try {
    times = labelled::parse_time_units(units, calendar);
  } catch (const Error& error) {
    throw Error("coordinate '" + name_ + "': " + error.what());
  }
  calendar_ = static_cast<int>(calendar);
  for (const double value : numbers_) {
    const double milliseconds = value * times->step_ms;
    if (!(std::abs(milliseconds) < 9e18)) throw Error("coordinate '" + name_ + "' has a time without value");
    instants_.push_back(times->begin + std::llround(milliseconds));
  }
}

std::string Coordinate::label(std::size_t place) const {
  if (is_time()) return labelled::date_text(labelled::date_of(static_cast<Calendar>(calendar_), instants_[place]));
  return texts_.empty() ? number_text(numbers_[place]) : texts_[place];
}

std::vector<std::int64_t> Coordinate::find(const Pick& pick) const {
  std::vector<std::int64_t> places;
  const auto refuse = [&](const std::string& why) {
    std::string about = size() == 0 ? "it has no labels" : "it goes from " + label(0) + " to " + label(size() - 1);
    throw Error("coordinate '" + name_ + "': " + why + "; " + about);
  };
  if (!texts_.empty()) {
    if (pick.kind != Pick::Exact) refuse("texts are chosen one by one");
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      if (texts_[i] == label_text(pick.first)) places.push_back(static_cast<std::int64_t>(i));
    }
  } else if (is_time() && pick.kind != Pick::Nearest) {
    const auto calendar = static_cast<Calendar>(calendar_);
    const auto [first, first_end] = labelled::parse_partial_date(label_text(pick.first), calendar);
    const std::int64_t last =
        pick.kind == Pick::Exact ? first_end : labelled::parse_partial_date(label_text(pick.last), calendar).second;
    for (std::size_t i = 0; i < instants_.size(); ++i) {
      if (instants_[i] >= first && instants_[i] <= last) places.push_back(static_cast<std::int64_t>(i));
    }
  } else {
    const auto number = [&](const Label& one) {
      if (std::holds_alternative<std::string>(one)) refuse("'" + std::get<std::string>(one) + "' is no number");
      return std::get<double>(one);
    };
    const double first = number(pick.first);
    if (pick.kind == Pick::Nearest) {
      std::size_t best = 0;
      for (std::size_t i = 1; i < numbers_.size(); ++i) {
        if (std::abs(numbers_[i] - first) < std::abs(numbers_[best] - first)) best = i;
      }
      if (!numbers_.empty()) places.push_back(static_cast<std::int64_t>(best));
    } else {
      const double last = pick.kind == Pick::Exact ? first : number(pick.last);
      const double low = std::min(first, last), high = std::max(first, last);
      for (std::size_t i = 0; i < numbers_.size(); ++i) {
        // Labels are often single precision: 0.1 means the label that prints so.
        const double value = numbers_[i];
        const double near = 1e-6 * std::abs(value);
        if (value >= low - (pick.kind == Pick::Exact ? near : 0) &&
            value <= high + (pick.kind == Pick::Exact ? near : 0)) {
          places.push_back(static_cast<std::int64_t>(i));
        }
      }
    }
  }
  if (places.empty()) {
    refuse("nothing at " + label_text(pick.first) + (pick.kind == Pick::Between ? " to " + label_text(pick.last) : ""));
  }
  return places;
}

Coordinate Coordinate::at(const std::vector<std::int64_t>& places) const {
  Coordinate out = *this;
  const auto choose = [&](const auto& from, auto& to) {
    to.clear();
    for (const std::int64_t place : places) {
      if (!from.empty()) to.push_back(from[static_cast<std::size_t>(place)]);
    }
  };
  choose(numbers_, out.numbers_);
  choose(texts_, out.texts_);
  choose(instants_, out.instants_);
  return out;
}

Coordinate Coordinate::then(const Coordinate& other) const {
  Coordinate out = *this;
  out.texts_.insert(out.texts_.end(), other.texts_.begin(), other.texts_.end());
  if (is_time() != other.is_time() || calendar_ != other.calendar_) {
    throw Error("coordinate '" + name_ + "' has times of another kind or calendar there");
  }
  if (!is_time()) {
    out.numbers_.insert(out.numbers_.end(), other.numbers_.begin(), other.numbers_.end());
    return out;
  }
  const auto times = labelled::parse_time_units(text_of(attributes_, "units"), static_cast<Calendar>(calendar_));
  const bool same = text_of(attributes_, "units") == text_of(other.attributes_, "units");
  for (std::size_t i = 0; i < other.instants_.size(); ++i) {
    out.numbers_.push_back(same ? other.numbers_[i]
                                : static_cast<double>(other.instants_[i] - times->begin) / times->step_ms);
    out.instants_.push_back(other.instants_[i]);
  }
  return out;
}

bool operator==(const Coordinate& a, const Coordinate& b) {
  if (a.is_time() || b.is_time()) return a.instants_ == b.instants_ && a.calendar_ == b.calendar_;
  return a.numbers_ == b.numbers_ && a.texts_ == b.texts_;
}

}  // namespace weft
