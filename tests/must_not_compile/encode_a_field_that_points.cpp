// expect: weft: this type cannot travel between processes: give it weft_fields
#include <weft/encode.hpp>

class Node {
 public:
  template <class Archive>
  friend void weft_fields(Archive& archive, Node& node) {
    archive(node.value_, node.next_);
  }

 private:
  int value_ = 0;
  Node* next_ = nullptr;
};

int main() {
  weft::Writer writer;
  weft::encode(writer, Node{});
}
