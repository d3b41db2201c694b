// Random expressions, evaluated by weft and by NumPy in a process beside; a failing one is shrunk before it is shown.
#include "tests/arrays/oracle/python.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <random>

#include "tests/arrays/oracle/named_cases.hpp"

namespace weft {
namespace {

/// NumPy in a process of its own, asked a line at a time.
class NumPyProcess {
 public:
  NumPyProcess() {
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0) return;
    child_ = fork();
    if (child_ == 0) {
      dup2(to[0], 0);
      dup2(from[1], 1);
      for (const int one : {to[0], to[1], from[0], from[1]}) close(one);
      const std::string python = oracle::python();
      execlp(python.c_str(), python.c_str(), WEFT_SOURCE_DIR "/tests/arrays/oracle/evaluate.py", nullptr);
      _exit(127);
    }
    close(to[0]);
    close(from[1]);
    to_ = fdopen(to[1], "w");
    from_ = fdopen(from[0], "r");
  }
  ~NumPyProcess() {
    if (to_ != nullptr) std::fclose(to_);
    if (from_ != nullptr) std::fclose(from_);
    if (child_ > 0) waitpid(child_, nullptr, 0);
  }
  NumPyProcess(const NumPyProcess&) = delete;
  NumPyProcess& operator=(const NumPyProcess&) = delete;

  /// Returns the answer's line; empty where the process is gone.
  std::string ask(const std::string& expression) {
    if (std::fputs((expression + "\n").c_str(), to_) < 0 || std::fflush(to_) != 0) return "";
    std::string line;
    for (int c; (c = std::fgetc(from_)) != EOF && c != '\n';) line += static_cast<char>(c);
    return line;
  }

 private:
  pid_t child_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

struct Expression;
using Tree = std::shared_ptr<const Expression>;

/// A step, in both languages. `$0`, `$1` in the text stand for the arguments.
struct Expression {
  std::string text;
  std::function<Array(const std::vector<Array>&)> apply;
  std::vector<Tree> arguments;
  Array array;
  /// Whether every value is a short binary fraction or an integer, so that answers are equal to the last bit; and how
  /// many bits these need.
  bool exact = true;
  int bits = 4;
  /// Whether it was rounded to single precision on the way.
  bool single = false;
  /// No element is larger, where elements are not exact.
  double bound = 8;

  std::string python() const {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '$') {
        out += arguments[static_cast<std::size_t>(text[++i] - '0')]->python();
      } else {
        out += text[i];
      }
    }
    return out;
  }
  const Shape& shape() const { return array.shape(); }
  Dtype dtype() const { return array.dtype(); }
  int ndim() const { return static_cast<int>(array.ndim()); }
};

std::string tuple(const std::vector<std::int64_t>& values) {
  std::string text = "(";
  for (const std::int64_t one : values) text += std::to_string(one) + ",";
  return text + ")";
}

Tree leaf(const std::string& dtype, const Shape& shape, int which, const Chunks& chunks) {
  auto made = std::make_shared<Expression>();
  made->text = "op('" + dtype + "'," + tuple(shape.vector()) + "," + std::to_string(which) + ")";
  made->array = oracle::operand(dtype, shape, which, chunks);
  const Array array = made->array;
  made->apply = [array](const std::vector<Array>&) { return array; };
  return made;
}

class Builder {
 public:
  explicit Builder(std::uint64_t seed) : random_(seed) {}

  Tree build(int depth) {
    if (depth == 0 || below(12) == 0) return some_leaf();
    for (int attempt = 0; attempt < 20; ++attempt) {
      if (const Tree made = step(depth)) return made;
    }
    return some_leaf();
  }

 private:
  using Arrays = std::vector<Array>;

  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  Chunks some_chunks() {
    static constexpr int kSizes[] = {1, 2, 3, -1};
    return Chunks(kSizes[below(4)]);
  }
  Tree some_leaf() {
    static const char* const kTypes[] = {"bool",    "int32",   "int64",   "uint8",
                                         "float32", "float64", "float64", "complex128"};
    static const Shape kShapes[] = {{7}, {3, 4}, {4, 4}, {5, 1}, {1}, {2, 3, 5}, Shape(), {0, 3}, {1, 4}};
    return leaf(kTypes[below(8)], kShapes[below(9)], below(2), some_chunks());
  }
  /// An operand that broadcasts with the given one.
  Tree fitting(const Tree& other, int depth) {
    if (below(3) == 0) {
      for (int attempt = 0; attempt < 4; ++attempt) {
        const Tree made = build(depth - 1);
        if (made->shape() == other->shape()) return made;
      }
    }
    static const char* const kTypes[] = {"int64", "float64", "float32", "bool", "int32"};
    std::vector<std::int64_t> extents = other->shape().vector();
    for (std::int64_t& extent : extents) {
      if (below(5) == 0) extent = 1;
    }
    if (!extents.empty() && below(4) == 0) extents.erase(extents.begin());
    return leaf(kTypes[below(5)], Shape(extents), below(2), some_chunks());
  }

  Tree finish(std::string text, std::vector<Tree> arguments, std::function<Array(const Arrays&)> apply, bool exact,
              int bits, double bound) {
    auto made = std::make_shared<Expression>();
    made->text = std::move(text);
    made->apply = std::move(apply);
    Arrays inputs;
    for (const Tree& one : arguments) {
      exact = exact && one->exact;
      made->single = made->single || one->single;
      inputs.push_back(one->array);
    }
    made->arguments = std::move(arguments);
    try {
      made->array = made->apply(inputs);
    } catch (const Error&) {
      return nullptr;  // what is refused is the business of other tests
    }
    const Dtype type = made->array.dtype();
    const bool whole = type.is_integer() || type.is_bool();
    made->exact = exact && (whole || bits <= (type.real() == float32 ? 22 : 50));
    made->single = made->single || (!made->exact && type.real() == float32);
    made->bits = bits;
    made->bound = bound;
    if (!made->exact && (bound > 1e6 || whole)) return nullptr;
    return made;
  }

  Tree step(int depth) {
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
        return binary(depth);
      case 3:
        return unary(depth);
      case 4:
      case 5:
        return reduction(depth);
      case 6:
      case 7:
        return view(depth);
      default:
        return structure(depth);
    }
  }

  Tree binary(int depth) {
    const Tree a = build(depth - 1);
    const Tree b = fitting(a, depth);
    const int bits = std::max(a->bits, b->bits);
    const double sum = a->bound + b->bound;
    const bool reals = !a->dtype().is_complex() && !b->dtype().is_complex();
    const bool sure = a->exact && b->exact;
#define WEFT_TWO(name, python, bits, bound) \
  return finish(                            \
      "np." python "($0,$1)", {a, b}, [](const Arrays& v) { return name(v[0], v[1]); }, true, bits, bound)
    switch (below(13)) {
      case 0:
        WEFT_TWO(add, "add", bits + 1, sum);
      case 1:
        WEFT_TWO(subtract, "subtract", bits + 1, sum);
      case 2:
        WEFT_TWO(multiply, "multiply", a->bits + b->bits, a->bound * b->bound);
      case 3:
        if (!sure) return nullptr;
        WEFT_TWO(maximum, "maximum", bits, sum);
      case 4:
        if (!sure) return nullptr;
        WEFT_TWO(minimum, "minimum", bits, sum);
      case 5:
        if (!sure) return nullptr;
        WEFT_TWO(less, "less", 1, 1);
      case 6:
        if (!sure) return nullptr;
        WEFT_TWO(equal, "equal", 1, 1);
      case 7:
        if (!sure) return nullptr;
        WEFT_TWO(logical_or, "logical_or", 1, 1);
      case 8:
        if (!sure || !reals) return nullptr;
        WEFT_TWO(remainder, "remainder", bits + 4, sum);
      case 9:
        if (!sure || !reals) return nullptr;
        WEFT_TWO(floor_divide, "floor_divide", bits + 4, sum);
      case 10:
        if (!sure) return nullptr;
        WEFT_TWO(bitwise_xor, "bitwise_xor", bits, sum);
      case 11:
        return finish(
            "($0/(np.abs($1)+1.0))", {a, b}, [](const Arrays& v) { return v[0] / (absolute(v[1]) + 1.0); }, false, bits,
            a->bound);
      default:
        if (!sure) return nullptr;
        return finish(
            "np.where($0,$1,np.multiply($1,2))", {a, b},
            [](const Arrays& v) { return where(v[0], v[1], multiply(v[1], 2)); }, true, bits + 2, 2 * sum);
    }
#undef WEFT_TWO
  }

  Tree unary(int depth) {
    const Tree a = build(depth - 1);
    const bool tiny = a->dtype().size() == 1;  // NumPy computes these in half precision
    const bool reals = !a->dtype().is_complex();
#define WEFT_ONE(name, python, exact, bits, bound) \
  return finish(                                   \
      "np." python "($0)", {a}, [](const Arrays& v) { return name(v[0]); }, exact, bits, bound)
    switch (below(12)) {
      case 0:
        WEFT_ONE(negative, "negative", true, a->bits, a->bound);
      case 1:
        WEFT_ONE(absolute, "absolute", reals, a->bits, a->bound);
      case 2:
        WEFT_ONE(square, "square", true, 2 * a->bits, a->bound * a->bound);
      case 3:
        if (!a->exact) return nullptr;
        WEFT_ONE(logical_not, "logical_not", true, 1, 1);
      case 4:
        if (!a->exact) return nullptr;
        WEFT_ONE(isnan, "isnan", true, 1, 1);
      case 5:
        if (!a->exact || !reals) return nullptr;
        WEFT_ONE(floor, "floor", true, a->bits, a->bound);
      case 6:
        if (!a->exact || !reals) return nullptr;
        WEFT_ONE(sign, "sign", true, 1, 1);
      case 7:
        if (tiny || !reals) return nullptr;
        WEFT_ONE(sin, "sin", false, 50, a->bound);
      case 8:
        if (tiny || !reals) return nullptr;
        WEFT_ONE(arctan, "arctan", false, 50, a->bound);
      case 9:
        WEFT_ONE(real, "real", true, a->bits, a->bound);
      case 10:
        if (!a->exact) return nullptr;
        return finish(
            "($0).astype('float64')", {a}, [](const Arrays& v) { return v[0].astype(float64); }, true, a->bits,
            a->bound);
      default:
        if (!a->exact) return nullptr;
        return finish(
            "np.clip($0,-1,2)", {a}, [](const Arrays& v) { return clip(v[0], -1, 2); }, true, a->bits, a->bound);
    }
#undef WEFT_ONE
  }

  Tree reduction(int depth) {
    const Tree a = build(depth - 1);
    if (a->ndim() == 0) return nullptr;
    ReduceOptions options;
    std::string axis = "None";
    double count = static_cast<double>(std::max<std::int64_t>(1, a->array.size()));
    if (below(3) != 0) {
      const int chosen = below(2 * a->ndim()) - a->ndim();
      options.axis = chosen;
      axis = std::to_string(chosen);
    }
    const int which = below(12);
    // NumPy's argmin takes no notice of keepdims in old versions; nothing depends on it here.
    options.keepdims = which < 10 && below(2) == 0;
    const std::string rest = ",axis=" + axis + (options.keepdims ? ",keepdims=True)" : ")");
    const int more = static_cast<int>(std::ceil(std::log2(count)));
#define WEFT_REDUCE(name, python, exact, bits, bound) \
  return finish(                                      \
      "np." python "($0" + rest, {a}, [options](const Arrays& v) { return name(v[0], options); }, exact, bits, bound)
    switch (which) {
      case 0:
      case 1:
        WEFT_REDUCE(sum, "sum", true, a->bits + more, a->bound * count);
      case 2:
        if (!a->exact) return nullptr;
        WEFT_REDUCE(max, "max", true, a->bits, a->bound);
      case 3:
        if (!a->exact) return nullptr;
        WEFT_REDUCE(min, "min", true, a->bits, a->bound);
      case 4:
        if (a->array.size() == 0) return nullptr;
        WEFT_REDUCE(mean, "mean", false, 50, a->bound);
      case 5:
        if (a->array.size() == 0) return nullptr;
        WEFT_REDUCE(var, "var", false, 50, a->bound * a->bound);
      case 6:
        if (!a->exact) return nullptr;
        WEFT_REDUCE(any, "any", true, 1, 1);
      case 7:
        if (!a->exact) return nullptr;
        WEFT_REDUCE(all, "all", true, 1, 1);
      case 8:
        if (!a->exact) return nullptr;
        WEFT_REDUCE(count_nonzero, "count_nonzero", true, 8, count);
      case 9:
        if (!a->exact || !a->dtype().is_integer()) return nullptr;
        WEFT_REDUCE(prod, "prod", true, 60, 1);
      case 10:
        if (!a->exact) return nullptr;
        WEFT_REDUCE(argmax, "argmax", true, 8, count);
      default:
        if (!a->exact) return nullptr;
        WEFT_REDUCE(argmin, "argmin", true, 8, count);
    }
#undef WEFT_REDUCE
  }

  Tree same(const Tree& a, std::string text, std::function<Array(const Arrays&)> apply) {
    return finish(std::move(text), {a}, std::move(apply), true, a->bits, a->bound);
  }

  Tree view(int depth) {
    const Tree a = build(depth - 1);
    const int ndim = a->ndim();
    if (ndim == 0) return nullptr;
    const int axis = below(ndim);
    const int extent = static_cast<int>(a->shape()[static_cast<std::size_t>(axis)]);
    const std::string number = std::to_string(axis);
    switch (below(8)) {
      case 0:
        return same(a, "np.transpose($0)", [](const Arrays& v) { return transpose(v[0]); });
      case 1:
        return same(a, "np.flip($0," + number + ")", [axis](const Arrays& v) { return flip(v[0], axis); });
      case 2: {
        const int start = below(2 * extent + 3) - extent - 1, stop = below(2 * extent + 3) - extent - 1;
        static constexpr int kSteps[] = {1, 2, -1, -2, 3};
        const int stride = kSteps[below(5)];
        std::string colons;
        for (int i = 0; i < axis; ++i) colons += ":,";
        return same(
            a,
            "($0)[" + colons + std::to_string(start) + ":" + std::to_string(stop) + ":" + std::to_string(stride) + "]",
            [axis, start, stop, stride](const Arrays& v) {
              std::vector<arrays::Index> index(static_cast<std::size_t>(axis), arrays::Index(slice()));
              index.emplace_back(slice(start, stop, stride));
              return v[0].at(index);
            });
      }
      case 3: {
        if (extent == 0) return nullptr;
        const int place = below(2 * extent) - extent;
        return same(a, "($0)[...," + std::to_string(place) + "]",
                    [place](const Arrays& v) { return v[0](ellipsis, place); });
      }
      case 4:
        return same(a, "np.expand_dims($0," + number + ")",
                    [axis](const Arrays& v) { return expand_dims(v[0], axis); });
      case 5:
        return same(a, "np.squeeze($0)", [](const Arrays& v) { return squeeze(v[0]); });
      case 6: {
        const int other = below(ndim);
        return same(a, "np.moveaxis($0," + number + "," + std::to_string(other) + ")",
                    [axis, other](const Arrays& v) { return moveaxis(v[0], axis, other); });
      }
      default: {
        const int k = below(3) - 1;
        return same(a, "np.diagonal($0," + std::to_string(k) + ")", [k](const Arrays& v) { return diagonal(v[0], k); });
      }
    }
  }

  Tree structure(int depth) {
    const Tree a = build(depth - 1);
    const int ndim = a->ndim();
    if (ndim == 0) return nullptr;
    const int axis = below(ndim);
    const std::string number = std::to_string(axis);
    const int count = below(5) - 2;
    switch (below(12)) {
      case 0:
        return same(a, "np.ravel($0)", [](const Arrays& v) { return ravel(v[0]); });
      case 1:
        return same(a, "np.roll($0," + std::to_string(count) + "," + number + ")",
                    [axis, count](const Arrays& v) { return roll(v[0], count, axis); });
      case 2:
        return same(a, "np.concatenate([$0,$0]," + number + ")", [axis](const Arrays& v) {
          return concatenate({v[0], v[0]}, axis);
        });
      case 3:
        return same(a, "np.stack([$0,$0]," + number + ")", [axis](const Arrays& v) {
          return stack({v[0], v[0]}, axis);
        });
      case 4:
        return same(a, "np.repeat($0,2," + number + ")", [axis](const Arrays& v) { return repeat(v[0], 2, axis); });
      case 5:
        return same(a, "np.tile($0,2)", [](const Arrays& v) { return tile(v[0], {2}); });
      case 6: {
        static const char* const kModes[] = {"constant", "edge", "reflect", "symmetric", "wrap"};
        static constexpr PadMode kPads[] = {PadMode::Constant, PadMode::Edge, PadMode::Reflect, PadMode::Symmetric,
                                            PadMode::Wrap};
        const int mode = below(5);
        return same(a, std::string("np.pad($0,2,mode='") + kModes[mode] + "')",
                    [mode](const Arrays& v) { return pad(v[0], 2, {.mode = kPads[mode]}); });
      }
      case 7: {
        const Chunks chunks = some_chunks();
        return same(a, "$0", [chunks](const Arrays& v) { return rechunk(v[0], chunks); });
      }
      case 8:
        if (ndim < 2) return nullptr;
        return same(a, "np.rot90($0," + std::to_string(count) + ")",
                    [count](const Arrays& v) { return rot90(v[0], count); });
      case 9:
        if (ndim < 2) return nullptr;
        return same(a, "np.triu($0," + std::to_string(count) + ")",
                    [count](const Arrays& v) { return triu(v[0], count); });
      case 10: {
        const std::int64_t size = a->array.size();
        if (size == 0) return nullptr;
        std::int64_t rows = 1 + below(6);
        while (size % rows != 0) --rows;
        return same(a, "np.reshape($0,(" + std::to_string(rows) + ",-1))", [rows](const Arrays& v) {
          return reshape(v[0], {rows, std::int64_t{-1}});
        });
      }
      default: {
        if (ndim != 2 || a->dtype().is_bool() || a->dtype().size() == 1) return nullptr;
        const double inner = static_cast<double>(a->shape()[1]);
        return finish(
            "np.matmul($0,np.transpose($0))", {a}, [](const Arrays& v) { return matmul(v[0], transpose(v[0])); },
            a->dtype().is_integer(), 2 * a->bits + 6, a->bound * a->bound * inner);
      }
    }
  }

  std::mt19937_64 random_;
};

/// Both systems, and what they say.
class Judge {
 public:
  bool ready() { return numpy_.ask("np.add(1,1)") == "int64 - 2"; }

  /// Returns what is wrong with an expression, or nothing.
  std::string wrong(const Tree& tree) {
    const std::string line = numpy_.ask(tree->python());
    if (line.empty()) return "NumPy's process is gone";
    if (line.starts_with("error ")) return "NumPy refuses it: " + line;
    std::stringstream words(line);
    oracle::NamedAnswer answer;
    std::string shape;
    words >> answer.dtype >> shape;
    answer.shape = oracle::read_shape(shape);
    for (std::string one; words >> one;) answer.elements.push_back(one);
    if (answer.dtype == "float16") return "";
    try {
      const NDArray values = client_.compute(tree->array);
      const double scale = tree->exact ? 0 : tree->bound;
      return oracle::difference(answer, values, scale * (tree->single ? 1e-4 : 1e-11));
    } catch (const std::exception& error) {
      return std::string("weft throws ") + error.what();
    }
  }

  /// Returns the smallest expression within a wrong one that is still wrong.
  Tree shrunk(Tree tree) {
    for (bool smaller = true; smaller;) {
      smaller = false;
      for (const Tree& argument : tree->arguments) {
        if (wrong(argument).empty()) continue;
        tree = argument;
        smaller = true;
        break;
      }
    }
    for (std::size_t i = 0; i < tree->arguments.size(); ++i) {
      const Tree& old = tree->arguments[i];
      if (old->arguments.empty()) continue;
      auto changed = std::make_shared<Expression>(*tree);
      changed->arguments[i] = leaf(old->dtype().name(), old->shape(), 0, 2);
      std::vector<Array> inputs;
      for (const Tree& one : changed->arguments) inputs.push_back(one->array);
      try {
        changed->array = changed->apply(inputs);
      } catch (const Error&) {
        continue;
      }
      if (!wrong(changed).empty()) tree = changed;
    }
    return tree;
  }

 private:
  NumPyProcess numpy_;
  Client client_{Options{.scheduler = "sync"}};
};

TEST(ArrayFuzzTest, RandomExpressionsGiveNumPysAnswers) {
  std::signal(SIGPIPE, SIG_IGN);
  Judge judge;
  if (!judge.ready()) GTEST_SKIP() << oracle::python() << " has no NumPy: tools/setup brings it";
  const char* const asked = std::getenv("FUZZ_EXPRESSIONS");
  const int count = asked != nullptr ? std::atoi(asked) : 400;
  const char* const first = std::getenv("FUZZ_SEED");
  const int start = first != nullptr ? std::atoi(first) : 1;
  int wrong = 0, steps = 0;
  for (int seed = start; seed < start + count && wrong < 10; ++seed) {
    const Tree tree = Builder(static_cast<std::uint64_t>(seed)).build(5);
    steps += tree->arguments.empty() ? 0 : 1;
    if (judge.wrong(tree).empty()) continue;
    ++wrong;
    const Tree least = judge.shrunk(tree);
    std::string chunks;
    for (const Tree& one : least->arguments) chunks += " " + one->array.text();
    ADD_FAILURE() << "seed " << seed << ": " << least->python() << "\n  " << judge.wrong(least) << "\n  of" << chunks
                  << "\n  in " << tree->python();
  }
  EXPECT_GT(steps, count / 2);
}

}  // namespace
}  // namespace weft
