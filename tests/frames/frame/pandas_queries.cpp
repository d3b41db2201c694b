// Answers questions about two CSV files, so that pandas can be asked the same. usage: pandas_queries QUERY LEFT RIGHT
// [OPTIONS]
#include <weft/dataframe.hpp>
#include <weft/weft.hpp>

#include <functional>
#include <iostream>
#include <map>

namespace {

using namespace weft;
using Query = std::function<DataFrame(const DataFrame& left, const DataFrame& right)>;

DataFrame group(const DataFrame& frame, const std::vector<std::string>& keys, const char* kind,
                const GroupOptions& options = {}) {
  return frame.groupby(keys, options).aggregate({{"x", kind}, {"n", kind}, {"k", kind}});
}

const std::map<std::string, Query>& queries() {
  static const std::map<std::string, Query> all = {
      {"filter", [](const DataFrame& f, const DataFrame&) { return f[(f["x"] > 0) & (f["s"] != "b")]; }},
      {"assign",
       [](const DataFrame& f, const DataFrame&) {
         return f.assign("y", f["x"] * 2 + f["k"])
             .assign("z", f["k"].floordiv(3) - f["k"] % 3)
             .assign("w", 1 / f["k"].pow(2));
       }},
      {"dates",
       [](const DataFrame& f, const DataFrame&) {
         return f.assign("h", f["t"].dt().hour())
             .assign("d", f["t"].dt().dayofweek())
             .assign("q", f["t"].dt().quarter())
             .assign("f", f["t"].dt().floor("6h"));
       }},
      {"texts",
       [](const DataFrame& f, const DataFrame&) {
         return f.assign("u", f["s"].str().slice(0, 1).str().upper())
             .assign("l", f["s"].str().len())
             .assign("c", f["s"].str().contains("^[ab]"));
       }},
      {"missing", [](const DataFrame& f, const DataFrame&) { return f.fillna(0).fillna("none", {"s"}).dropna(); }},
      {"where",
       [](const DataFrame& f, const DataFrame&) {
         return f.assign("x", f["x"].where(f["x"] > 0, -1.5)).assign("k", f["k"].clip(2, 5));
       }},
      {"sum", [](const DataFrame& f, const DataFrame&) { return group(f, {"s"}, "sum"); }},
      {"mean", [](const DataFrame& f, const DataFrame&) { return group(f, {"s"}, "mean"); }},
      {"std", [](const DataFrame& f, const DataFrame&) { return group(f, {"s"}, "std"); }},
      {"min", [](const DataFrame& f, const DataFrame&) { return group(f, {"s"}, "min"); }},
      {"count", [](const DataFrame& f, const DataFrame&) { return group(f, {"s"}, "count"); }},
      {"first", [](const DataFrame& f, const DataFrame&) { return group(f, {"s"}, "first"); }},
      {"last", [](const DataFrame& f, const DataFrame&) { return group(f, {"s"}, "last"); }},
      {"nunique", [](const DataFrame& f, const DataFrame&) { return group(f, {"s"}, "nunique"); }},
      {"median", [](const DataFrame& f, const DataFrame&) { return group(f, {"s"}, "median"); }},
      {"two-keys",
       [](const DataFrame& f, const DataFrame&) {
         return group(f, {"s", "k"}, "max");
       }},
      {"keep-missing", [](const DataFrame& f, const DataFrame&) { return group(f, {"s"}, "sum", {.dropna = false}); }},
      {"size",
       [](const DataFrame& f, const DataFrame&) {
         return f.groupby({"s", "k"}).size();
       }},
      {"hourly", [](const DataFrame& f, const DataFrame&) { return f.groupby(f["t"].dt().hour())["x"].mean(); }},
      {"means",
       [](const DataFrame& f, const DataFrame&) {
         return f[{"x", "n", "k"}].mean();
       }},
      {"vars",
       [](const DataFrame& f, const DataFrame&) {
         return f[{"x", "n", "k"}].var();
       }},
      {"sorted",
       [](const DataFrame& f, const DataFrame&) {
         return f.sort_values({"s", "x"}, {true, false});
       }},
      {"largest", [](const DataFrame& f, const DataFrame&) { return f.nlargest(7, {"x"}); }},
      {"different",
       [](const DataFrame& f, const DataFrame&) {
         return f.drop_duplicates({"s", "k"});
       }},
      {"inner", [](const DataFrame& f, const DataFrame& g) { return f.merge(g, {.on = {"k"}, .broadcast = 0}); }},
      {"left",
       [](const DataFrame& f, const DataFrame& g) {
         return f.merge(g, {.how = "left", .on = {"k", "s"}, .broadcast = 0});
       }},
      {"right",
       [](const DataFrame& f, const DataFrame& g) {
         return f.merge(g, {.how = "right", .on = {"k", "s"}});
       }},
      {"outer", [](const DataFrame& f,
                   const DataFrame& g) { return f.merge(g, {.how = "outer", .on = {"k"}, .indicator = "_merge"}); }},
      {"running",
       [](const DataFrame& f, const DataFrame&) {
         return f.assign("c", f["x"].cumsum())
             .assign("p", f["k"].cummin())
             .assign("h", f["x"].shift(3))
             .assign("d", f["k"].diff(2));
       }},
      {"rolling",
       [](const DataFrame& f, const DataFrame&) {
         return f.assign("m", f["x"].rolling(5, 2).mean())
             .assign("v", f["k"].rolling(30).std())
             .assign("g", f["k"].rolling(4, 1).max());
       }},
      {"sums-sorted",
       [](const DataFrame& f, const DataFrame&) {
         return f.groupby("s").aggregate({{"x", "sum"}}).sort_values({"x_sum"});
       }},
      {"concat",
       [](const DataFrame& f, const DataFrame& g) {
         return concat({f, g});
       }},
  };
  return all;
}

void body(Client& client, const Args& args) {
  const CsvOptions options{.dates = {"t"}, .blocksize = 3'000};
  const DataFrame left = read_csv(args.at(1), options), right = read_csv(args.at(2), options);
  static_cast<void>(queries().at(args.at(0))(left, right).to_csv(client, args.at(3)));
}

}  // namespace

int main(int argc, char** argv) { return weft::run(argc, argv, &body); }
