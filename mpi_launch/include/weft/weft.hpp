#pragma once

/// Everything a program usually needs. Pulls in the standard library only.

#include <weft/bag.hpp>
#include <weft/bag_random.hpp>
#include <weft/buffer.hpp>
#include <weft/call_executor.hpp>
#include <weft/callable.hpp>
#include <weft/client.hpp>
#include <weft/completed.hpp>
#include <weft/config.hpp>
#include <weft/coordination.hpp>
#include <weft/datasets.hpp>
#include <weft/delayed.hpp>
#include <weft/described.hpp>
#include <weft/encode.hpp>
#include <weft/error.hpp>
#include <weft/fields.hpp>
#include <weft/forward_logging.hpp>
#include <weft/future.hpp>
#include <weft/graph.hpp>
#include <weft/graph_manipulation.hpp>
#include <weft/hardware.hpp>
#include <weft/layer.hpp>
#include <weft/ledger.hpp>
#include <weft/log.hpp>
#include <weft/memory.hpp>
#include <weft/memory_trace.hpp>
#include <weft/nested.hpp>
#include <weft/picture.hpp>
#include <weft/plan.hpp>
#include <weft/plugin.hpp>
#include <weft/progress.hpp>
#include <weft/pure.hpp>
#include <weft/resource_profile.hpp>
#include <weft/run.hpp>
#include <weft/task_options.hpp>
#include <weft/this_task.hpp>
#include <weft/tokenize.hpp>
#include <weft/upload.hpp>
#include <weft/version.hpp>
#include <weft/watch.hpp>

// Arrays, where they were built.
#if __has_include(<weft/arrays.hpp>)
#include <weft/arrays.hpp>
#endif
