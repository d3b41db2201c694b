// expect: and a constructor without arguments, or declare weft::local_only
#include <weft/encode.hpp>

class Named {
 public:
  explicit Named(int number) : number_(number) {}
  template <class Archive>
  friend void weft_fields(Archive& archive, Named& named) {
    archive(named.number_);
  }

 private:
  int number_;
};

int main() {
  weft::Writer writer;
  weft::encode(writer, Named(1));
}
