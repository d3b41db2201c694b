#include "comm/handshake.hpp"

#include <gtest/gtest.h>

#include <random>

namespace weft::comm {
namespace {

using Role = Handshake::Role;
using State = Handshake::State;

Secret secret_of(int number) {
  Secret secret{};
  secret[0] = static_cast<std::byte>(number);
  return secret;
}

struct Side {
  Side(Role role, const Secret& secret, int nonce, std::uint32_t protocol = kProtocol)
      : machine(role, secret, secret_of(nonce), protocol), out(machine.opening()) {}
  Handshake machine;
  std::vector<std::byte> out, in;
  State state = State::Waiting;

  void take() {
    std::size_t used = 0;
    state = machine.take(in, used, out);
    in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(used));
  }
};

/// Passes the bytes in pieces until nothing moves.
void talk(Side& a, Side& b, std::size_t piece) {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      const std::size_t count = std::min(piece, from->out.size());
      if (count == 0) continue;
      to->in.insert(to->in.end(), from->out.begin(), from->out.begin() + static_cast<std::ptrdiff_t>(count));
      from->out.erase(from->out.begin(), from->out.begin() + static_cast<std::ptrdiff_t>(count));
      to->take();
      moved = true;
    }
  }
}

TEST(HandshakeTest, EqualSecretsAgreeHoweverTheBytesAreCut) {
  const Secret secret = secret_of(1);
  for (std::size_t piece : {1u, 7u, 44u, 1000u}) {
    Side connector(Role::Connector, secret, 2), acceptor(Role::Acceptor, secret, 3);
    talk(connector, acceptor, piece);
    EXPECT_EQ(connector.state, State::Done);
    EXPECT_EQ(acceptor.state, State::Done);
  }
}

TEST(HandshakeTest, OtherSecretIsRefusedByTheConnectorFirst) {
  const Secret mine = secret_of(1), other = secret_of(2);
  Side connector(Role::Connector, mine, 2), acceptor(Role::Acceptor, other, 3);
  talk(connector, acceptor, 1000);
  EXPECT_EQ(connector.state, State::Refused);
  EXPECT_NE(connector.machine.why().find("secret"), std::string::npos);
  EXPECT_EQ(acceptor.state, State::Waiting) << "the connector proves nothing to a stranger";
}

TEST(HandshakeTest, AcceptorRefusesAWrongProof) {
  const Secret secret = secret_of(1);
  Side connector(Role::Connector, secret, 2), acceptor(Role::Acceptor, secret, 3);
  acceptor.in = connector.out;
  acceptor.take();
  acceptor.in.assign(32, std::byte{7});
  acceptor.take();
  EXPECT_EQ(acceptor.state, State::Refused);
}

TEST(HandshakeTest, ProofOfOneConnectionIsWorthNothingInAnother) {
  const Secret secret = secret_of(1);
  Side connector(Role::Connector, secret, 2), acceptor(Role::Acceptor, secret, 3), later(Role::Acceptor, secret, 4);
  const std::vector<std::byte> greeting = connector.out;
  acceptor.in = greeting;
  acceptor.take();
  connector.in = acceptor.out;
  connector.out.clear();
  connector.take();
  ASSERT_EQ(connector.state, State::Done);
  later.in = greeting;
  later.take();
  later.in = connector.out;  // what was overheard
  later.take();
  EXPECT_EQ(later.state, State::Refused);
}

TEST(HandshakeTest, AnAcceptorsProofIsNotAConnectors) {
  // Who mirrors our own words back at us does not get in.
  const Secret secret = secret_of(1);
  Side acceptor(Role::Acceptor, secret, 3), mirror(Role::Connector, secret, 3);
  acceptor.in = mirror.out;
  acceptor.take();
  ASSERT_EQ(acceptor.out.size(), 44u + 32u);
  acceptor.in.assign(acceptor.out.begin() + 44, acceptor.out.end());
  acceptor.take();
  EXPECT_EQ(acceptor.state, State::Refused);
}

TEST(HandshakeTest, BothSidesNameBothProtocols) {
  const Secret secret = secret_of(1);
  Side connector(Role::Connector, secret, 2, 7), acceptor(Role::Acceptor, secret, 3, 8);
  talk(connector, acceptor, 1000);
  for (const Side* side : {&connector, &acceptor}) {
    EXPECT_EQ(side->state, State::Refused);
    EXPECT_NE(side->machine.why().find('7'), std::string::npos);
    EXPECT_NE(side->machine.why().find('8'), std::string::npos);
  }
}

TEST(HandshakeTest, RandomBytesAreRefusedAtTheFirstOnesAndNeverAccepted) {
  std::mt19937 random(11);
  const Secret secret = secret_of(1);
  for (int i = 0; i < 2000; ++i) {
    Side side(i % 2 == 0 ? Role::Acceptor : Role::Connector, secret, 3);
    side.in.resize(random() % 200);
    for (std::byte& byte : side.in) byte = static_cast<std::byte>(random());
    if (i % 3 == 0 && side.in.size() >= 12) {
      const std::vector<std::byte> greeting = Side(Role::Connector, secret, 4).out;
      std::copy_n(greeting.begin(), 12, side.in.begin());
    }
    side.take();
    side.take();
    EXPECT_NE(side.state, State::Done);
  }
}

}  // namespace
}  // namespace weft::comm
