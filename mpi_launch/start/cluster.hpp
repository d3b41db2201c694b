#pragma once

namespace weft::launch {

/// Makes every client whose scheduler is `mpi` or `auto` run on the ranks of this job, where there are several; called
/// before `main` by what <weft/run.hpp> defines.
void install_cluster_maker();

/// Ends the workers and the other ranks, if this process has any; at most 2 s. Called when the process exits, and by
/// whoever leaves it in another way.
void end_cluster() noexcept;

}  // namespace weft::launch
