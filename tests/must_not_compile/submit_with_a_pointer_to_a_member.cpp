// expect: weft: a task's function is no pointer to a member: write weft::member<&Class::method>
#include <weft/client.hpp>

struct Shape {
  double side;
  double area() const { return side * side; }
};

int main() {
  weft::Client client;
  client.submit(&Shape::area, Shape{2});
}
