#pragma once

namespace weft::detail {

/// Stands in front of `catch (...)` where what a task threw is caught: never catches anything, but notes the stack of
/// the thrower, which is still there while the handlers are looked through.
///
///     try { ... } catch (const TracePoint&) { throw; } catch (...) { ... }
///
/// Nothing throws one, and there is none: its type is an object of our own (core/diagnostics/stack_trace.cpp). Costs
/// nothing where nothing is thrown, nor where what is thrown is caught further inside.
class TracePoint {
 public:
  virtual ~TracePoint();  // nowhere defined
};

}  // namespace weft::detail
