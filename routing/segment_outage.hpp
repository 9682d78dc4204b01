#pragma once
// Parts of a gateway's traffic that stop being approved while the rest goes on
// (an issuer it cannot reach, a brand it lost), and gateways whose technical
// failures look like declines. For each node k of a payment at one connector
// (all of it; its brand; country; issuer; merchant) a hidden Markov model:
//   up    approvals as the approval model says
//   half  ·.5
//   down  ·.08
// in at 1/14400 s (a third of it half), out at 1/600 s. An outcome multiplies
// each state by its likelihood, given the approval probability p that the other
// nodes leave: m·p for an approval, 1 − m·p for a decline. A payment's approval
// is then multiplied by Π_k E[m_k], where a node that is as likely down as
// nodes are in the long run counts as up.
// Source: this project's own routing study (two states there).
//
// Memory for one connector: 2,048 nodes of 16 bytes (32 KiB); the ones most
// likely up make room.
#include <array>
#include <vector>

#include "routing/segment.hpp"
#include "routing/weight_table.hpp"

namespace turnout::routing {

class segment_outage {
 public:
  segment_outage();

  struct reading {
    double kept = 1;  ///< Π E[m_k]: share of approvals that outages leave
    double up = 1;    ///< P(every node is up)
  };
  reading read(const segment_keys& keys, steady_time now) const noexcept;
  /// A read is coming: lets the memory begin to fetch it.
  void expect(const segment_keys& keys) const noexcept;
  /// `approval`: what the approval model says. Returns the credence that is left for that model.
  double learn(const segment_keys& keys, double approval, bool approved, steady_time now) noexcept;
  /// P(the whole connector is up), as view() wants it.
  reading overall(steady_time now) const noexcept { return read({}, now); }

  void save(state_writer& into, steady_time now) const;
  /// What save() wrote `elapsed_s` ago, into an empty table.
  void load(state_reader& from, double elapsed_s, steady_time now);

 private:
  static constexpr std::size_t nodes = 5, ways = 4, lines = 512;
  struct belief {
    double half = 0, down = 0;
  };
  struct cell {
    std::uint32_t tag = 0;  ///< 0: free
    float half = 0, down = 0;
    stamp last = 0;
  };
  struct alignas(64) line {
    cell cells[ways];
  };
  using node_keys = std::array<std::uint64_t, nodes>;
  static node_keys nodes_of(const segment_keys& keys) noexcept;
  static belief relaxed(belief before, double elapsed_s) noexcept;
  static double kept(const belief& of) noexcept;
  belief read_node(std::uint64_t key, stamp now) const noexcept;
  void write_node(std::uint64_t key, const belief& learned, stamp now) noexcept;

  std::vector<line> lines_;
};

}  // namespace turnout::routing
