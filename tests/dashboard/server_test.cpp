#include "dashboard/server.hpp"

#include "tests/dashboard/browser.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace weft::dashboard {
namespace {

using Clock = std::chrono::steady_clock;

std::unique_ptr<Server> echo(std::uint16_t port = 0) {
  return std::make_unique<Server>(
      port,
      [](const std::string& path) {
        return Answer{200, "text/plain", "you asked for " + path};
      },
      [] {});
}

TEST(ServerTest, AnswersOneRequestAConnection) {
  const auto server = echo();
  const std::string answer = get(server->port(), "/a/b");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("Cache-Control: no-store"), std::string::npos);
  EXPECT_EQ(body_of(answer), "you asked for /a/b");
}

TEST(ServerTest, ARequestMayComeByteByByte) {
  const auto server = echo();
  Visit visit(server->port());
  for (const char byte : std::string("GET /slow HTTP/1.1\r\n\r\n")) visit.send(std::string(1, byte));
  EXPECT_EQ(body_of(visit.receive()), "you asked for /slow");
}

TEST(ServerTest, ALargeAnswerArrivesWholeAtAReaderWhoTakesItsTime) {
  const Server server(
      0,
      [](const std::string&) {
        return Answer{200, "text/plain", std::string(20 << 20, 'x')};
      },
      [] {});
  Visit visit(server.port());
  visit.send("GET / HTTP/1.1\r\n\r\n");
  // Others are served meanwhile.
  EXPECT_EQ(body_of(get(server.port(), "/")).size(), 20u << 20);
  EXPECT_EQ(body_of(visit.receive()).size(), 20u << 20);
}

TEST(ServerTest, OtherRequestsAndRubbishAreRefusedAndTheServerGoesOn) {
  const auto server = echo();
  Visit post(server->port());
  post.send("POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_TRUE(post.receive().starts_with("HTTP/1.1 405 "));
  std::mt19937 random(11);
  for (int i = 0; i < 200; ++i) {
    Visit stranger(server->port());
    std::string bytes(1 + random() % 3000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    stranger.send(bytes);
  }
  Visit endless(server->port());
  endless.send("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'y'));
  EXPECT_TRUE(endless.receive().starts_with("HTTP/1.1 431 "));
  EXPECT_EQ(body_of(get(server->port(), "/after")), "you asked for /after");
}

TEST(ServerTest, WhoSaysNothingKeepsNobodyOut) {
  const auto server = echo();
  std::list<Visit> silent;
  for (std::size_t i = 0; i < 4 * Server::kMostConnections; ++i) silent.emplace_back(server->port());
  EXPECT_EQ(body_of(get(server->port(), "/me")), "you asked for /me");
  EXPECT_EQ(silent.front().receive(), "") << "the oldest has been closed";
}

TEST(ServerTest, ManyAtOnceAreAllAnswered) {
  const auto server = echo();
  std::atomic<int> good{0};
  std::vector<std::thread> visitors;
  for (int i = 0; i < 8; ++i) {
    visitors.emplace_back([&, i] {
      for (int k = 0; k < 50; ++k) {
        const std::string path = "/" + std::to_string(i) + "/" + std::to_string(k);
        good += body_of(get(server->port(), path)) == "you asked for " + path ? 1 : 0;
      }
    });
  }
  for (std::thread& one : visitors) one.join();
  EXPECT_EQ(good, 400);
}

TEST(ServerTest, APortThatIsTakenIsNamedWithWhatToDo) {
  const auto server = echo();
  try {
    echo(server->port());
    FAIL();
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("port " + std::to_string(server->port())), std::string::npos) << text;
    EXPECT_NE(text.find("--weft-page=on"), std::string::npos) << text;
  }
}

TEST(ServerTest, APortCanBeHadAgainAtOnce) {
  auto server = echo();
  const std::uint16_t port = server->port();
  get(port, "/");
  server.reset();
  server = echo(port);
  EXPECT_EQ(body_of(get(port, "/again")), "you asked for /again");
}

TEST(ServerTest, ItsEndIsQuickAndLeavesNoThread) {
  auto server = echo();
  Visit silent(server->port());
  Visit half(server->port());
  half.send("GET / HT");
  get(server->port(), "/");  // its thread has its name before it answers
  EXPECT_EQ(threads_named("weft page"), 1);
  const auto begin = Clock::now();
  server.reset();
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(2));
  EXPECT_EQ(threads_named("weft page"), 0);
  EXPECT_EQ(silent.receive(), "");
}

TEST(ServerTest, SaysOnceWhenNobodyHasAskedForLong) {
  std::atomic<int> quiet{0};
  const Server server(
      0, [](const std::string&) { return Answer{}; }, [&] { ++quiet; });
  get(server.port(), "/");
  EXPECT_EQ(quiet, 0);
  const auto until = Clock::now() + Server::kPatience + std::chrono::seconds(5);
  while (quiet == 0 && Clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(quiet, 1);
}

}  // namespace
}  // namespace weft::dashboard
