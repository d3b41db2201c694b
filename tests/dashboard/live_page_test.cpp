#include "dashboard/live_page.hpp"

#include "core/client/live_page.hpp"
#include "core/diagnostics/terminal.hpp"
#include "tests/dashboard/browser.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/future.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <string>

namespace weft::dashboard {
namespace {

class LivePageTest : public testing::Test {
 protected:
  void SetUp() override {
    null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    terminal::redirect(null_);
    install_live_page();
  }
  void TearDown() override {
    terminal::redirect(-1);
    ::close(null_);
    set_page_maker({});
  }
  static std::uint16_t port_of(const std::string& link) {
    return static_cast<std::uint16_t>(std::stoi(link.substr(std::string("http://127.0.0.1:").size())));
  }
  static std::string path_of(const std::string& link) { return link.substr(link.find('/', 8)); }

 private:
  int null_ = -1;
};

TEST_F(LivePageTest, IsThereWhereItIsAskedFor) {
  Client client({.threads = 1, .progress = "off", .page = "on"});
  const std::string link = client.dashboard_link();
  const std::string page = get(port_of(link), path_of(link));
  EXPECT_TRUE(page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html")) << page.substr(0, 200);
  EXPECT_EQ(page.find("http://", page.find("<html")), page.find("http://www.w3.org/2000/svg"))
      << "nothing is taken from elsewhere";
  client.submit([](int n) { return n; }, 1).result();
  const std::string state = body_of(get(port_of(link), path_of(link) + "state.json"));
  EXPECT_NE(state.find("\"done\":1"), std::string::npos) << state;
}

TEST_F(LivePageTest, IsNotThereWhereItIsNotAskedFor) {
  Client client({.threads = 1});
  EXPECT_EQ(client.dashboard_link(), "");
  EXPECT_EQ(threads_named("weft page"), 0);
}

TEST_F(LivePageTest, WithoutTheTokenNothingIsShown) {
  Client client({.threads = 1, .page = "on"});
  const std::string link = client.dashboard_link();
  const std::string path = path_of(link);
  std::string wrong = path;
  wrong[1] = wrong[1] == '0' ? '1' : '0';
  for (const std::string& one :
       {std::string("/"), std::string("/state.json"), std::string("//"), wrong, wrong + "state.json",
        path.substr(0, path.size() - 1), path.substr(0, 10) + "/", path + "other", "/" + path}) {
    const std::string answer = get(port_of(link), one);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 404 ")) << one << ": " << answer;
    EXPECT_EQ(answer.find(path.substr(1, 32)), std::string::npos) << "the token is not given away";
  }
}

TEST_F(LivePageTest, EveryClientHasATokenOfItsOwn) {
  Client one({.threads = 1, .page = "on"});
  Client other({.threads = 1, .page = "on"});
  EXPECT_NE(path_of(one.dashboard_link()), path_of(other.dashboard_link()));
  EXPECT_TRUE(get(port_of(one.dashboard_link()), path_of(other.dashboard_link())).starts_with("HTTP/1.1 404 "));
}

TEST_F(LivePageTest, APortThatIsTakenOpensNoClient) {
  Client client({.threads = 1, .page = "on"});
  const std::string port = std::to_string(port_of(client.dashboard_link()));
  EXPECT_THROW(Client({.threads = 1, .page = port}), ConfigError);
  EXPECT_EQ(&Client::current(), &client);
  EXPECT_EQ(threads_named("weft page"), 1);
}

TEST_F(LivePageTest, SenselessPortsAreNamed) {
  EXPECT_EQ(page_port("on", ""), 0);
  EXPECT_EQ(page_port("65535", ""), 65535);
  for (const char* const wrong : {"0", "65536", "-1", "80a", "", "yes"})
    EXPECT_THROW(page_port(wrong, "x"), ConfigError);
}

TEST_F(LivePageTest, EndsWithItsClientWhoeverLooks) {
  Client client({.threads = 1, .page = "on"});
  const std::string link = client.dashboard_link();
  Visit silent(port_of(link));
  get(port_of(link), path_of(link) + "state.json");
  const auto begin = std::chrono::steady_clock::now();
  client.close();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_EQ(threads_named("weft page"), 0);
  EXPECT_EQ(silent.receive(), "");
  EXPECT_FALSE(Visit(port_of(link)).connected());
}

TEST_F(LivePageTest, IsThereAgainAfterARestart) {
  Client client({.threads = 1, .page = "on"});
  client.restart();
  const std::string link = client.dashboard_link();
  EXPECT_TRUE(get(port_of(link), path_of(link)).starts_with("HTTP/1.1 200 "));
}

TEST(LivePageHookTest, WithoutAnybodyWhoDrawsItIsRefused) {
  set_page_maker({});
  try {
    Client client({.threads = 1, .page = "on"});
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("weft::weft"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace weft::dashboard
