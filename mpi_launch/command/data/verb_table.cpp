// The one table of verbs and options.
#include "mpi_launch/command/data/verbs.hpp"

#include "mpi_launch/command/plot/plot.hpp"
#include "mpi_launch/command/report/report.hpp"

#include <array>

namespace weft::command::data {
namespace {

/// Puts lists of rows one behind the other.
template <std::size_t... N>
constexpr auto rows_of(const OptionRow (&... lists)[N]) {
  std::array<OptionRow, (N + ...)> all{};
  std::size_t at = 0;
  const auto add = [&](const auto& list) {
    for (const OptionRow& row : list) all[at++] = row;
  };
  (add(lists), ...);
  return all;
}

// What several verbs have.
constexpr OptionRow kChoosing[] = {
    {"var", "NAME,...", "only these variables, and what describes them"},
    {"sel", "DIM=A:B", "choose by labels, as weft reduce does"},
    {"isel", "DIM=I:J", "choose by places from 0 on"},
    {"where", "EXPR", "only where this holds; elsewhere is missing"},
    {"expr", "NAME = EXPR", "a new variable: 'wind = hypot(u, v)'; may be given several times"},
};
constexpr OptionRow kStoring[] = {
    {"chunks", "DIM=N,...", "how variables are cut; otherwise as they are"},
    {"codec", "NAME", "of Zarr: zstd (default), gzip, blosc or none; of TIFF: deflate (default), zstd or none"},
    {"deflate", "LEVEL", "of NetCDF-4 and TIFF: 0 to 9 (default 4)"},
    {"parts", nullptr, "NetCDF-4 whose values are in files of the workers beside it, a virtual dataset over them"},
    {"zarr-version", "N", "2 or 3 (default 3)"},
};
constexpr OptionRow kRemembering[] = {
    {"index", "FOLDER", "where descriptions of many files are remembered (default ~/.cache/weft); off: nowhere"},
};
// What verbs have that compute.
constexpr OptionRow kReporting[] = {
    {"report", "FILE", "write there what the run did, for weft report"},
};
constexpr OptionRow kJoining[] = {
    {"overwrite", nullptr, "replace OUT if it exists"},
    {"duplicates", "WHICH", "first or last: which file a label is taken from that several have"},
    {"join", "DIM", "the dimension that files follow each other along; found where it is not given"},
};

constexpr OptionRow kShared[] = {
    {"json", nullptr, "print JSON"},
    {"quiet", nullptr, "say nothing on standard error but errors"},
    {"dry-run", nullptr, "say what would be read and written, and stop"},
    {"memory", "BYTES", "use at most this much memory (2GiB, 80%)"},
    {"help", nullptr, "print this"},
    {"man", nullptr, "print the manual page, for man -l -"},
};

constexpr Example kInfoExamples[] = {
    {"weft info tas.nc", "what is in a file"},
    {"weft info 'data/*.nc'", "what many files hold together, joined"},
    {"weft info --json tas.nc", "the same for programs"},
};
constexpr OptionRow kInfoOwn[] = {
    {"var", "NAME,...", "only these variables"},
};
constexpr auto kInfoOptions = rows_of(kInfoOwn, kRemembering);

constexpr Example kHeadExamples[] = {
    {"weft head tas.nc", "the first values of each variable"},
    {"weft head tas.nc --var tas --count 3", "the first 3 along each dimension of one"},
    {"weft head tas.nc --var time", "labels, times as dates"},
};
constexpr OptionRow kHeadOptions[] = {
    {"var", "NAME,...", "only these variables"},
    {"count", "N", "values along each dimension (default 5)"},
    {"raw", nullptr, "numbers as they are stored, without scale, offset and missing values"},
};

constexpr Example kCompareExamples[] = {
    {"weft compare a.nc b.nc", "exit 1 where any value differs"},
    {"weft compare a.nc b.nc --rtol 1e-6", "within a relative tolerance"},
    {"weft compare a.nc b.nc --var tas --attributes", "one variable, its attributes too"},
};
constexpr OptionRow kCompareOptions[] = {
    {"var", "NAME,...", "only these variables"},
    {"rtol", "R", "values are equal where |a - b| <= atol + rtol |b| (default 0)"},
    {"atol", "A", "(default 0)"},
    {"attributes", nullptr, "compare attributes too"},
    {"raw", nullptr, "numbers as they are stored, without scale, offset and missing values"},
};

constexpr Example kReduceExamples[] = {
    {"weft reduce mean --dim time tas.nc mean.nc", "mean over time"},
    {"weft reduce mean,max --by time.month 'data/*.nc' climate.nc", "of each month of the year"},
    {"weft reduce mean --dim lat,lon --weights coslat tas.nc globe.nc", "means of the globe"},
};
constexpr OptionRow kReduceOwn[] = {
    {"dim", "NAME,...", "the dimensions to reduce"},
    {"by", "NAME.PART", "groups: time.month, season, dayofyear, year, quarter, day, hour; or equal labels: lat"},
    {"every", "STEP", "groups of times that follow each other: 6H, 1D, 1M, QS-DEC, 1Y"},
    {"weights", "W", "coslat, days (of the month), or a variable"},
    {"var", "NAME,...", "only these variables; otherwise all that have the dimension, and others as they are"},
    {"sel", "DIM=A:B", "choose by labels: time=2001-01:2010-12, lat=-30:30, lev=850,500, lon=350:10"},
    {"isel", "DIM=I:J", "choose by places from 0 on: time=0:12, lev=-1, x=::2"},
    {"where", "EXPR", "only where this holds: 'tas > 273.15 and lat > 0'"},
    {"expr", "NAME = EXPR",
     "a new variable, before anything is reduced: 'wind = hypot(u, v)'; may be given several times"},
    {"min-count", "N", "no value where fewer values were there"},
    {"no-skipna", nullptr, "a missing value makes the result missing"},
    {"ddof", "N", "std and var divide by the count less N (default 0)"},
    {"keepdims", nullptr, "reduced dimensions stay, with one place and bounds"},
};
constexpr auto kReduceOptions = rows_of(kReduceOwn, kJoining, kRemembering, kReporting);

constexpr Example kConvertExamples[] = {
    {"weft convert tas.nc tas.zarr", "a Zarr store of the same"},
    {"weft convert tas.zarr tas.nc --deflate 6", "and back, as NetCDF-4"},
    {"weft convert 'data/*.nc' all.zarr --chunks time=365,lat=64", "many files as one store, cut otherwise"},
};
constexpr auto kConvertOptions = rows_of(kChoosing, kStoring, kJoining, kRemembering, kReporting);

constexpr Example kAnomalyExamples[] = {
    {"weft anomaly --by time.month tas.nc anom.nc", "less the mean of each month of the year"},
    {"weft anomaly --by time.dayofyear --base time=1981:2010 'data/*.nc' anom.nc", "of a base period"},
    {"weft anomaly --dim time --standardize tas.nc index.nc", "less the mean, by the standard deviation"},
};
constexpr OptionRow kAnomalyOwn[] = {
    {"by", "NAME.PART", "groups: time.month, season, dayofyear, year, quarter, day, hour; or equal labels"},
    {"dim", "NAME", "one mean of all along this dimension, where there is no --by"},
    {"base", "DIM=A:B", "the labels that means are taken of; otherwise all"},
    {"standardize", nullptr, "divide by the standard deviation"},
    {"ddof", "N", "the standard deviation divides by the count less N (default 0)"},
    {"no-skipna", nullptr, "a missing value makes the mean missing"},
};
constexpr auto kAnomalyOptions = rows_of(kAnomalyOwn, kChoosing, kStoring, kJoining, kRemembering, kReporting);

constexpr Example kRegridExamples[] = {
    {"weft regrid --grid r360x180 tas.nc one_degree.nc", "one degree, between the values around"},
    {"weft regrid --grid like.nc --method conservative 'data/*.nc' out.nc",
     "another file's grid, by the overlap of cells"},
    {"weft regrid --grid r3600x1800 --max-distance 20 swath.nc grid.nc", "a satellite's swath, the nearest points"},
    {"weft regrid --grid ocean.nc --method conservative tas.nc on_ocean.nc", "to a curvilinear grid, or a map"},
};
constexpr OptionRow kRegridOwn[] = {
    {"grid", "GRID",
     "r360x180 (longitudes from 0, latitudes from the south), or a file with a variable on the grid or map"},
    {"method", "NAME", "bilinear (default), conservative or nearest (default of points and maps)"},
    {"min-coverage", "SHARE", "no value where less of its weight is there, 0 to 1 (default 0.5)"},
    {"max-distance", "KM", "nearest: no value where the nearest is farther away"},
};
constexpr auto kRegridOptions = rows_of(kRegridOwn, kChoosing, kStoring, kJoining, kRemembering, kReporting);

constexpr Example kSampleExamples[] = {
    {"weft sample data", "data/tas_2001.nc to data/tas_2004.nc"},
    {"weft sample data --years 10", "ten years"},
    {"weft reduce mean --by time.month data climate.nc", "and what to do with them"},
};
constexpr OptionRow kSampleOptions[] = {
    {"years", "N", "how many files (default 4)"},
    {"overwrite", nullptr, "replace files that exist"},
};

constexpr Example kPlotExamples[] = {
    {"weft plot tas.nc tas.png", "a map of its variable: the first time"},
    {"weft plot tas.nc tas --sel lat=50 --sel lon=10 tas.svg", "a line: one place through time"},
    {"weft plot climate.nc tas_mean --isel month=6 july.png", "one place of a dimension"},
};
constexpr OptionRow kPlotOwn[] = {
    {"sel", "DIM=A:B", "choose by labels, as weft reduce does"},
    {"isel", "DIM=I:J", "choose by places from 0 on"},
    {"where", "EXPR", "only where this holds; elsewhere is missing"},
    {"expr", "NAME = EXPR", "plot this: 'wind = hypot(u, v)'"},
    {"size", "WxH", "pixels of the picture (default 960x540)"},
    {"min", "VALUE", "the lower end of the colours, or of the line's axis"},
    {"max", "VALUE", "the upper end"},
    {"colors", "NAME", "dusk (default), balance (where values have both signs) or grey"},
    {"title", "TEXT", "instead of the variable's name"},
};
constexpr auto kPlotOptions = rows_of(kPlotOwn, kJoining, kRemembering, kReporting);

constexpr Example kEachExamples[] = {
    {"weft each 'gzip -k {}' < list.txt", "a command for each line, on all cores"},
    {"weft each 'ncks -v tas {} {.}_tas.nc' --journal done.jsonl < list.txt", "run it again to go on where it stopped"},
    {"weft each './model {}' a b c --retries 2 --timeout 1h", "what fails or hangs is run again"},
    {"weft each 'gzip {}' --list new.txt --journal done.jsonl --every 10min", "what is new in a list, as it comes"},
};
constexpr OptionRow kEachOwn[] = {
    {"jobs", "N", "commands at once on each worker (default: as many as its cores)"},
    {"cores", "N", "what each command counts for among these (default 1)"},
    {"list", "FILE", "read the items from there"},
    {"null", nullptr, "items end with a zero byte, as find -print0 writes them, not with a line"},
    {"retries", "N", "how often what failed is run again (default 0)"},
    {"retry-delay", "TIME", "how long to wait before that (default 0)"},
    {"timeout", "TIME", "a command that takes longer is ended and has failed: 90s, 1h"},
    {"journal", "FILE", "note there what has ended, and leave out what is done by it"},
    {"results", "FOLDER", "put outputs into FOLDER/NUMBER.out and .err, and do not print them"},
    {"keep-order", nullptr, "print outputs in the order of the items, not as they end"},
    {"tag", nullptr, "print the item and a tabulator before each line of output"},
    {"halt", "N", "stop all when N items have failed"},
    {"every", "TIME", "run the list again at this interval, until it is ended: 30s, 10min, 1d; --list is read anew"},
    {"times", "N", "with --every: end after N passes"},
};
constexpr auto kEachOptions = rows_of(kEachOwn, kReporting);

constexpr Example kReportExamples[] = {
    {"weft reduce mean --dim time tas.nc mean.nc --report run.json", "a run that notes what it did"},
    {"weft report run.json", "what took most, phases, slowest tasks, lost workers"},
    {"weft report run.json run.html", "the same as a page"},
};
constexpr OptionRow kReportOptions[] = {
    {"top", "N", "how many stages and tasks to show (default 10)"},
    {"overwrite", nullptr, "replace OUT if it exists"},
};

constexpr VerbRow kVerbs[] = {
    {"info", "FILE...", 1, 10'000, "Show what files hold: dimensions, variables, chunks, filters, attributes",
     kInfoExamples, kInfoOptions, run_info},
    {"head", "FILE", 1, 1, "Show the first values of a file's variables", kHeadExamples, kHeadOptions, run_head},
    {"compare", "A B", 2, 2, "Compare two files; exit 1 where they differ", kCompareExamples, kCompareOptions,
     run_compare},
    {"reduce", "OPERATION,... IN... OUT", 3, 1'000'000,
     "Reduce files along dimensions: mean, std, var, min, max, sum, count, median, quantile:Q", kReduceExamples,
     kReduceOptions, run_reduce, true},
    {"convert", "IN... OUT", 2, 1'000'000,
     "Copy files to NetCDF-4 or, where OUT ends with .zarr or .tif, to Zarr or TIFF", kConvertExamples, kConvertOptions,
     run_convert, true},
    {"anomaly", "IN... OUT", 2, 1'000'000, "Subtract means of groups of times: anomalies from a climatology",
     kAnomalyExamples, kAnomalyOptions, run_anomaly, true},
    {"regrid", "IN... OUT", 2, 1'000'000, "Bring values to another grid of latitudes and longitudes", kRegridExamples,
     kRegridOptions, run_regrid, true},
    {"sample", "FOLDER", 1, 1, "Write a folder of NetCDF files to try things on", kSampleExamples, kSampleOptions,
     run_sample},
    {"plot", "FILE [VARIABLE] OUT", 2, 3, "Draw a line or a map of a variable, as PNG or SVG", kPlotExamples,
     kPlotOptions, run_plot, true},
    {"each", "COMMAND [ITEM...]", 1, 10'000'000,
     "Run a command for each line of a list; {} {.} {/} {//} {/.} {#} stand for it", kEachExamples, kEachOptions,
     run_each, true},
    {"report", "RUN [OUT]", 1, 2, "Show what a run did that was made with --report", kReportExamples, kReportOptions,
     run_report},
};

}  // namespace

std::span<const VerbRow> verbs() { return kVerbs; }
std::span<const OptionRow> shared_options() { return kShared; }

}  // namespace weft::command::data
