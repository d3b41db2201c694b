#include "core/graph/resend.hpp"

#include <weft/delayed.hpp>
#include <weft/error.hpp>

#include <gtest/gtest.h>

namespace weft {
namespace {

int negate(int value) { return -value; }

TEST(TaskTypeTest, EveryTaskTypeOfTheProgramIsRegisteredBeforeMain) {
  EXPECT_GT(task_type_count(), 0u);
  // Registering one again says that it was there, and changes nothing.
  const std::uint64_t digest = registry_digest();
  EXPECT_FALSE(register_task_type(type_name<detail::Binding<int (*)(int), int>>()));
  EXPECT_EQ(registry_digest(), digest);
  if (digest == 0) static_cast<void>(delayed(negate)(1));  // describing a call is what makes it a task type
}

TEST(TaskTypeTest, ACapturedPointerIsToldWithTheLineOfTheCall) {
  int local = 1;
  const auto reader = [&local](int factor) { return local * factor; };
  // Inside one process a captured reference is allowed.
  const Delayed<int> lazy = delayed(reader)(3);
  const auto line = static_cast<std::uint32_t>(__LINE__) - 1;
  const TaskRecord& record = arena::task(lazy.task_id());
  Writer writer;
  try {
    site(record.site).type->encode_closure(record.payload, writer, line_of(record));
    FAIL() << "a captured reference was encoded";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("resend_test.cpp:" + std::to_string(line)), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace weft
